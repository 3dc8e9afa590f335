"""Numbers and digests as people read them."""

from __future__ import annotations


def size(count: int) -> str:
    """A number of bytes, to three or four digits: `397 B`, `1.4 MB`."""
    if count < 1000:
        return f"{count} B"
    value, unit = count / 1000, "kB"
    units = ["TB", "GB", "MB"]
    while value >= 999.95 and units:
        value, unit = value / 1000, units.pop()
    return f"{value:.1f} {unit}"


def short(digest: str) -> str:
    """The first characters of a digest, enough to find it by."""
    return digest.partition(":")[2][:12]


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def elided(text: str, length: int) -> str:
    """`text`, or its two ends with an ellipsis between, at most `length` characters."""
    if len(text) <= length:
        return text
    tail = (length - 1) // 2
    return f"{text[: length - 1 - tail]}…{text[len(text) - tail :]}"
