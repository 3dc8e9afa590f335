"""CSV files row by row, as the reader of the generated code has them, with the place of each row in its file."""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path
from typing import Iterator, NamedTuple

from sagemaker_sklearn_container.autopilot.errors import InputError

_BOM = b"\xef\xbb\xbf"
# First bytes of files that are something else, and what they are.
_FOREIGN = {
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"\x1f\x8b": "compressed with gzip",
    b"PK\x03\x04": "a ZIP archive or a spreadsheet",
    b"PAR1": "Parquet",
}
_LONE_RETURN = re.compile(rb"\r(?!\n)")


class Row(NamedTuple):
    """One row.

    Attributes:
        line: Number of its first line, from 1.
        cells: As text.
        raw: Its bytes, line end included if the file has it.
    """

    line: int
    cells: list[str]
    raw: bytes


def files(data: Path) -> list[Path]:
    """The CSV files at `data`, by name.

    Raises:
        InputError: there are none.
    """
    if data.is_file():
        return [data]
    if not data.is_dir():
        raise InputError(f"The data {data} does not exist. Name a CSV file, or a directory of CSV files.")
    found = sorted(path for path in data.iterdir() if path.is_file() and path.suffix.lower() == ".csv")
    if not found:
        raise InputError(f"The directory {data} has no file that ends with .csv. Name the file, or rename it.")
    return found


def rows(path: Path) -> Iterator[Row]:
    """The rows of a file; lines without anything are no rows.

    Raises:
        InputError: with file, line and column: no UTF-8, a NUL character, a quote that is never closed.
    """
    csv.field_size_limit(sys.maxsize)
    pending: list[bytes] = []
    lines = _lines(path, pending)
    reader = csv.reader(lines)
    line, last = 1, Row(1, [], b"")
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            _check_closed(path, last)
            return
        except csv.Error as exc:
            column = len(_cells(b"".join(pending).split(b"\0")[0]))
            raise InputError(
                f"{path}:{reader.line_num}:{column}: not readable as CSV: {exc}. Remove the character."
            ) from None
        raw = b"".join(pending)
        pending.clear()
        if cells:
            last = Row(line, cells, raw)
            yield last
        line = reader.line_num + 1


def _lines(path: Path, pending: list[bytes]) -> Iterator[str]:
    """The lines, and each one's bytes in `pending`."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if number == 1:
                kind = next((kind for start, kind in _FOREIGN.items() if line.startswith(start)), None)
                if kind:
                    raise InputError(f"{path}: this is {kind}, not CSV. Save the data as CSV in UTF-8.")
                line = line[len(_BOM) :] if line.startswith(_BOM) else line
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as exc:
                column = len(_cells(b"".join([*pending, line[: exc.start]])))
                raise InputError(
                    f"{path}:{number}:{column}: byte 0x{line[exc.start]:02x} is no UTF-8, the only encoding that the "
                    "generated code reads. Save the file as UTF-8; iconv -f WINDOWS-1252 -t UTF-8 converts most."
                ) from None
            # A lone return ends a row, too, but no line of the file object.
            for piece in _split_at_returns(line) if b"\r" in line else [line]:
                pending.append(piece)
                yield piece.decode("utf-8")


def _split_at_returns(line: bytes) -> list[bytes]:
    ends = [match.end() for match in _LONE_RETURN.finditer(line)]
    return [piece for piece in (line[i:j] for i, j in zip([0, *ends], [*ends, len(line)])) if piece]


def _cells(raw: bytes) -> list[str]:
    """The cells of the beginning of a row; the last one holds its end."""
    found = list(csv.reader(raw.decode("utf-8", errors="replace").splitlines(keepends=True)))
    return found[-1] if found else [""]


def _check_closed(path: Path, last: Row) -> None:
    """Stop at a quote that is open when the file ends."""
    try:
        list(csv.reader(last.raw.decode("utf-8").splitlines(keepends=True), strict=True))
    except csv.Error as exc:
        if "end of data" in str(exc):
            raise InputError(
                f"{path}:{last.line}:{len(last.cells)}: the quote that opens this cell is never closed. Close it, or "
                "double it if it is part of the text."
            ) from None
