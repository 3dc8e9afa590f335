"""application/json: numbers and nested lists of them."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import orjson

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.codecs import doubles, pieces, plain_tables, texts
from sagemaker_sklearn_container.codecs.cells import Cells
from sagemaker_sklearn_container.errors import DecodeError, EncodeError

MEDIA_TYPE = contract.JSON

# The only key of the object that may wrap the rows.
_INSTANCES = "instances"
# Shorter bodies are read faster with an object per number.
_SMALL_BYTES = 512
_SMALL_ENTRIES = 16  # and as small arrays written
# Bodies beyond this size have their Python objects counted before they are made.
_UNCOUNTED_BYTES = 2**20
_OBJECT_BYTES = {b",": 32, b"[": 64, b"{": 240}
_MOST_OBJECT_BYTES = 2**30
_LONGEST_PART = 200
_LONGEST_TAIL = 64  # brackets and white space behind a long row
_NARROWEST_INTEGER, _WIDEST = 4, 8  # bytes of the numbers that `texts` writes
_EXACT_BELOW = 2.0**53  # all integers up to here are doubles
_LONG_DIGITS = b"0" * 16  # as many digits has that number
_ALL_ZERO = bytes.maketrans(b"123456789", b"0" * 9)
_WHITE_SPACE = b" \t\r\n"


def decode(body: texts.Body) -> np.ndarray[Any, Any]:
    """The number or nest of lists in `body`.

    Args:
        body: JSON text. Strings that read as numbers are numbers; null is NaN. An object with the only key
            `instances` stands for its value.

    Returns:
        float32 ndarray of the shape of the nest: `[[1, 2]]` gives (1, 2), `[1, 2]` gives (2,), `7` gives ().

    Raises:
        DecodeError: the body is no JSON, or not a regular nest of numbers (status 400).

    Source: contract C-01, C-09, C-26.
    """
    raw = texts.utf8(body, MEDIA_TYPE)
    return decoded(raw, MEDIA_TYPE)


def decoded(raw: bytes | memoryview, media_type: str, where: str = "") -> np.ndarray[Any, Any]:
    """As decode; the errors name `media_type` and `where` in the body the text is."""
    if len(raw) > _SMALL_BYTES:
        array = plain_nest(raw)
        if array is not None:
            return array
    raw = bytes(raw)
    try:
        value = _value(raw)
    except (ValueError, RecursionError) as exc:
        raise DecodeError(
            f"Reading the {media_type} body: {where}it is no valid JSON: {str(exc)[:_LONGEST_PART]}. Send UTF-8 text "
            "such as [[1, 2], [3, 4]]."
        ) from None
    if isinstance(value, dict) and list(value) == [_INSTANCES]:
        value = value[_INSTANCES]
    try:
        array = np.array(value, dtype=np.float32)
        # Asking for digits is the faster question to a short text, but makes a copy.
        may_be_long = len(raw) > _SMALL_BYTES or _LONG_DIGITS in raw.translate(_ALL_ZERO)
        if may_be_long and array.size and np.abs(array).max() >= _EXACT_BELOW:
            integers = np.array(value)
            if integers.dtype.kind in "iu":  # rounded once, not by way of a double
                array = integers.astype(np.float32)
    except (ValueError, TypeError, OverflowError, RecursionError) as exc:
        raise DecodeError(
            f"Reading the {media_type} body: {where}{str(exc)[:_LONGEST_PART]}. It must be a number, or lists of "
            "numbers that are all of the same length, such as [[1, 2], [3, 4]]; define input_fn to read anything else."
        ) from None
    return array


def plain_nest(raw: bytes | memoryview) -> np.ndarray[Any, Any] | None:
    """The array of a list of numbers, or of a list of equally long lists of numbers.

    Args:
        raw: Any bytes.

    Returns:
        float32 ndarray of shape (n,) or (n_rows, n_columns), nothing of it empty; None if the text is anything else, or
        the white space in a long one is unusual.
    """
    if len(raw) <= doubles.PIECE_BYTES:
        return short_nest(bytes(raw))
    plain = plain_tables.json_numbers(raw)
    if plain is not None:
        return plain
    head = bytes(raw[: doubles.PIECE_BYTES])
    row_start = head.find(b"[", head.find(b"[") + 1)
    if row_start < 0:
        return _long_nest(raw, b",")
    if b"]," not in head:
        # Perhaps one long row. Here only what is around it is looked at; it must be a plain list itself.
        tail_start = max(0, len(raw) - _LONGEST_TAIL)
        tail = bytes(raw[tail_start:]).rstrip(_WHITE_SPACE)
        row_end = tail_start + len(tail[:-1].rstrip(_WHITE_SPACE))
        if tail.endswith(b"]") and head[:row_start].strip(_WHITE_SPACE) == b"[":
            row = _long_nest(memoryview(raw)[row_start:row_end], b",")
            if row is not None and row.ndim == 1:
                return row.reshape(1, -1)
    return _long_nest(raw, b"],")


def short_nest(text: bytes) -> np.ndarray[Any, Any] | None:
    """As plain_nest, with white space wherever JSON has it; may hold the interpreter's lock."""
    plain = plain_tables.json_numbers(text) if text else None
    if plain is not None:
        return plain
    text = text.strip(_WHITE_SPACE)
    numbers = doubles.parse(text) if text.find(b"[", 1) < 0 else doubles.parse_table(text)
    if numbers is None or numbers.max() >= _EXACT_BELOW or numbers.min() <= -_EXACT_BELOW:  # may be rounded twice
        return None
    return numbers.astype(np.float32)


def _long_nest(raw: bytes | memoryview, end: bytes) -> np.ndarray[Any, Any] | None:
    """As plain_nest; `end` is what pieces of the outer list end behind, the last of it the comma between elements."""
    cells, start = Cells(), 0
    row: tuple[int, ...] = ()
    while start < len(raw):
        piece = pieces.piece(raw, start, end)
        opening, start = b"[" if start else b"", start + len(piece)
        is_last = start == len(raw)
        part = short_nest(opening + piece if is_last else b"".join((opening, memoryview(piece)[:-1], b"]")))
        if part is None or (cells.count and part.shape[1:] != row):
            return None
        row = part.shape[1:]
        cells.add(part, start / len(raw))
    return cells.table(*row)


def _value(raw: bytes) -> Any:
    if len(raw) > _UNCOUNTED_BYTES:
        needed = sum(raw.count(mark) * size for mark, size in _OBJECT_BYTES.items())
        if needed > _MOST_OBJECT_BYTES:
            raise ValueError(
                f"the values would take about {needed >> 20} MiB, more than {_MOST_OBJECT_BYTES >> 20}; send plain "
                "lists of numbers, or fewer rows per request"
            )
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:  # or what only Python reads: NaN, integers beyond 64 bits, UTF-16
        return json.loads(raw)


def encode(prediction: Any) -> bytes:
    """`prediction` as JSON text; arrays anywhere in it become lists, NaN and infinities become null.

    Returns:
        ASCII text as json.dumps writes it.

    Raises:
        EncodeError: something in the prediction has no JSON form (status 500).

    Source: contract C-20, C-21, C-26.
    """
    if isinstance(prediction, np.ndarray):
        text = _encoded_array(prediction) if prediction.size > _SMALL_ENTRIES else _encoded_small(prediction)
        if text is not None:
            return text
    try:
        plain = _plain(prediction) if hasattr(prediction, "toarray") or hasattr(prediction, "tolist") else prediction
        try:
            text = json.dumps(plain, default=_plain, allow_nan=False).encode("ascii")
        except ValueError:
            text = json.dumps(_without_nan(plain), allow_nan=False).encode("ascii")
    except (TypeError, ValueError, RecursionError) as exc:
        raise EncodeError(
            f"Writing the prediction ({type(prediction).__name__}) as {MEDIA_TYPE}: {exc}. Return arrays, lists, "
            "dicts, numbers and strings, or define output_fn."
        ) from exc
    return text


def encode_rows(array: np.ndarray[Any, Any]) -> list[bytes] | None:
    """The JSON text of each row of an array of numbers with one or two dimensions; None for all other arrays."""
    widened = _widened(array)
    if widened is None:
        return None
    plain = texts.plain_numbers(widened)
    if plain is None:
        return _odd_rows(widened)
    if widened.ndim == 1:
        return plain[1:-1].split(b",")
    return [b"[" + row + b"]" for row in plain[2:-2].replace(b",", b", ").split(b"], [")]


def _encoded_array(array: np.ndarray[Any, Any]) -> bytes | None:
    widened = _widened(array)
    if widened is None:
        return None
    plain = texts.plain_numbers(widened)
    return b"[" + b", ".join(_odd_rows(widened)) + b"]" if plain is None else plain_tables.spaced(plain)


def _encoded_small(array: np.ndarray[Any, Any]) -> bytes | None:
    """The text of a few numbers, which lists print as json.dumps does, but for NaN and infinities."""
    if array.dtype.kind not in "fiu" or array.dtype.itemsize > _WIDEST:
        return None
    text = repr(array.tolist())
    return None if "n" in text else text.encode("ascii")


def _widened(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
    """The numbers as tolist() makes them, float64 or integers; None if the array is no non-empty table of numbers."""
    if array.ndim not in (1, 2) or not array.size or array.dtype.kind not in "fiu" or array.dtype.itemsize > _WIDEST:
        return None
    if array.dtype.kind == "f":
        return array.astype(np.float64, copy=False)
    return array.astype(np.int64) if array.dtype.itemsize < _NARROWEST_INTEGER else array


def _odd_rows(array: np.ndarray[Any, Any]) -> list[bytes]:
    cells = texts.numbers(array)
    if array.dtype.kind == "f":
        for index in np.flatnonzero(~np.isfinite(array)).tolist():
            cells[index] = b"null"
    if array.ndim == 1:
        return cells
    columns = array.shape[1]
    return [b"[" + b", ".join(cells[at : at + columns]) + b"]" for at in range(0, len(cells), columns)]


def _plain(value: Any) -> Any:
    if hasattr(value, "toarray"):
        value = value.toarray()
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "to_numpy"):  # pandas DataFrame
        return value.to_numpy().tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (str, int)) or value is None:
        return value
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return _without_nan(_plain(value))
