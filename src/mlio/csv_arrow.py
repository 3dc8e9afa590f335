"""CSV blocks as tables, by pyarrow. Its parser has the same rules, as far as a block is let come here."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from mlio.csv_rows import Dialect

# Of a few million columns pyarrow ends the process: it reserves room for 512 rows, counted in 32 bits.
_MOST_COLUMNS = 4096
# A column repeats itself if so many of its first values are so few different ones.
_SAMPLED = 1024
_FEW = 512


def table(block: Any, dialect: Dialect, columns: int) -> np.ndarray[Any, Any] | None:
    """The cells of a block of whole records in which no quote stays open.

    Args:
        block: bytes-like; no byte order mark behind the first byte, no comments.
        dialect: Skips blank lines and allows line ends within quotes.
        columns: That each row must have.

    Returns:
        Object ndarray of str, shape (columns, n_rows); equal strings of a column that repeats itself are one object.
        None if there are too many columns, a row has more or fewer, or a cell is no UTF-8.
    """
    if columns > _MOST_COLUMNS:
        return None
    parsing, converting, names = _options(dialect.delimiter, dialect.quote, columns)
    reading = pyarrow.csv.ReadOptions(column_names=names, block_size=len(block) + 1)
    try:
        found = pyarrow.csv.read_csv(pa.BufferReader(pa.py_buffer(block)), reading, parsing, converting)
    except pa.ArrowInvalid:
        return None
    cells = np.empty((columns, found.num_rows), object)
    for at, column in enumerate(found.itercolumns()):
        start = 0
        for chunk in column.chunks:
            _objects(chunk, cells[at, start : start + len(chunk)])
            start += len(chunk)
    return cells


@functools.lru_cache(maxsize=16)
def _options(delimiter: str, quote: str, columns: int) -> tuple[Any, Any, list[str]]:
    names = [str(number) for number in range(columns)]
    parsing = pyarrow.csv.ParseOptions(delimiter=delimiter, quote_char=quote, newlines_in_values=True)
    converting = pyarrow.csv.ConvertOptions(
        check_utf8=True,
        column_types=dict.fromkeys(names, pa.string()),
        null_values=[],
        strings_can_be_null=False,
    )
    return parsing, converting, names


def _objects(column: Any, out: np.ndarray[Any, Any]) -> None:
    """Put the strings of a column into `out`."""
    if pc.count_distinct(column.slice(0, _SAMPLED)).as_py() > _FEW:
        out[:] = column.to_numpy(zero_copy_only=False)
        return
    encoded = column.dictionary_encode()
    np.take(encoded.dictionary.to_numpy(zero_copy_only=False), encoded.indices.to_numpy(), out=out, mode="clip")
