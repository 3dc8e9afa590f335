"""application/json: numbers and nested lists of them."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import orjson

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.codecs import doubles, texts
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
_NARROWEST_INTEGER, _WIDEST = 4, 8  # bytes of the numbers that `texts` writes
_EXACT_BELOW = 2.0**53  # all integers up to here are doubles
_LONG_DIGITS = re.compile(rb"[0-9]{16}")  # as many digits has that number
_OPEN, _CLOSE = b"[]"
_COMMA = ord(",")
_WHITE_SPACE = b" \t\r\n"


def decode(body: str | bytes) -> np.ndarray[Any, Any]:
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


def decoded(raw: bytes, media_type: str, where: str = "") -> np.ndarray[Any, Any]:
    """As decode; the errors name `media_type` and `where` in the body the text is."""
    if len(raw) > _SMALL_BYTES:
        array = plain_nest(raw)
        if array is not None:
            return array
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
        if _LONG_DIGITS.search(raw) and array.size and np.abs(array).max() >= _EXACT_BELOW:
            integers = np.array(value)
            if integers.dtype.kind in "iu":  # rounded once, not by way of a double
                array = integers.astype(np.float32)
    except (ValueError, TypeError, OverflowError, RecursionError) as exc:
        raise DecodeError(
            f"Reading the {media_type} body: {where}{str(exc)[:_LONGEST_PART]}. It must be a number, or lists of "
            "numbers that are all of the same length, such as [[1, 2], [3, 4]]; define input_fn to read anything else."
        ) from None
    return array


def plain_nest(raw: bytes) -> np.ndarray[Any, Any] | None:
    """The array of a list of numbers, or of a list of equally long lists of numbers.

    Args:
        raw: Any bytes.

    Returns:
        float32 ndarray of shape (n,) or (n_rows, n_columns), nothing of it empty; None if the text is anything else, or
        its white space is unusual.
    """
    text = raw.strip(_WHITE_SPACE)
    if not (text.startswith(b"[") and text.endswith(b"]")):
        return None
    inner = text[1:-1].strip(_WHITE_SPACE)
    if not inner.startswith(b"["):
        return None if b"[" in inner else _flat(inner)
    first_end = inner.find(b"]")
    if first_end == len(inner) - 1:
        row = inner[1:-1]
        flat = None if b"[" in row else _flat(row)
        return None if flat is None else flat.reshape(1, -1)
    return _rows(inner, inner.count(b",", 0, first_end) + 1)


def _flat(numbers: bytes) -> np.ndarray[Any, Any] | None:
    """The numbers of a comma separated text without brackets, shape (n,)."""
    parts: list[np.ndarray[Any, Any]] = []
    start, end = 0, len(numbers)
    while start <= end:
        reach = start + doubles.PIECE_BYTES
        stop = numbers.rfind(b",", start, reach) if reach < end else end
        part = doubles.parse(b"[" + numbers[start:stop] + b"]") if stop >= 0 else None
        if part is None or _may_round_twice(part):
            return None
        parts.append(part.astype(np.float32))
        start = stop + 1
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _rows(rows: bytes, columns: int) -> np.ndarray[Any, Any] | None:
    """The table of a comma separated text of lists, each of which should have as many `columns`."""
    unit = np.frombuffer(b"[" + b"," * (columns - 1) + b"],", np.uint8)
    parts: list[np.ndarray[Any, Any]] = []
    start, end = 0, len(rows)
    while start < end:
        reach = start + doubles.PIECE_BYTES
        # The comma between two lists follows the bracket; white space before it is unusual.
        stop = end
        if reach < end:
            stop = rows.rfind(b"],", start, reach) + 1 or rows.find(b"],", reach) + 1 or end
        piece = rows[start:stop]
        part = doubles.parse(b"[" + piece + b"]")
        if part is None or len(part) % columns or _may_round_twice(part):
            return None
        # The parser has made sure of order and nesting; so the punctuation alone tells the shape.
        characters = np.frombuffer(piece + b",", np.uint8)
        marks = characters.take(np.flatnonzero((characters == _COMMA) | (characters >= _OPEN)))
        if len(marks) != len(part) // columns * len(unit):
            marks = marks[marks <= _CLOSE]  # without the e of exponents
        if len(marks) != len(part) // columns * len(unit) or (marks.reshape(-1, len(unit)) != unit).any():
            return None
        parts.append(part.astype(np.float32))
        start = stop + 1
    flat = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return flat.reshape(-1, columns)


def _may_round_twice(part: np.ndarray[Any, Any]) -> bool:
    return bool(part.max() >= _EXACT_BELOW or part.min() <= -_EXACT_BELOW)


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
    if isinstance(prediction, np.ndarray) and prediction.size > _SMALL_ENTRIES:
        text = _encoded_array(prediction)
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
    return b"[" + b", ".join(_odd_rows(widened)) + b"]" if plain is None else plain.replace(b",", b", ")


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
