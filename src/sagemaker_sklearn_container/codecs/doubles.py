"""JSON arrays of plain numbers to doubles, without a Python object per number.

simdjson reads what JSON calls a number, exactly rounded, at about 700 MB/s; the callers fall back to Python's own
readers for all else. It holds the interpreter's lock while it runs, so callers hand it pieces (see `pieces`), which
also bounds its scratch memory: about 30 bytes per byte of text at worst.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import simdjson

# Measured: larger pieces are no faster, and this one stays within the second-level cache.
PIECE_BYTES = 256 * 1024
_OPEN, _MINUS, _SMALL_E, _LARGE_E = b"[-eE"
_LOWER_CASE = 0x20
_FEW = 128  # numbers whose zeros are counted faster one by one
# No such number; no number, or no list; nested too deep; no array.
_REFUSALS = (ValueError, TypeError, RuntimeError, AttributeError)


class _Local(threading.local):
    """A parser per thread: one parser reads one text at a time."""

    def __init__(self) -> None:
        self.parser = simdjson.Parser()


_local = _Local()


def parse(array: bytes) -> np.ndarray[Any, Any] | None:
    """The numbers in a JSON array, or nest of arrays, in order.

    Args:
        array: JSON text.

    Returns:
        Read-only float64 ndarray of shape (n,), n > 0; None if the text is no JSON array, holds anything but numbers, a
        number beyond the range of a double or of 64-bit integers, or a negative zero whose sign would be lost.
    """
    try:
        parsed: Any = _local.parser.parse(array)
        found: np.ndarray[Any, Any] = np.frombuffer(parsed.as_buffer(of_type="d"))
    except _REFUSALS:
        return None
    return found if found.size and _has_its_signs(found, array) else None


def parse_table(rows: bytes) -> np.ndarray[Any, Any] | None:
    """The numbers in a JSON array of arrays of numbers, all of which are equally long.

    Args:
        rows: JSON text.

    Returns:
        As `parse`, but of shape (n_rows, n_columns), n_columns > 0; None also if the arrays are not as described.
    """
    try:
        parsed: Any = _local.parser.parse(rows)
        lengths = set(map(len, parsed))
        found: np.ndarray[Any, Any] = np.frombuffer(parsed.as_buffer(of_type="d"))
    except _REFUSALS:
        return None
    n_rows, columns = len(parsed), max(lengths, default=0)
    if len(lengths) != 1 or not columns or found.size != n_rows * columns:
        return None
    # An array among the numbers of a row would have been flattened, too.
    if np.count_nonzero(np.frombuffer(rows, np.uint8) == _OPEN) != n_rows + 1:
        return None
    return found.reshape(n_rows, columns) if _has_its_signs(found, rows) else None


def _has_its_signs(found: np.ndarray[Any, Any], array: bytes) -> bool:
    """Whether no zero has lost its sign; those written as integers, with an exponent, or too small for a double do."""
    if _MINUS not in array:
        return True
    has_zero = np.count_nonzero(found) < found.size if found.size < _FEW else (found == 0).any()
    return not has_zero or np.count_nonzero(np.signbit(found)) == _signs(array)


def _signs(array: bytes) -> int:
    """How many of the numbers in a valid JSON array are written with a minus."""
    characters = np.frombuffer(array, np.uint8)
    minus = characters[1:] == _MINUS
    if _SMALL_E in array or _LARGE_E in array:
        minus &= characters[:-1] | _LOWER_CASE != _SMALL_E
    return int(np.count_nonzero(minus))
