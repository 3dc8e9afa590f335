"""application/x-npy: NumPy's own array format, without pickles."""

from __future__ import annotations

import io
import math
import re
from typing import Any

import numpy as np

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.codecs import texts
from sagemaker_sklearn_container.codecs.arrays import as_array
from sagemaker_sklearn_container.errors import DecodeError, EncodeError

MEDIA_TYPE = contract.NPY

# NumPy ships no types for this module.
_format: Any = np.lib.format
# Kinds of values that, alone in an object array, fit a dtype of fixed width.
_FIXED_WIDTH: Any = (str, (int, float, np.number, np.bool_))
_HEADER_READERS = {(1, 0): _format.read_array_header_1_0, (2, 0): _format.read_array_header_2_0}
# What numpy.save writes for plain arrays; all other headers go through NumPy's parser, which takes 30 times as long.
_PLAIN_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00(..)"
    rb"\{'descr': '([<>|][fiub][1248])', 'fortran_order': (False|True), 'shape': \(([0-9, ]{0,200})\), \} *\n",
    re.DOTALL,
)
_PREFIX_BYTES = 10
_LONGEST_PREFIX = 12  # of version 2.0
# Python's parser, which NumPy's uses, recurses on what it reads; newer NumPy has the same bound.
_LONGEST_HEADER = 10_000
_SHOWN_CHARACTERS = 200
_LAST_CODE_POINT = 0x10FFFF


def decode(body: texts.Body) -> np.ndarray[Any, Any]:
    """The array in `body`, shape and dtype kept.

    Args:
        body: What numpy.save writes, format version 1.0 or 2.0.

    Returns:
        Writable ndarray with memory of its own.

    Raises:
        DecodeError: not NPY, an object array (those hold pickles), or fewer bytes than the header promises; nothing is
            unpickled, and nothing is allocated before the length is checked (status 400).

    Source: contract C-05, C-07, C-08, S-43.
    """
    raw = texts.binary(body)
    try:
        shape, in_columns, dtype, start = _plain_header(raw) or _any_header(raw)
    except Exception as exc:  # NumPy's header parser lets many kinds of error through
        shown = str(exc)[:_SHOWN_CHARACTERS]
        raise DecodeError(f"Reading the {MEDIA_TYPE} body: {shown}. Send the bytes that numpy.save writes.") from None
    if dtype.hasobject:
        raise DecodeError(
            f"Reading the {MEDIA_TYPE} body: dtype {dtype} holds pickled objects; convert it to numbers or text."
        )
    promised, present = math.prod(shape) * dtype.itemsize, len(raw) - start
    # Without the last condition entries of no bytes could be promised in any number.
    if min(shape, default=0) < 0 or promised != present or (not dtype.itemsize and math.prod(shape) > len(raw)):
        raise DecodeError(
            f"Reading the {MEDIA_TYPE} body: its header promises {promised} bytes (shape {_shown(shape)}, dtype "
            f"{_shown(dtype)}), but {present} follow. Send the bytes that numpy.save writes, whole."
        )
    try:
        # A copy: what bytes hold cannot be written to.
        buffer = bytearray(memoryview(raw)[start:])
        array: np.ndarray[Any, Any] = np.ndarray(shape, dtype, buffer, order="F" if in_columns else "C")
    except (ValueError, TypeError, OverflowError) as exc:
        raise DecodeError(f"Reading the {MEDIA_TYPE} body: shape {_shown(shape)}: {exc}.") from None
    if dtype.kind == "U" and array.size and np.frombuffer(buffer, dtype.str[0] + "u4").max() > _LAST_CODE_POINT:
        raise DecodeError(f"Reading the {MEDIA_TYPE} body: its text holds numbers that are no Unicode characters.")
    return array


def _plain_header(raw: bytes | memoryview) -> tuple[tuple[int, ...], bool, np.dtype[Any], int] | None:
    """Shape, whether columns come first, dtype and length of a header without oddities."""
    match = _PLAIN_HEADER.match(raw)
    if match is None:
        return None
    length, descr, in_columns, numbers = match.groups()
    start = _PREFIX_BYTES + int.from_bytes(length, "little")
    sides = numbers.split(b",")
    if match.end() != start or (len(sides) == 1 and sides[0]):  # (3) is a number
        return None
    if not sides[-1].strip():
        sides.pop()
    try:
        return tuple(map(int, sides)), in_columns == b"True", np.dtype(descr.decode("ascii")), start
    except (ValueError, TypeError):
        return None


def _any_header(raw: bytes | memoryview) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    stream = io.BytesIO(raw[: _LONGEST_PREFIX + _LONGEST_HEADER])
    version = _format.read_magic(stream)
    if version not in _HEADER_READERS:
        raise ValueError(f"format version {version} is not 1.0 or 2.0")
    width = 2 if version == (1, 0) else 4
    length = int.from_bytes(raw[stream.tell() : stream.tell() + width], "little")
    if length > _LONGEST_HEADER:
        raise ValueError(f"the header has {length} bytes; at most {_LONGEST_HEADER} are read")
    shape, in_columns, dtype = _HEADER_READERS[version](stream)
    return shape, in_columns, dtype, stream.tell()


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."


def encode(prediction: Any) -> bytes:
    """`prediction` as numpy.save writes it; object arrays of text or numbers get a fixed-width dtype first.

    Raises:
        EncodeError: an object array has no fixed-width form (status 500).

    Source: contract C-06, C-23.
    """
    array = as_array(prediction)
    if array.dtype.hasobject:
        array = _fixed_width(array)
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()


def _fixed_width(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """An object array of text only, or of numbers only, with the dtype those have."""
    items = array.ravel().tolist()
    if any(all(isinstance(item, kind) for item in items) for kind in _FIXED_WIDTH):
        fixed: np.ndarray[Any, Any] = np.array(items).reshape(array.shape)
        if not fixed.dtype.hasobject:  # integers beyond 64 bits stay objects
            return fixed
    names = ", ".join(sorted({type(item).__name__ for item in items}))
    raise EncodeError(
        f"Writing the prediction as {MEDIA_TYPE}: an object array of {names} has no fixed-width dtype; return numbers "
        "or text only, or define output_fn."
    )
