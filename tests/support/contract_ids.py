"""The ids of the platform's contract: what is to be tested, and what no test names yet."""

from __future__ import annotations

import re

# Families: L image, T training, S single-model serving, U user code, C codecs, B batch transform, M multi-model
# endpoints, P inference pipelines, A Autopilot, K what the SDK sends. (D are decisions about these, not requirements.)
_ALL = """
L-01 to L-18
T-01 to T-12, T-20 to T-31, T-40 to T-57, T-70 to T-88
S-01 to S-17, S-20 to S-33, S-40 to S-49
U-01 to U-08, U-20 to U-33, U-40 to U-46
C-01 to C-09, C-20 to C-26
B-01 to B-10
M-01 to M-23, M-30 to M-43
P-01 to P-07
A-01 to A-09
K-01 to K-12, K-20 to K-25
"""

# Images for another architecture.
_LATER = """
L-17
"""

_ID = re.compile(r"\b([A-Z])-(\d\d)(?: to \1-(\d\d))?\b")


def ids_in(text: str) -> set[str]:
    """The ids that a text names, `S-01` or, inclusively, `S-01 to S-07`."""
    return {
        f"{family}-{number:02}"
        for family, first, last in _ID.findall(text)
        for number in range(int(first), int(last or first) + 1)
    }


ALL = frozenset(ids_in(_ALL))
LATER = frozenset(ids_in(_LATER))
