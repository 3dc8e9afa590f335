"""What application/x-recordio-protobuf is made of: one `aialgs.data.Record` message per row, each in a RecordIO frame.

The messages, as protobuf numbers them:
    Record: features = 1, label = 2, both maps of string to Value; the only key read and written is "values".
    Value: one of float32_tensor = 2, float64_tensor = 3, int32_tensor = 7.
    a tensor: values = 1, keys = 2, shape = 3, all packed; keys and shape, of sparse rows only, are uint64.

Source: contract C-25.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np

MAGIC = 0xCED7230A
# The magic number and the message's length; zeros behind the message fill the frame up.
FRAME = struct.Struct("<II")
ALIGNMENT = 4

FEATURES, LABEL = 1, 2
MAP_KEY, MAP_VALUE = 1, 2
VALUES, KEYS, SHAPE = 1, 2, 3
NAME = b"values"

# Protobuf's wire types; the one of fields that carry their length is that of all fields above.
VARINT_FIELD, FIXED64_FIELD, BYTES_FIELD, FIXED32_FIELD = 0, 1, 2, 5

# Number of the tensor's field in Value, and dtype of the values as they are written.
TENSORS = {"float32": (2, "<f4"), "float64": (3, "<f8"), "int32": (7, "<i4"), "int64": (7, "<i4")}
DTYPES = {2: "<f4", 3: "<f8", 7: "<i4"}

MOST_COLUMNS = 2**31 - 1


class Rows(NamedTuple):
    """The features of all records.

    Attributes:
        values: ndarray of shape (n_values,), row by row.
        ends: Where each row's values end, ndarray of shape (n_rows,).
        columns: Of each row.
        keys: Columns of the values of sparse rows, int64 ndarray of shape (n_values,); None of dense rows.
    """

    values: np.ndarray[Any, Any]
    ends: np.ndarray[Any, Any]
    columns: int
    keys: np.ndarray[Any, Any] | None


def tag(number: int) -> bytes:
    """What a field begins with."""
    return bytes([number << 3 | BYTES_FIELD])
