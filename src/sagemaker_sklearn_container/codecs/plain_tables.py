"""Tables of plain numbers, as JSON and as CSV, to float32 in one pass by compiled code; and JSON spaced as Python's.

`plain_tables.c` says what is plain. Everything else, and every error, is the business of the codecs, which then read
the text again. The interpreter's lock is free while the text is read. In a source tree where nothing is compiled no
text is plain.
"""

from __future__ import annotations

import ctypes
import threading
from pathlib import Path
from typing import Any, Callable

import numpy as np

_LIBRARY = Path(__file__).with_name("libplain_tables.so")
# Numbers of longer texts are read to where they stay: a copy of them would take their memory twice.
_LONGEST_COPIED = 2**20
# Arguments and result are described in plain_tables.c.
_Reader = Callable[[int, int, int, Any], int]


class _Compiled:
    """The functions of the library."""

    def __init__(self) -> None:
        # OSError is not caught: a library that is there but cannot be loaded is a fault of the build.
        library = ctypes.CDLL(str(_LIBRARY))
        self.read_json, self.read_csv = library.read_json, library.read_csv
        for reader in (self.read_json, self.read_csv):
            reader.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p)
            reader.restype = ctypes.c_ssize_t
        self.space_commas = library.space_commas
        self.space_commas.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p)
        self.space_commas.restype = ctypes.c_size_t
        self.count_separators = library.count_separators
        self.count_separators.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
        self.count_separators.restype = ctypes.c_size_t


_compiled = _Compiled() if _LIBRARY.exists() else None


class _Local(threading.local):
    """Where a thread's numbers are read to; most texts are about as long as the one before."""

    def __init__(self) -> None:
        self.cells: np.ndarray[Any, Any] = np.empty(0, dtype=np.float32)
        self.columns = ctypes.c_size_t()


_local = _Local()


def is_compiled() -> bool:
    """Whether there is a library."""
    return _compiled is not None


def json_numbers(text: bytes | memoryview) -> np.ndarray[Any, Any] | None:
    """The numbers of a JSON array, or of an array of equally long arrays.

    Args:
        text: Any bytes, not empty.

    Returns:
        float32 ndarray of shape (n,) or (n_rows, n_columns), nothing of it empty; each number is that of a double,
        rounded to float32, as Python and NumPy read it. None if the text is anything else, or not plain.
    """
    return None if _compiled is None else _numbers(_compiled.read_json, _compiled.count_separators, text)


def csv_table(text: bytes | memoryview) -> np.ndarray[Any, Any] | None:
    """The numbers of equally long lines of comma separated values, none of which is blank.

    Args:
        text: As `json_numbers`.

    Returns:
        As `json_numbers`, always of shape (n_rows, n_columns).
    """
    return None if _compiled is None else _numbers(_compiled.read_csv, _compiled.count_separators, text)


def spaced(text: bytes) -> bytes:
    """`text`, which is not empty, with a space behind each comma, as Python's `json` writes lists (C-20)."""
    if _compiled is None:
        return text.replace(b",", b", ")
    room = np.empty(2 * len(text), dtype=np.uint8)
    return room[: _compiled.space_commas(text, len(text), _address(room))].tobytes()


def _numbers(
    reader: _Reader, count_separators: Callable[[int, int], int], text: bytes | memoryview
) -> np.ndarray[Any, Any] | None:
    length, start = len(text), _address(np.frombuffer(text, np.uint8))
    if length <= _LONGEST_COPIED:
        room = (length + 1) // 2
        if room > len(_local.cells):
            _local.cells = np.empty(room, dtype=np.float32)
        cells = _local.cells
    else:
        cells = np.empty(count_separators(start, length) + 1, dtype=np.float32)
    columns = _local.columns
    count = reader(start, length, _address(cells), ctypes.byref(columns))
    if count < 0:
        return None
    if cells is _local.cells:
        cells = cells[:count].copy()
    elif count < len(cells):
        cells.resize(count, refcheck=False)  # type: ignore[no-untyped-call,unused-ignore]
    return cells.reshape(-1, columns.value) if columns.value else cells


def _address(array: np.ndarray[Any, Any]) -> int:
    address: int = array.__array_interface__["data"][0]
    return address
