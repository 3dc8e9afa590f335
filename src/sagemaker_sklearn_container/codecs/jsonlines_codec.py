"""application/jsonlines: one JSON value, a row, per line."""

from __future__ import annotations

from typing import Any

import numpy as np

from sagemaker_sklearn_container.codecs import json_codec, pieces, texts
from sagemaker_sklearn_container.codecs.arrays import as_array
from sagemaker_sklearn_container.codecs.cells import Cells
from sagemaker_sklearn_container.errors import DecodeError

MEDIA_TYPE = "application/jsonlines"

_WHITE_SPACE = b" \t\r\n"
_NEWLINE, _OPEN, _CLOSE = b"\n[]"


def decode(body: texts.Body) -> np.ndarray[Any, Any]:
    """The rows in `body`.

    Args:
        body: UTF-8 text; each line is a list of numbers, or a number. Blank lines are skipped.

    Returns:
        float32 ndarray of shape (n_rows, n_columns); lines of one number each give (n_rows, 1).

    Raises:
        DecodeError: no lines, or a line that is no row like the first; names the line, from 1 (status 400).

    Source: contract C-09, B-05.
    """
    raw = texts.utf8(body, MEDIA_TYPE)
    table = _plain_rows(raw)
    return _decode_by_line(bytes(raw)) if table is None else table


def _plain_rows(raw: bytes | memoryview) -> np.ndarray[Any, Any] | None:
    """The table if each line is a list of as many numbers, and nothing else; otherwise None."""
    cells, start = Cells(), 0
    row: tuple[int, ...] = ()
    while start < len(raw):
        piece = pieces.piece(raw, start, b"\n")
        start += len(piece)
        lines = piece.strip(_WHITE_SPACE)
        part = json_codec.short_nest(b"[" + lines.replace(b"\n", b",") + b"]")
        if part is None or part.ndim != 2 or (cells.count and part.shape[1:] != row):
            return None
        # One row per line, if every line end is between two brackets and there are as many rows as lines.
        characters = np.frombuffer(lines, np.uint8)
        ends = np.flatnonzero(characters == _NEWLINE)
        around = characters[ends - 1], characters[ends + 1]
        if len(part) != len(ends) + 1 or (around[0] != _CLOSE).any() or (around[1] != _OPEN).any():
            return None
        row = part.shape[1:]
        cells.add(part, start / len(raw))
    return cells.table(*row) if cells.count else None


def _decode_by_line(raw: bytes) -> np.ndarray[Any, Any]:
    rows: list[np.ndarray[Any, Any]] = []
    start, number = 0, 0
    while start < len(raw):
        end = raw.find(b"\n", start)
        end = len(raw) if end < 0 else end
        line, start, number = raw[start:end].strip(_WHITE_SPACE), end + 1, number + 1
        if not line:
            continue
        row = json_codec.decoded(line, MEDIA_TYPE, f"line {number}: ")
        if row.ndim > 1:
            raise DecodeError(
                f"Reading the {MEDIA_TYPE} body: line {number}: it holds an array of shape {row.shape}; a line must be "
                "a list of numbers, or a number."
            )
        if rows and row.shape != rows[0].shape:
            raise DecodeError(
                f"Reading the {MEDIA_TYPE} body: line {number}: it holds an array of shape {row.shape}, but the first "
                f"line one of shape {rows[0].shape}; all lines must have as many numbers."
            )
        rows.append(row)
    if not rows:
        raise DecodeError(f"Reading the {MEDIA_TYPE} body: it has no lines; send a list of numbers per line.")
    table: np.ndarray[Any, Any] = np.stack(rows).reshape(len(rows), rows[0].size)
    return table


def encode(prediction: Any) -> bytes:
    """`prediction` with one JSON value per line: of a 1-D array each number, of a 2-D array each row.

    Returns:
        ASCII text with `\\n` line ends and a final one; NaN and infinities are null. What has no rows (a number, a
        dict) is one line.

    Raises:
        EncodeError: something in the prediction has no JSON form (status 500).

    Source: contract C-09, C-21, B-05.
    """
    if isinstance(prediction, dict) or not (hasattr(prediction, "__len__") or hasattr(prediction, "toarray")):
        return json_codec.encode(prediction) + b"\n"
    if isinstance(prediction, (list, tuple)):
        return b"".join(json_codec.encode(row) + b"\n" for row in prediction)
    array = as_array(prediction)
    if not array.ndim:
        return json_codec.encode(array) + b"\n"
    rows = json_codec.encode_rows(array)
    if rows is None:
        rows = [json_codec.encode(row) for row in array.tolist()]
    return b"".join(row + b"\n" for row in rows)
