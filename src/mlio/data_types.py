"""The types that the values of a tensor have."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np


class DataType(enum.Enum):
    """Type of a tensor's values."""

    SIZE = "size"
    FLOAT16 = "float16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    STRING = "string"
    # The same under the names of older releases.
    SINT8 = INT8
    SINT16 = INT16
    SINT32 = INT32
    SINT64 = INT64


_DTYPES = {
    data_type: np.dtype({"size": "uint64", "string": "object"}.get(data_type.value, data_type.value))
    for data_type in DataType
}
_TYPES = {dtype: data_type for data_type, dtype in reversed(list(_DTYPES.items()))}
_TYPES[np.dtype("uint64")] = DataType.UINT64
_STRING, _OBJECT = DataType.STRING, np.dtype("object")


def dtype_of(data_type: DataType) -> np.dtype[Any]:
    """The NumPy dtype of values of `data_type`; strings are Python objects."""
    return _DTYPES[data_type]


def data_type_of(dtype: np.dtype[Any]) -> DataType:
    """The data type of an array's values.

    Raises:
        ValueError: no data type has this dtype.
    """
    if dtype == _OBJECT:
        return _STRING
    try:
        return _TYPES[dtype.newbyteorder("=")]
    except KeyError:
        raise ValueError(
            f"Making a tensor: the array's dtype is {dtype}; it must be object (of str), float16 to float64, or an "
            "integer of 8 to 64 bits. Convert it with astype."
        ) from None
