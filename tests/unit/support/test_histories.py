"""Whether the judge of histories sees what cannot be."""

from __future__ import annotations

import pytest

from tests.support.histories import Operation, explained


def _history(*told: tuple[str, str, int, float, float]) -> list[Operation]:
    return [Operation("m", *operation) for operation in told]


@pytest.mark.parametrize(
    ("history", "left", "possible"),
    [
        ([], None, True),
        ([], "u", False),
        ([("load", "u", 200, 0, 1)], "u", True),
        ([("load", "u", 200, 0, 1)], None, False),
        ([("load", "u", 409, 0, 1)], None, False),
        ([("load", "u", 200, 0, 2), ("load", "v", 409, 1, 3)], "u", True),
        ([("load", "u", 200, 0, 2), ("load", "v", 200, 1, 3)], "v", False),
        ([("load", "u", 200, 0, 1), ("invoke", "", 404, 2, 3)], "u", False),
        ([("load", "u", 200, 0, 2), ("invoke", "", 404, 1, 3)], "u", True),
        ([("load", "u", 200, 0, 1), ("invoke", "v", 200, 2, 3)], "u", False),
        ([("load", "u", 200, 0, 1), ("unload", "", 200, 2, 3), ("describe", "u", 200, 4, 5)], None, False),
        ([("load", "u", 200, 0, 1), ("unload", "", 200, 2, 5), ("describe", "u", 200, 3, 4)], None, True),
        ([("load", "u", 200, 0, 1), ("unload", "", 200, 2, 4), ("unload", "", 200, 3, 5)], None, False),
        ([("invoke", "", 503, 0, 1)], None, False),
    ],
)
def test_what_can_and_cannot_be(
    history: list[tuple[str, str, int, float, float]], left: str | None, possible: bool
) -> None:
    """M-40: the order of what does not overlap is kept."""
    assert explained(_history(*history), left) == possible
