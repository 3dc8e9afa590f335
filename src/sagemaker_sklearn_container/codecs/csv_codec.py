"""text/csv: comma separated, double quotes, one row per line.

Numbers mean what Python's float() makes of them, on each of the three reading paths: plain numbers go to `doubles` in
pieces; pieces with anything else in them are split by Python; bodies with quotes go through the csv module. README.md
beside this file has the measurements.
"""

from __future__ import annotations

import csv
import io
import math
from typing import Any, Iterator, Sequence

import numpy as np

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.codecs import doubles, texts
from sagemaker_sklearn_container.codecs.arrays import as_array
from sagemaker_sklearn_container.errors import DecodeError, EncodeError

MEDIA_TYPE = contract.CSV

_BOM = b"\xef\xbb\xbf"
_COMMA, _NEWLINE = b",\n"
# All separators are below it, and of what numbers consist of only the plus sign is.
_ABOVE_SEPARATORS = ord("-")
_FINAL_LINE_ENDS = 16  # as many are cut off for speed; those beyond are blank lines like others
# What one row with quotes may take: the csv module holds it as Python strings, some 60 bytes per cell.
_LONGEST_QUOTED_ROW = 16 * 2**20
_BLOCK_CELLS = 16 * 1024
_SMALL_ENTRIES = 16  # so many numbers are printed faster one by one


def decode(body: str | bytes) -> np.ndarray[Any, Any]:
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
    if len(raw) < doubles.PIECE_BYTES:
        row = raw.strip(b"\r\n")
        if b"\n" not in row and b"[" not in row and b"\r" not in row:
            numbers = doubles.parse(b"[" + row + b"]")
            if numbers is not None:
                return numbers.astype(np.float32).reshape(1, -1)
    if raw.startswith(_BOM):
        raw = raw[len(_BOM) :]
    if b'"' in raw or b"\0" in raw:
        return _decode_quoted(raw)
    if b"\r" in raw and raw.count(b"\r") != raw.count(b"\r\n"):
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return _Reader(raw).table()


def encode(prediction: Any) -> bytes:
    """`prediction` as CSV text: a 1-D array gives one value per line, a 2-D array one row per line.

    Returns:
        UTF-8 text with `\\n` line ends and a final one; floats as Python and NumPy print them, in the fewest digits
        that tell them apart.

    Raises:
        EncodeError: the prediction has more than two dimensions.

    Source: contract C-22, C-26.
    """
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
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(table.tolist())
    return out.getvalue().encode("utf-8")


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

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._columns = 0  # 0 until the first row has ended
        self._rows = 0  # that have ended
        self._open_cells = 0  # of a row that began in an earlier piece
        self._row_start = 0  # where that row, or the next one, begins in raw
        self._cells = np.empty(0, dtype=np.float32)
        self._filled = 0

    def table(self) -> np.ndarray[Any, Any]:
        raw, start, end = self._raw, 0, len(self._raw)
        for _ in range(_FINAL_LINE_ENDS):
            if not raw.endswith((b"\n", b"\r"), 0, end):
                break
            end -= 1
        one_piece = end <= doubles.PIECE_BYTES
        if not one_piece:
            self._cells = np.empty(self._most_cells(), dtype=np.float32)
        while start < end:
            stop = self._piece_end(start, end)
            piece = raw[start:stop]
            if stop == end and not piece.endswith(b"\n"):
                piece += b"\n"
            numbers = self._plain_numbers(piece)
            if numbers is None:
                numbers = self._any_numbers(piece, start)
            elif piece.endswith(b"\n"):
                self._row_start = stop
            if one_piece:
                self._cells, self._filled = numbers.astype(np.float32), len(numbers)
            else:
                self._cells[self._filled : self._filled + len(numbers)] = numbers
                self._filled += len(numbers)
            start = stop
        if not self._filled:
            raise _no_rows()
        if not one_piece:
            self._cells.resize(self._filled, refcheck=False)  # type: ignore[no-untyped-call,unused-ignore]
        return self._cells.reshape(-1, self._columns)

    def _most_cells(self) -> int:
        """An upper bound; what of it is never written takes no memory."""
        raw, step = np.frombuffer(self._raw, np.uint8), doubles.PIECE_BYTES
        pieces = (raw[start : start + step] for start in range(0, len(raw), step))
        return sum(int(np.count_nonzero(piece < _ABOVE_SEPARATORS)) for piece in pieces) + 1

    def _piece_end(self, start: int, end: int) -> int:
        raw, reach = self._raw, start + doubles.PIECE_BYTES
        if reach >= end:
            return end
        stop = raw.rfind(b"\n", start, reach) + 1 or raw.rfind(b",", start, reach) + 1
        if stop:
            return stop
        ends = [found + 1 for found in (raw.find(b"\n", reach, end), raw.find(b",", reach, end)) if found >= 0]
        return min(ends, default=end)

    def _plain_numbers(self, piece: bytes) -> np.ndarray[Any, Any] | None:
        """The numbers of the piece if all are plain and the rows as long as they should be, else None."""
        if b"[" in piece:
            return None
        numbers = doubles.parse(b"[" + piece[:-1].replace(b"\n", b",") + b"]")
        if numbers is None:
            return None
        characters = np.frombuffer(piece, np.uint8)
        separators = characters.take(np.flatnonzero(characters < _ABOVE_SEPARATORS))
        is_newline = separators == _NEWLINE
        if len(separators) != len(numbers):  # white space, or plus signs of exponents
            kept = is_newline | (separators == _COMMA)
            separators, is_newline = separators[kept], is_newline[kept]
        newlines = np.flatnonzero(is_newline)
        columns = self._columns
        if not columns and len(newlines):
            columns = self._open_cells + int(newlines[0]) + 1
        if columns:
            expected = np.arange(columns - self._open_cells - 1, len(separators), columns)
            if not np.array_equal(newlines, expected):
                return None
        self._columns = columns
        self._rows += len(newlines)
        self._open_cells += len(separators)
        if columns:
            self._open_cells %= columns
        return numbers

    def _any_numbers(self, piece: bytes, at: int) -> np.ndarray[Any, Any]:
        """The numbers of any piece; `at` is where it begins in the body."""
        try:
            text = piece.decode("utf-8")
        except UnicodeDecodeError as exc:
            before = piece[: exc.start]
            row = self._rows + 1 + before.count(b"\n")
            column = before.count(b",", before.rfind(b"\n") + 1) + 1 + (0 if b"\n" in before else self._open_cells)
            raise DecodeError(
                f"Reading the {MEDIA_TYPE} body: byte {at + exc.start} (row {row}, column {column}) is "
                f"0x{piece[exc.start]:02x}, which is no UTF-8 here; send numbers as UTF-8 text."
            ) from None
        first_row, first_column = self._rows + 1, self._open_cells
        cells: list[str] = []
        *lines, rest = text.replace("\r\n", "\n").split("\n")
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
        if lines:
            self._row_start = at + len(piece) - len(rest.encode("utf-8"))
        if rest:  # ends in a comma: the row goes on
            row_cells = rest.split(",")[:-1]
            self._open_cells += len(row_cells)
            cells += row_cells
            if self._columns and self._open_cells >= self._columns:
                row_end = self._raw.find(b"\n", self._row_start)
                seen = self._raw.count(b",", self._row_start, row_end if row_end >= 0 else None) + 1
                raise _ragged(self._rows + 1, seen, self._columns)
        return _numbers(cells, first_row, first_column, self._columns)


def _decode_quoted(raw: bytes) -> np.ndarray[Any, Any]:
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
