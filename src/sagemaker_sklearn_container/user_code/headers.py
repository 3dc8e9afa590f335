"""What a header of an answer may hold."""

from __future__ import annotations

import re

from sagemaker_sklearn_container import contract

# A token of RFC 9110, section 5.6.2.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
_VISIBLE_ASCII = re.compile(r"[\x20-\x7e]*")
# The length, and what becomes of the connection, are the server's to say.
_SERVERS_OWN = frozenset({"connection", "content-length", "transfer-encoding"})


def is_servers_own(name: str) -> bool:
    """Whether the server alone sets this header of an answer."""
    return name.lower() in _SERVERS_OWN


def checked(name: str, value: object) -> tuple[str, str]:
    """A header of an answer, as text that can be sent.

    Raises:
        ValueError: the name is no header name, or the value has line breaks, other control characters or characters
            outside Latin-1; or it is the custom attribute and too long, or not visible ASCII.

    Source: contract S-30.
    """
    text = str(value)
    if not _NAME.fullmatch(name):
        raise ValueError(f"Setting a header of the response: {name!r} is no header name; use letters, digits and '-'.")
    if not _VALUE.fullmatch(text):
        raise ValueError(
            f"Setting the response header {name}: the value {text[:80]!r} has a line break, another control character "
            "or a character outside Latin-1; it must be one line of plain text."
        )
    fits = len(text) <= contract.MAX_CUSTOM_ATTRIBUTES and _VISIBLE_ASCII.fullmatch(text)
    if name.lower() == contract.CUSTOM_ATTRIBUTES.lower() and not fits:
        raise ValueError(
            f"Setting the response header {name}: the value has {len(text)} characters; the platform passes on at most "
            f"{contract.MAX_CUSTOM_ATTRIBUTES}, all of them visible ASCII."
        )
    return name, text
