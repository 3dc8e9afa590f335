"""application/x-npy: NumPy's own array format, without pickles."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.codecs.arrays import as_array
from sagemaker_sklearn_container.errors import DecodeError, EncodeError

MEDIA_TYPE = contract.NPY

# NumPy ships no types for this module.
_format: Any = np.lib.format
# Kinds of values that, alone in an object array, fit a dtype of fixed width.
_FIXED_WIDTH: Any = (str, (int, float, np.number, np.bool_))
_HEADER_READERS = {(1, 0): _format.read_array_header_1_0, (2, 0): _format.read_array_header_2_0}


def decode(body: str | bytes) -> np.ndarray[Any, Any]:
    """The array in `body`, shape and dtype kept.

    Args:
        body: What numpy.save writes, format version 1.0 or 2.0.

    Returns:
        Writable ndarray.

    Raises:
        DecodeError: not NPY, an object array (those hold pickles), or fewer bytes than the header promises; nothing is
            unpickled, and nothing is allocated before the length is checked.

    Source: contract C-05, C-07, C-08.
    """
    raw = body.encode("latin-1", errors="replace") if isinstance(body, str) else body
    stream = io.BytesIO(raw)
    try:
        version = _format.read_magic(stream)
        if version not in _HEADER_READERS:
            raise ValueError(f"format version {version} is not 1.0 or 2.0")
        shape, _, dtype = _HEADER_READERS[version](stream)
    except Exception as exc:  # NumPy's header parser lets many kinds of error through
        raise DecodeError(f"Reading the {MEDIA_TYPE} body: {exc}. Send the bytes that numpy.save writes.") from exc
    if dtype.hasobject:
        raise DecodeError(
            f"Reading the {MEDIA_TYPE} body: dtype {dtype} holds pickled objects; convert it to numbers or text."
        )
    promised, present = math.prod(shape) * dtype.itemsize, len(raw) - stream.tell()
    if min(shape, default=0) < 0 or promised != present:
        raise DecodeError(
            f"Reading the {MEDIA_TYPE} body: its header promises {promised} bytes (shape {shape}, dtype {dtype}), but "
            f"{present} follow. Send the bytes that numpy.save writes, whole."
        )
    stream.seek(0)
    try:
        array: np.ndarray[Any, Any] = _format.read_array(stream, allow_pickle=False)
    except ValueError as exc:
        raise DecodeError(f"Reading the {MEDIA_TYPE} body: {exc}.") from exc
    return array


def encode(prediction: Any) -> bytes:
    """`prediction` as numpy.save writes it; object arrays of text or numbers get a fixed-width dtype first.

    Raises:
        EncodeError: an object array has no fixed-width form.

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
