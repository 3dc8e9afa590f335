"""Media types: reading a Content-Type value and choosing from an Accept value (RFC 9110, sections 8.3 and 12.5.1)."""

from __future__ import annotations

from functools import lru_cache

# Clients send few different values; those that invent new ones must not fill the memory.
_REMEMBERED = 64


@lru_cache(_REMEMBERED)
def essence(value: str) -> str:
    """`type/subtype` of a Content-Type or Accept entry: lower case, without parameters.

    Source: contract S-24.
    """
    return value.partition(";")[0].strip().lower()


@lru_cache(_REMEMBERED)
def negotiate(accept: str, offered: tuple[str, ...]) -> str | None:
    """The first of the `offered` media types that the client likes best.

    Args:
        accept: Value of an Accept header: one type or a list, with wildcards and q-values.
        offered: Media types the server can produce, its own preference first.

    Returns:
        One of `offered`, or None if the client accepts none of them. Types of equal q-value keep the client's order; a
        type whose q-value is 0 or unreadable is not accepted.

    Source: contract S-27.
    """
    entries = [entry for entry in accept.split(",") if entry.strip()]
    refused = {essence(entry) for entry in entries if _quality(entry) <= 0}
    for entry in sorted(entries, key=_quality, reverse=True):
        if _quality(entry) <= 0:
            continue
        for media_type in offered:
            if _matches(essence(entry), media_type) and media_type not in refused:
                return media_type
    return None


def _quality(entry: str) -> float:
    for parameter in entry.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _matches(pattern: str, media_type: str) -> bool:
    if pattern in ("*/*", "*"):
        return True
    if pattern.endswith("/*"):
        return media_type.startswith(pattern[:-1])
    return pattern == media_type
