"""Headers of a request, found in any case, and what a header of an answer may hold."""

from __future__ import annotations

import re
from typing import Iterator, Mapping

from sagemaker_sklearn_container import contract

# A token of RFC 9110, section 5.6.2.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
_VISIBLE_ASCII = re.compile(r"[\x20-\x7e]*")
# The length, and what becomes of the connection, are the server's to say.
_SERVERS_OWN = frozenset({"connection", "content-length", "transfer-encoding"})


class RequestHeaders(Mapping[str, str]):
    """The headers of one request; names are found in any case, and iterated as they were given.

    Source: contract S-30, S-31.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        """The headers in `headers`; of two names that differ in case only, the last one counts."""
        self._entries = {name.lower(): (name, value) for name, value in headers.items()}

    def __getitem__(self, name: str) -> str:
        try:
            return self._entries[name.lower()][1]
        except KeyError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._entries

    def __repr__(self) -> str:
        return f"RequestHeaders({dict(self)!r})"


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
