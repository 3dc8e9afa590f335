"""What may be a tag, and how text from elsewhere is made one."""

from __future__ import annotations

import re

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


class TagError(ValueError):
    """A text cannot be a tag; the message says why and what can."""


def check(tag: str, origin: str) -> None:
    """Return if a text can be a tag.

    Args:
        tag: The text.
        origin: The field or option that it comes from.

    Raises:
        TagError: it cannot.
    """
    if not _TAG.fullmatch(tag):
        raise TagError(
            f"{origin} gives {tag!r}, which cannot be a tag: that is 1 to 128 letters, digits, `_`, `.` and `-`, and "
            f"the first one no `.` or `-`. This has {len(tag)} characters."
        )


def made_of(text: str) -> str:
    """A text with a dash in place of what no tag may hold, as in `feature/x` -> `feature-x`."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).lstrip(".-")
