"""Leaving secrets out of what is shown."""

from __future__ import annotations

import json
import re
from typing import Any, Mapping

REDACTED = "******"

_SECRET_NAME = re.compile(
    r"passw|passphrase|(?<![a-z])pwd|pass(?![a-z])|secret|token(?!iz|is)|credential|auth(?!ors?$)|cookie|signature"
    r"|(api|access|private|account|ssh|encryption)[-_.]?key|[-_.]keys?$",
    re.IGNORECASE,
)
# user:password@ or token@ before a host.
_IN_ADDRESS = re.compile(r"(?<=://)(?:[^/@\s:]*:[^@\s]*|[^/@\s]+)(?=@)")
# name=value in the query of an address, or in a connection string.
_ASSIGNED = re.compile(
    r"((?:^|[?&;])\s*[\w.-]*(?:passw|pwd|secret|token|key|signature|sig)[\w.-]*=)[^&;\s]+", re.IGNORECASE
)


def redacted(value: Any, name: str = "") -> Any:
    """`value` with everything replaced that looks secret: by the name it goes by, or as part of an address.

    Args:
        value: Anything that JSON can hold; text that is itself a JSON object is looked into.
        name: Name of the value; a secret one hides all of it, `PWD` (the working directory) excepted.

    Source: contract T-11.
    """
    if value and name != "PWD" and name != "OLDPWD" and _SECRET_NAME.search(name):
        return REDACTED
    if isinstance(value, Mapping):
        return {key: redacted(item, str(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return _redacted_text(value) if isinstance(value, str) else value


def _redacted_text(text: str) -> str:
    if text.startswith(("{", "[")):
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            parsed = None
        shown = None if parsed is None else redacted(parsed)
        if shown != parsed:
            return json.dumps(shown, ensure_ascii=False)
    return _ASSIGNED.sub(rf"\g<1>{REDACTED}", _IN_ADDRESS.sub(REDACTED, text))
