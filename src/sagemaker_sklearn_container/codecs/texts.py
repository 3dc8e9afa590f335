"""What the formats share: bytes of a body, and numbers as Python prints them."""

from __future__ import annotations

from typing import Any, Union

import numpy as np
import orjson

from sagemaker_sklearn_container.errors import DecodeError

# What a body comes as. Views are of bytes without gaps; what they show may change as soon as the decoder has returned.
Body = Union[str, bytes, bytearray, memoryview]

_SHOWN_CHARACTERS = 40
# From here to there Python and NumPy print without an exponent, and orjson does, too.
_PLAIN_FROM, _PLAIN_TO = 1e-4, {4: 1e12, 8: 1e16}
# Below this Python and orjson print float64 alike again: the exponent has two digits or more.
_PLAIN_BELOW = {4: 0.0, 8: 1e-9}
# In both orders of bytes. Not their names, which NumPy makes anew each time.
_PLAIN_DTYPES = frozenset(np.dtype(order + kind) for order in "<>" for kind in ("f8", "f4", "i8", "i4", "u8", "u4"))


def utf8(body: Body, media_type: str) -> bytes | memoryview:
    """The bytes of a body that may come as text; those of a buffer are not copied.

    Raises:
        DecodeError: the text holds half of a surrogate pair, which no UTF-8 has (status 400).
    """
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        try:
            return body.encode("utf-8")
        except UnicodeEncodeError as exc:
            raise DecodeError(
                f"Reading the {media_type} body: character {exc.start} is a lone surrogate; send UTF-8 text."
            ) from None
    return memoryview(body)


def binary(body: Body) -> bytes | memoryview:
    """The bytes of a body of a binary format, not copied; text is taken as one byte per character."""
    if isinstance(body, bytes):
        return body
    return body.encode("latin-1", errors="replace") if isinstance(body, str) else memoryview(body)


def shortened(text: str) -> str:
    """`text`, quoted and of bounded length, for messages."""
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "...")


def plain_numbers(block: np.ndarray[Any, Any]) -> bytes | None:
    """A block of numbers as compact JSON, if that is also how Python prints each of them.

    Args:
        block: ndarray of one or two dimensions and at least one entry, dtype bool, integer or float.

    Returns:
        `[1.5,2.0]` or `[[1.5],[2.0]]`; None if some entry is printed in another way (most exponents, not finite,
        bool), or is of a dtype that only NumPy prints.
    """
    if block.dtype not in _PLAIN_DTYPES or (block.dtype.kind == "f" and _odd(block).any()):
        return None
    native = np.ascontiguousarray(block, dtype=block.dtype.newbyteorder("="))
    return orjson.dumps(native, option=orjson.OPT_SERIALIZE_NUMPY)


def numbers(block: np.ndarray[Any, Any]) -> list[bytes]:
    """Each entry of a block of numbers as csv.writer prints it: repr() of a float64, str() of the others.

    Args:
        block: ndarray of at least one entry.
    """
    flat = block.reshape(-1)
    if flat.dtype not in _PLAIN_DTYPES or flat.dtype.kind != "f":
        return [str(entry).encode("ascii") for entry in flat]
    odd = _odd(flat)
    native = np.where(odd, flat.dtype.type(0), flat).astype(flat.dtype.newbyteorder("="), copy=False)
    cells = orjson.dumps(native, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
    written = flat[odd].tolist() if flat.dtype.name == "float64" else flat[odd]
    for index, entry in zip(np.flatnonzero(odd).tolist(), written):
        cells[index] = str(entry).encode("ascii")
    return cells


def _odd(block: np.ndarray[Any, Any]) -> Any:
    """Where Python and orjson print an entry differently; the negation lets NaN be odd."""
    size, width = np.abs(block), block.dtype.itemsize
    return ~(((size >= _PLAIN_FROM) & (size < _PLAIN_TO[width])) | (size < _PLAIN_BELOW[width]) | (block == 0))
