"""text/csv: comma separated, double quotes, one row per line.

Numbers mean what Python's float() makes of them, on each of the four reading paths: tables of plain numbers are read by
`plain_tables`; with other numbers they go to `doubles` in pieces; pieces with anything else in them are split by
Python; bodies with quotes go through the csv module. README.md beside this file has the measurements.
"""

from __future__ import annotations

import csv
import io
import math
from typing import Any, Iterator, Sequence

import numpy as np

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.codecs import doubles, pieces, plain_tables, texts
from sagemaker_sklearn_container.codecs.arrays import as_array
from sagemaker_sklearn_container.codecs.cells import Cells
from sagemaker_sklearn_container.errors import DecodeError, EncodeError

MEDIA_TYPE = contract.CSV

_BOM = b"\xef\xbb\xbf"
# Numbers, since Python finds those faster than bytes.
_COMMA, _NEWLINE, _RETURN, _QUOTE, _ZERO, _OPEN = b',\n\r"\0['
# Stands for a line end in what simdjson reads: short, read fast, and in hardly any table.
_ROW_END, _ROW_END_NUMBER = b",9e22,", 9e22
# One row of this length is read as fast without the compiled reader.
_SMALL_BYTES = 512
_FINAL_LINE_ENDS = 16  # as many are cut off for speed; those beyond are blank lines like others
# What one row with quotes may take: the csv module holds it as Python strings, some 60 bytes per cell.
_LONGEST_QUOTED_ROW = 16 * 2**20
_BLOCK_CELLS = 16 * 1024
_SMALL_ENTRIES = 16  # so many numbers are printed faster one by one


def decode(body: texts.Body) -> np.ndarray[Any, Any]:
    """The table in `body`.

    Args:
        body: UTF-8 text. Lines end in `\\n`, `\\r\\n` or `\\r`; the last end is optional; blank lines are skipped. An
            empty cell is NaN; a row of one empty cell is written `""`.

    Returns:
        float32 ndarray of shape (n_rows, n_columns); one line gives (1, n_columns), one value (1, 1).

    Raises:
        DecodeError: no rows, rows of unequal length, a cell that is no number, or bytes that are no UTF-8; names row
            and column, both from 1 (status 400).

    Source: contract C-02, C-03, C-04, C-26, D-1.
    """
    raw = texts.utf8(body, MEDIA_TYPE)
    if len(raw) > _SMALL_BYTES:
        plain = plain_tables.csv_table(raw)
        if plain is not None:
            return plain
    if len(raw) <= doubles.PIECE_BYTES:
        raw = bytes(raw)
        row = raw.strip(b"\r\n")
        if _NEWLINE not in row and _RETURN not in row and _OPEN not in row:
            numbers = doubles.parse(b"[" + row + b"]")
            if numbers is not None:
                return numbers.astype(np.float32)[np.newaxis]
    view = memoryview(raw)
    if view[: len(_BOM)] == _BOM:
        view = view[len(_BOM) :]
    table = _Reader(view).table()
    return _decode_quoted(view) if table is None else table


def encode(prediction: Any) -> bytes:
    """`prediction` as CSV text: a 1-D array gives one value per line, a 2-D array one row per line.

    A sparse matrix is written as the dense table that it stands for, a block of rows at a time.

    Returns:
        UTF-8 text with `\\n` line ends and a final one; floats as Python and NumPy print them, in the fewest digits
        that tell them apart.

    Raises:
        EncodeError: the prediction has more than two dimensions, or a cell is a sparse matrix.

    Source: contract C-22, C-26.
    """
    if hasattr(prediction, "tocsr"):
        return b"".join(map(encode, _dense_blocks(prediction.tocsr())))
    table = as_array(prediction)
    if table.ndim > 2:
        raise EncodeError(
            f"Writing the prediction as {MEDIA_TYPE}: shape {table.shape} has no rows and columns; use JSON or NPY."
        )
    if table.ndim < 2:
        table = table.reshape(-1, 1)
    if table.size > _SMALL_ENTRIES and table.dtype.kind in "biuf":
        return b"".join(_encoded_blocks(table))
    if table.dtype.kind in "biuf":
        rows = table.tolist() if table.dtype == np.float64 else table
        return "".join(",".join(map(str, row)) + "\n" for row in rows).encode("ascii")
    if any(hasattr(kind, "tocsr") for kind in set(map(type, table.flat))):
        # NumPy makes it of a dense column beside a sparse matrix of one row; as text it would pass for a value.
        raise EncodeError(
            f"Writing the prediction as {MEDIA_TYPE}: a cell is a sparse matrix; make it dense with .toarray() before "
            "it is put beside other columns."
        )
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(table.tolist())
    return out.getvalue().encode("utf-8")


def _dense_blocks(matrix: Any) -> Iterator[np.ndarray[Any, Any]]:
    step = max(1, _BLOCK_CELLS // max(1, matrix.shape[1]))
    return (matrix[start : start + step].toarray() for start in range(0, matrix.shape[0], step))


def _encoded_blocks(table: np.ndarray[Any, Any]) -> Iterator[bytes]:
    columns = table.shape[1]
    step = max(1, _BLOCK_CELLS // columns)
    for start in range(0, len(table), step):
        block = table[start : start + step]
        plain = texts.plain_numbers(block)
        if plain is not None:
            yield plain[2:-2].replace(b"],[", b"\n") + b"\n"
            continue
        cells = texts.numbers(block)
        yield b"".join(b",".join(cells[at : at + columns]) + b"\n" for at in range(0, len(cells), columns))


class _Reader:
    """Reads a body without quotes piece by piece, so that all scratch memory has the size of a piece.

    A piece ends behind a line end, or behind a comma where a row is longer than a piece.
    """

    def __init__(self, raw: memoryview) -> None:
        tail = bytes(raw[-_FINAL_LINE_ENDS:])
        self._raw = raw[: len(raw) - len(tail) + len(tail.rstrip(b"\r\n"))]
        self._columns = 0  # 0 until the first row has ended
        self._rows = 0  # that have ended
        self._open_cells = 0  # of a row that began in an earlier piece

    def table(self) -> np.ndarray[Any, Any] | None:
        """The table; None if it has quotes, or zero bytes, which the csv module tells from those in quotes."""
        start, end, cells = 0, len(self._raw), Cells()
        while start < end:
            piece = pieces.piece(self._raw, start, b"\n", b",")
            if _QUOTE in piece or _ZERO in piece:
                return None
            stop = start + len(piece)
            if stop == end:
                piece += b"\n"
            numbers = self._plain_numbers(_with_newlines(piece) if _has_lone_returns(piece) else piece)
            if numbers is None:
                numbers = self._any_numbers(piece, start)
            cells.add(numbers, stop / end)
            start = stop
        if not cells.count:
            raise _no_rows()
        return cells.table(self._columns)

    def _plain_numbers(self, piece: bytes) -> np.ndarray[Any, Any] | None:
        """The numbers of the piece, float32, if all are plain and the rows as long as they should be, else None."""
        if _OPEN in piece:
            return None
        is_one_column = _COMMA not in piece and self._columns < 2 and not self._open_cells
        marked = piece.replace(b"\n", b"," if is_one_column else _ROW_END)
        numbers = doubles.parse(b"".join((b"[", memoryview(marked)[:-1], b"]")))
        if numbers is None:
            return None
        if is_one_column:
            self._columns = 1
            self._rows += len(numbers)
            return numbers.astype(np.float32)
        # As many of these as there are newlines, so all of them are row ends.
        is_end = numbers == _ROW_END_NUMBER
        ends = np.flatnonzero(is_end)
        if len(ends) * (len(_ROW_END) - 1) != len(marked) - len(piece):
            return None
        columns, was_open = self._columns, self._open_cells
        if len(ends):
            columns = columns or was_open + int(ends[0])
            self._open_cells = len(numbers) - int(ends[-1]) - 1
        else:
            self._open_cells += len(numbers)
        if columns and not np.array_equal(ends, np.arange(columns - was_open, len(numbers), columns + 1)):
            self._open_cells = was_open
            return None
        self._columns = columns
        self._rows += len(ends)
        if was_open or self._open_cells:
            cells: np.ndarray[Any, Any] = numbers[~is_end].astype(np.float32)
            return cells
        table: np.ndarray[Any, Any] = numbers.reshape(-1, columns + 1)[:, :-1].astype(np.float32)
        return table.reshape(-1)

    def _any_numbers(self, piece: bytes, at: int) -> np.ndarray[Any, Any]:
        """The numbers of any piece, float32; `at` is where it begins in the body."""
        try:
            text = piece.decode("utf-8")
        except UnicodeDecodeError as exc:
            before = _with_newlines(piece[: exc.start])
            row = self._rows + 1 + before.count(b"\n")
            column = before.count(b",", before.rfind(b"\n") + 1) + 1 + (0 if b"\n" in before else self._open_cells)
            raise DecodeError(
                f"Reading the {MEDIA_TYPE} body: byte {at + exc.start} (row {row}, column {column}) is "
                f"0x{piece[exc.start]:02x}, which is no UTF-8 here; send numbers as UTF-8 text."
            ) from None
        first_row, first_column = self._rows + 1, self._open_cells
        cells: list[str] = []
        *lines, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for line in lines:
            blank = not self._open_cells and (not line or line.isspace())
            if not blank:
                row_cells = line.split(",")
                seen = self._open_cells + len(row_cells)
                if self._columns and seen != self._columns:
                    _numbers(cells, first_row, first_column, self._columns)  # an error of an earlier row comes first
                    raise _ragged(self._rows + 1, seen, self._columns)
                self._columns, self._open_cells = seen, 0
                self._rows += 1
                cells += row_cells
        if rest:  # ends in a comma: the row goes on
            row_cells = rest.split(",")[:-1]
            self._open_cells += len(row_cells)
            cells += row_cells
            if self._columns and self._open_cells >= self._columns:
                seen = self._open_cells + self._cells_to_row_end(at + len(piece))
                raise _ragged(self._rows + 1, seen, self._columns)
        return _numbers(cells, first_row, first_column, self._columns)

    def _cells_to_row_end(self, start: int) -> int:
        cells = 1
        while start < len(self._raw):
            piece = bytes(self._raw[start : start + doubles.PIECE_BYTES])
            row = _with_newlines(piece).partition(b"\n")[0]
            cells += row.count(b",")
            if len(row) < len(piece):
                break
            start += len(piece)
        return cells


def _with_newlines(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _has_lone_returns(piece: bytes) -> bool:
    """Whether some `\\r`, none of which may be the last byte, ends a row alone; before `\\n` it is white space."""
    if _RETURN not in piece:
        return False
    characters = np.frombuffer(piece, np.uint8)
    return bool((characters[np.flatnonzero(characters == _RETURN) + 1] != _NEWLINE).any())


def _decode_quoted(raw: bytes | memoryview) -> np.ndarray[Any, Any]:
    characters = 0  # of the row that is being read

    def lines() -> Iterator[str]:
        nonlocal characters
        for line in io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8", newline=""):
            characters += len(line)
            if characters > _LONGEST_QUOTED_ROW:
                raise DecodeError(
                    f"Reading the {MEDIA_TYPE} body: line {reader.line_num + 1}: a row with quotes is longer than "
                    f"{_LONGEST_QUOTED_ROW} characters; send numbers without quotes."
                )
            yield line

    blocks: list[np.ndarray[Any, Any]] = []
    cells: list[str] = []
    rows = block_row = columns = 0
    reader = csv.reader(lines(), strict=True)
    try:
        for row in reader:
            characters = 0
            if not row or (len(row) == 1 and row[0].isspace()):
                continue
            columns = columns or len(row)
            if len(row) != columns:
                _numbers(cells, block_row + 1, 0, columns)  # an error of an earlier row comes first
                raise _ragged(rows + 1, len(row), columns)
            rows += 1
            cells += row
            if len(cells) >= _BLOCK_CELLS:
                blocks.append(_numbers(cells, block_row + 1, 0, columns))
                cells, block_row = [], rows
    except csv.Error as exc:
        raise DecodeError(f"Reading the {MEDIA_TYPE} body: line {reader.line_num}: {exc}.") from exc
    except UnicodeDecodeError as exc:
        raise DecodeError(
            f"Reading the {MEDIA_TYPE} body: behind line {reader.line_num}, byte 0x{exc.object[exc.start]:02x} is no "
            "UTF-8; send numbers as UTF-8 text."
        ) from None
    if not rows:
        raise _no_rows()
    blocks.append(_numbers(cells, block_row + 1, 0, columns))
    table: np.ndarray[Any, Any] = np.concatenate(blocks).reshape(-1, columns)
    return table


def _numbers(cells: Sequence[str], first_row: int, first_column: int, columns: int) -> np.ndarray[Any, Any]:
    """The cells as a float32 ndarray of shape (len(cells),).

    Args:
        cells: In order.
        first_row: Number of the first cell's row, from 1.
        first_column: Number of the first cell's column, from 0.
        columns: Cells per row; 0 if all are of one row.
    """
    count = len(cells)
    if "_" not in ",".join(cells):  # separates digits in Python, but in no CSV
        candidates = [cell or "nan" for cell in cells] if "" in cells else cells
        try:
            return np.fromiter(map(float, candidates), np.float32, count)
        except ValueError:  # a cell of white space or a bad one
            pass
    checked = (_number(cell, index + first_column, first_row, columns) for index, cell in enumerate(cells))
    return np.fromiter(checked, np.float32, count)


def _number(cell: str, index: int, first_row: int, columns: int) -> float:
    if not cell or cell.isspace():
        return math.nan
    try:
        if "_" in cell:
            raise ValueError(cell)
        return float(cell)
    except ValueError:
        row, column = divmod(index, columns) if columns else (0, index)
        raise DecodeError(
            f"Reading the {MEDIA_TYPE} body: row {first_row + row}, column {column + 1} is {texts.shortened(cell)}; "
            "every cell must be a number or empty. Send rows without a header line, or define input_fn to read text."
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
