"""Which line, and which cell of it, a server refuses."""

from __future__ import annotations

from typing import Callable, Sequence


def line(count: int, passes: Callable[[int, int], bool]) -> int | None:
    """The first of `count` lines that fails alone; None if it is only all together that fail.

    Args:
        count: How many lines failed together.
        passes: Whether the lines from the first to before the second number pass.
    """
    start, end = 0, count
    while end - start > 1:
        middle = (start + end) // 2
        if passes(start, middle):
            start = middle
        else:
            end = middle
    return start if count == 1 or not passes(start, end) else None


def cell(bad: Sequence[str], good: Sequence[str], passes: Callable[[Sequence[str]], bool]) -> int | None:
    """The first cell of a bad row that a good row's in its place puts right; None if it takes more than one."""
    for place, cell in enumerate(good):
        if bad[place] != cell and passes([*bad[:place], cell, *bad[place + 1 :]]):
            return place
    return None
