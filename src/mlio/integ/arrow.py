"""Stores and records as files of pyarrow."""

from __future__ import annotations

import pyarrow as pa

from mlio.records import Record
from mlio.stores import DataStore
from mlio.streams import as_file

__all__ = ["as_arrow_file"]


def as_arrow_file(source: DataStore | Record | None = None, *, store: DataStore | None = None) -> pa.NativeFile:
    """A file that pyarrow reads, for example with `pyarrow.parquet.read_table`.

    Args:
        source: DataStore, which is opened, or Record, which is not copied.
        store: Another name of `source`.

    Raises:
        OSError, NotSupportedError: the store cannot be opened.
    """
    given = source if store is None else store
    if isinstance(given, Record):
        return pa.BufferReader(pa.py_buffer(given.payload))
    if not isinstance(given, DataStore):
        raise TypeError(f"Opening a file for pyarrow: {type(given).__name__} is neither a data store nor a record.")
    return pa.PythonFile(as_file(given.open_read()), mode="r")
