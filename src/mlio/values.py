"""Cells of text as numbers."""

from __future__ import annotations

import re
from typing import Any, Sequence

import numpy as np

from mlio.data_types import DataType, dtype_of
from mlio.params import ParserParams

_INTEGER = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+[ \t\n\v\f\r]*\Z")
_FLOATS = frozenset((DataType.FLOAT16, DataType.FLOAT32, DataType.FLOAT64))


def inferred_type(cell: str) -> DataType:
    """The type of a column whose first cell this is: INT64, else UINT64, else FLOAT64, else STRING."""
    if _INTEGER.match(cell):
        number = int(cell)
        if -(2**63) <= number < 2**63:
            return DataType.INT64
        if 0 <= number < 2**64:
            return DataType.UINT64
    return DataType.STRING if _float(cell, frozenset()) is None else DataType.FLOAT64


def converted(cells: Sequence[str], data_type: DataType, params: ParserParams) -> np.ndarray[Any, Any] | list[int]:
    """The numbers in `cells`.

    Returns:
        ndarray of shape (len(cells),); if there are cells that are no such number, the list of their positions.
    """
    if data_type in _FLOATS:
        return _floats(cells, data_type, params)
    return _integers(cells, data_type, params.number_base)


def _floats(cells: Sequence[str], data_type: DataType, params: ParserParams) -> np.ndarray[Any, Any] | list[int]:
    dtype = dtype_of(data_type)
    nan_values = frozenset(params.nan_values)
    text = "".join(cells)
    if text.isascii() and "_" not in text:
        try:
            with np.errstate(over="ignore"):
                numbers = np.fromiter(map(float, cells), np.float64, len(cells)).astype(dtype)
            if not np.isinf(numbers).any():
                return numbers
        except ValueError:
            pass
    found = [_float(cell, nan_values) for cell in cells]
    largest = float(np.finfo(dtype).max)
    bad = [at for at, number in enumerate(found) if number is None or abs(number) > largest]
    return bad or np.array(found, dtype)


def _float(cell: str, nan_values: frozenset[str]) -> float | None:
    """The finite number or NaN in `cell`; None if there is none."""
    try:
        # Python reads more than C does: digits of other scripts, and underscores between digits.
        if cell.isascii() and "_" not in cell:
            number = float(cell)
            return None if number in (float("inf"), float("-inf")) else number
    except ValueError:
        pass
    return float("nan") if cell.strip() in nan_values else None


def _integers(cells: Sequence[str], data_type: DataType, base: int) -> np.ndarray[Any, Any] | list[int]:
    dtype = dtype_of(data_type)
    limits = np.iinfo(dtype)
    lowest, highest = int(limits.min), int(limits.max)
    found = [_integer(cell, base) for cell in cells]
    bad = [at for at, number in enumerate(found) if number is None or not lowest <= number <= highest]
    return bad or np.array(found, dtype)


def _integer(cell: str, base: int) -> int | None:
    try:
        return int(cell, base) if cell.isascii() and "_" not in cell else None
    except ValueError:
        return None
