"""How much a compressed body may hold."""

from __future__ import annotations

from sagemaker_sklearn_container.errors import DecodeError

_ALWAYS_BYTES = 64 * 2**20
_TIMES_BODY = 20


def most_inflated(body_bytes: int) -> int:
    """What a compressed body may take in memory: 64 MiB, or 20 times its length if that is more."""
    return max(_ALWAYS_BYTES, _TIMES_BODY * body_bytes)


def check_inflated(inflated: int, body_bytes: int, media_type: str) -> None:
    """Refuse a body that says it holds more than `most_inflated`.

    Raises:
        DecodeError: it does (status 400).

    Source: contract C-07.
    """
    most = most_inflated(body_bytes)
    if inflated > most:
        raise DecodeError(
            f"Reading the {media_type} body: {body_bytes} bytes that hold {inflated}; at most {most} are taken from "
            "that many. Send less per request, or less compressed."
        )
