"""text/csv: comma separated, double quotes, one row per line.

Numbers mean what Python's float() makes of them, on either of the two reading paths: the plain one splits text, the
careful one, for bodies with quotes and other oddities, goes through the csv module. pandas' C reader would be about
twice as fast on bodies of tens of megabytes, but it fills short rows silently, is not exactly rounded at that speed,
and costs a third of a second to import.
"""

from __future__ import annotations

import csv
import io
import math
import re
from typing import Any, Iterable, Sequence

import numpy as np

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.codecs.arrays import as_array
from sagemaker_sklearn_container.errors import DecodeError, EncodeError

MEDIA_TYPE = contract.CSV

# Rows converted at a time: bounds the memory that the cells take as Python strings.
_BLOCK_ROWS = 1024
_SHOWN_CHARACTERS = 40
# Quotes and NUL are the csv module's business; the underscore separates digits in Python, but in no CSV.
_ODD_CHARACTERS = re.compile('["\\0_]')


def decode(body: str | bytes) -> np.ndarray[Any, Any]:
    """The table in `body`.

    Args:
        body: UTF-8 text. Lines end in `\\n`, `\\r\\n` or `\\r`; the last end is optional; blank lines are skipped. An
            empty cell is NaN; a row of one empty cell is written `""`.

    Returns:
        float32 ndarray of shape (n_rows, n_columns); one line gives (1, n_columns), one value (1, 1).

    Raises:
        DecodeError: no rows, rows of unequal length, or a cell that is no number; names row and column, both from 1.

    Source: contract C-02, C-03, C-04, D-1.
    """
    text = body.decode("utf-8", errors="replace") if isinstance(body, bytes) else body
    text = text[1:] if text.startswith("\ufeff") else text
    return _decode_carefully(text) if _ODD_CHARACTERS.search(text) else _decode_plain(text)


def encode(prediction: Any) -> bytes:
    """`prediction` as CSV text: a 1-D array gives one value per line, a 2-D array one row per line.

    Returns:
        UTF-8 text with `\\n` line ends and a final one; float32 values in the fewest digits that tell them apart.

    Raises:
        EncodeError: the prediction has more than two dimensions.

    Source: contract C-22.
    """
    table = as_array(prediction)
    if table.ndim > 2:
        raise EncodeError(
            f"Writing the prediction as {MEDIA_TYPE}: shape {table.shape} has no rows and columns; use JSON or NPY."
        )
    if table.ndim < 2:
        table = table.reshape(-1, 1)
    if table.dtype == np.float64:
        return _joined(map(repr, row) for row in table.tolist())
    if table.dtype.kind in "biuf":
        return _joined(map(str, row) for row in table)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(table.tolist())
    return out.getvalue().encode("utf-8")


def _joined(rows: Iterable[Iterable[str]]) -> bytes:
    return "".join(",".join(row) + "\n" for row in rows).encode("utf-8")


def _decode_plain(text: str) -> np.ndarray[Any, Any]:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    if not lines:
        raise _no_rows()
    columns = lines[0].count(",") + 1
    for number, line in enumerate(lines, start=1):
        if line.count(",") + 1 != columns:
            raise _ragged(number, line.count(",") + 1, columns)
    table = np.empty((len(lines), columns), dtype=np.float32)
    for start in range(0, len(lines), _BLOCK_ROWS):
        block = lines[start : start + _BLOCK_ROWS]
        cells = ",".join(block).split(",")
        table[start : start + len(block)] = _numbers(cells, start, columns)
    return table


def _decode_carefully(text: str) -> np.ndarray[Any, Any]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [row for row in reader if row and not (len(row) == 1 and row[0].isspace())]
    except csv.Error as exc:
        raise DecodeError(f"Reading the {MEDIA_TYPE} body: line {reader.line_num}: {exc}.") from exc
    if not rows:
        raise _no_rows()
    columns = len(rows[0])
    for number, row in enumerate(rows, start=1):
        if len(row) != columns:
            raise _ragged(number, len(row), columns)
    return _checked_numbers([cell for row in rows for cell in row], 0, columns)


def _numbers(cells: Sequence[str], first_row: int, columns: int) -> np.ndarray[Any, Any]:
    """The cells of whole rows, in order and without underscores, as a float32 ndarray of shape (n_rows, columns)."""
    try:
        return np.fromiter(map(float, cells), np.float32, len(cells)).reshape(-1, columns)
    except ValueError:  # an empty cell or a bad one
        return _checked_numbers(cells, first_row, columns)


def _checked_numbers(cells: Sequence[str], first_row: int, columns: int) -> np.ndarray[Any, Any]:
    checked = (_number(cell, index, first_row, columns) for index, cell in enumerate(cells))
    return np.fromiter(checked, np.float32, len(cells)).reshape(-1, columns)


def _number(cell: str, index: int, first_row: int, columns: int) -> float:
    if not cell or cell.isspace():
        return math.nan
    try:
        if "_" in cell:
            raise ValueError(cell)
        return float(cell)
    except ValueError:
        row, column = divmod(index, columns)
        shown = cell if len(cell) <= _SHOWN_CHARACTERS else cell[:_SHOWN_CHARACTERS] + "..."
        raise DecodeError(
            f"Reading the {MEDIA_TYPE} body: row {first_row + row + 1}, column {column + 1} is {shown!r}; every cell "
            "must be a number or empty. Send rows without a header line, or define input_fn to read text."
        ) from None


def _no_rows() -> DecodeError:
    return DecodeError(
        f"Reading the {MEDIA_TYPE} body: it has no rows; send at least one line of comma separated numbers."
    )


def _ragged(row: int, seen: int, expected: int) -> DecodeError:
    return DecodeError(
        f"Reading the {MEDIA_TYPE} body: row {row} has {seen} columns (column {min(seen, expected) + 1} is "
        f"{'missing' if seen < expected else 'too many'}), but row 1 has {expected}; all rows must have as many."
    )
