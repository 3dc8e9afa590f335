"""A text body in pieces: short bytes objects, made one after the other.

A view cannot be searched as bytes can, and copying a whole body takes its memory once more; a piece stays in the
second-level cache, and what works on it holds the interpreter's lock for less than a millisecond.
"""

from __future__ import annotations

from sagemaker_sklearn_container.codecs import doubles


def piece(body: bytes | memoryview, start: int, *ends: bytes) -> bytes:
    """The piece of `body` that begins at `start`.

    Args:
        body: Any bytes.
        start: Where the piece before ended, less than the body's length.
        ends: What a piece may end behind, one or two bytes each, the best first.

    Returns:
        A copy of doubles.PIECE_BYTES at most, up to the last of the best ends in it. Without an end in as many bytes it
        goes on to the next one of whichever kind, or to the end of the body.
    """
    size = doubles.PIECE_BYTES
    reach = start + size
    text = bytes(body[start:reach])
    if reach >= len(body):
        return text
    for end in ends:
        stop = text.rfind(end) + len(end)
        if stop >= len(end):
            return text[:stop]
    while reach < len(body):
        more = bytes(body[reach - 1 : reach + size])  # an end of two bytes may have begun
        stops = [found + len(end) for end, found in ((end, more.find(end)) for end in ends) if found >= 0]
        if stops:
            return bytes(body[start : reach - 1 + min(stops)])
        reach += size
    return bytes(body[start:])
