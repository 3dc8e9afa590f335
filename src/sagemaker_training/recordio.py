"""RecordIO-protobuf: one `aialgs.data.Record` message per row, each in a RecordIO frame.

The messages, as protobuf numbers them:
    Record: features = 1, label = 2, both maps of string to Value; the only key is "values".
    Value: one of float32_tensor = 2, float64_tensor = 3, int32_tensor = 7.
    a tensor: values = 1, keys = 2, shape = 3, all packed; keys and shape, of sparse rows only, are uint64.

Source: contract C-25.
"""

from __future__ import annotations

import struct
from typing import Any, Iterable, Iterator

import numpy as np

_MAGIC = 0xCED7230A
_ALIGNMENT = 4
_FEATURES, _LABEL = 1, 2
_MAP_KEY, _MAP_VALUE = 1, 2
_VALUES, _KEYS, _SHAPE = 1, 2, 3
_VARINT_BITS = 7
_BYTES_FIELD = 2  # protobuf's wire type of fields that carry their length

# Number of the tensor's field in Value, and dtype of the values as they are written.
_TENSORS = {"float32": (2, "<f4"), "float64": (3, "<f8"), "int32": (7, "<i4"), "int64": (7, "<i4")}


def encode(rows: Any, labels: Any = None) -> bytes:
    """The records of `rows`.

    Args:
        rows: ndarray or scipy sparse matrix of shape (n_rows, n_columns), or ndarray of shape (n_columns,), which is
            one row; dtype float32, float64, int32 or int64.
        labels: ndarray of shape (n_rows,), same dtypes, or None.

    Raises:
        ValueError: shape or dtype is another, or an integer does not fit 32 bits.

    Source: contract C-25.
    """
    shape = np.shape(rows)
    if len(shape) not in (1, 2):
        raise ValueError(f"Writing RecordIO-protobuf: the array's shape is {shape}; it must have one axis or two.")
    if hasattr(rows, "tocsr"):
        tensors = _sparse_tensors(rows.tocsr())
    else:
        tensors = _dense_tensors(np.atleast_2d(np.asarray(rows)), "array")
    entries: Iterable[bytes] = (_map_entry(_FEATURES, tensor) for tensor in tensors)
    if labels is not None:
        column = np.asarray(labels)
        n_rows = shape[0] if len(shape) == 2 else 1
        if column.shape != (n_rows,):
            raise ValueError(
                f"Writing RecordIO-protobuf: the labels' shape is {column.shape}; it must be ({n_rows},), one label "
                "per row."
            )
        labelled = zip(entries, _dense_tensors(column.reshape(-1, 1), "labels"))
        entries = (entry + _map_entry(_LABEL, label) for entry, label in labelled)
    return b"".join(map(_frame, entries))


def _dense_tensors(table: np.ndarray[Any, Any], what: str) -> Iterator[bytes]:
    number, values = _values(table, what)
    return (_field(number, _packed_field(_VALUES, _packed(row))) for row in values)


def _sparse_tensors(matrix: Any) -> Iterator[bytes]:
    number, values = _values(matrix.data, "array")
    shape = _field(_SHAPE, _varint(matrix.shape[1]))
    for start, end in zip(matrix.indptr[:-1], matrix.indptr[1:]):
        keys = b"".join(map(_varint, matrix.indices[start:end].tolist()))
        tensor = _packed_field(_VALUES, _packed(values[start:end])) + _packed_field(_KEYS, keys) + shape
        yield _field(number, tensor)


def _values(array: np.ndarray[Any, Any], what: str) -> tuple[int, np.ndarray[Any, Any]]:
    """Field number of the tensor that holds `array`, and its values as they are written."""
    if array.dtype.name not in _TENSORS:
        raise ValueError(
            f"Writing RecordIO-protobuf: the dtype of the {what} is {array.dtype}; it must be one of: "
            f"{', '.join(_TENSORS)}. Convert it with astype."
        )
    number, written = _TENSORS[array.dtype.name]
    values = array.astype(written)
    if array.dtype.kind == "i" and not np.array_equal(values, array):
        raise ValueError(
            f"Writing RecordIO-protobuf: the integers in the {what} go from {array.min()} to {array.max()}; they "
            "must fit 32 bits. Convert it with astype('float64')."
        )
    return number, values


def _packed(values: np.ndarray[Any, Any]) -> bytes:
    if values.dtype.kind == "f":
        return values.tobytes()
    # Protobuf writes a negative int32 as the 64 bits of its two's complement.
    return b"".join(_varint(value & 0xFFFFFFFFFFFFFFFF) for value in values.tolist())


def _map_entry(number: int, value: bytes) -> bytes:
    return _field(number, _field(_MAP_KEY, b"values") + _field(_MAP_VALUE, value))


def _packed_field(number: int, content: bytes) -> bytes:
    """A repeated field; protobuf leaves empty ones out."""
    return _field(number, content) if content else b""


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | _BYTES_FIELD]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    groups = bytearray()
    while number >= 1 << _VARINT_BITS:
        groups.append(number & 0x7F | 0x80)
        number >>= _VARINT_BITS
    groups.append(number)
    return bytes(groups)


def _frame(message: bytes) -> bytes:
    return struct.pack("<II", _MAGIC, len(message)) + message + b"\0" * (-len(message) % _ALIGNMENT)
