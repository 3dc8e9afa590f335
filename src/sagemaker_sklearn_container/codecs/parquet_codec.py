"""application/x-parquet: a table of numbers, one column per feature."""

from __future__ import annotations

from typing import Any

import numpy as np

from sagemaker_sklearn_container.codecs import bounds, texts
from sagemaker_sklearn_container.errors import DecodeError

MEDIA_TYPE = "application/x-parquet"

_BATCH_ROWS = 8192
_VALUE_BYTES = 4
_SHOWN_CHARACTERS = 200
_THRIFT_BYTES = 16 * 2**20


def decode(body: texts.Body) -> np.ndarray[Any, Any]:
    """The table in `body`.

    Args:
        body: A Parquet file; its columns are of numbers or bools. Nulls are NaN.

    Returns:
        float32 ndarray of shape (n_rows, n_columns), columns in the file's order.

    Raises:
        DecodeError: no Parquet, no rows, a column of another type, or a table that takes more than
            `bounds.most_inflated` (status 400).

    Source: contract C-07, C-09.
    """
    raw = texts.binary(body)
    try:
        return _table(raw)
    except DecodeError:
        raise
    except Exception as exc:  # Arrow's errors have several bases
        shown = " ".join(str(exc).split())[:_SHOWN_CHARACTERS]
        raise DecodeError(f"Reading the {MEDIA_TYPE} body: {shown}. Send a Parquet file of numbers, whole.") from None


def _table(raw: bytes | memoryview) -> np.ndarray[Any, Any]:
    # Here, since it takes tens of megabytes and most endpoints never see this type.
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(
        pa.BufferReader(raw), thrift_string_size_limit=_THRIFT_BYTES, thrift_container_size_limit=_THRIFT_BYTES
    )
    schema, metadata = file.schema_arrow, file.metadata
    for field in schema:
        kind = field.type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
            name = texts.shortened(field.name)
            raise DecodeError(
                f"Reading the {MEDIA_TYPE} body: column {name} is of type {str(kind)[:_SHOWN_CHARACTERS]}; every "
                "column must be of numbers or bools. Define input_fn to read others."
            )
    rows, columns = metadata.num_rows, len(schema)
    if rows <= 0 or not columns:
        raise DecodeError(
            f"Reading the {MEDIA_TYPE} body: it has {rows} rows and {columns} columns; send at least one."
        )
    stored = sum(
        max(0, metadata.row_group(group).column(column).total_uncompressed_size)
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    )
    bounds.check_inflated(max(stored, rows * columns * _VALUE_BYTES), len(raw), MEDIA_TYPE)
    table = np.empty((rows, columns), dtype=np.float32)
    filled = 0
    for batch in file.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
        if filled + len(batch) > rows:
            break
        for index, column in enumerate(batch.columns):
            # Only to_numpy of floats has a place for nulls.
            if pa.types.is_boolean(column.type):
                column = column.cast(pa.int8())
            table[filled : filled + len(batch), index] = column.to_numpy(zero_copy_only=False)
        filled += len(batch)
    if filled != rows:
        raise DecodeError(f"Reading the {MEDIA_TYPE} body: its footer promises {rows} rows, its pages hold others.")
    return table
