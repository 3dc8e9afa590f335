"""application/x-recordio-protobuf: one `aialgs.data.Record` message per row, each in a RecordIO frame.

The messages, as protobuf numbers them:
    Record: features = 1, label = 2, both maps of string to Value; the only key read and written is "values".
    Value: one of float32_tensor = 2, float64_tensor = 3, int32_tensor = 7.
    a tensor: values = 1, keys = 2, shape = 3, all packed; keys and shape, of sparse rows only, are uint64.

Source: contract C-25.
"""

from __future__ import annotations

import struct
from typing import Any, Iterable, Iterator, NamedTuple

import numpy as np

from sagemaker_sklearn_container.codecs import texts
from sagemaker_sklearn_container.codecs.arrays import as_array
from sagemaker_sklearn_container.errors import DecodeError, EncodeError

MEDIA_TYPE = "application/x-recordio-protobuf"

_MAGIC = 0xCED7230A
_ALIGNMENT = 4
_FEATURES, _LABEL = 1, 2
_MAP_KEY, _MAP_VALUE = 1, 2
_VALUES, _KEYS, _SHAPE = 1, 2, 3
_VARINT_BITS = 7
_BYTES_FIELD = 2  # protobuf's wire type of fields that carry their length
_VARINT_FIELD, _FIXED64_FIELD, _FIXED32_FIELD = 0, 1, 5
_LONGEST_VARINT = 10
_MOST_COLUMNS = 2**31 - 1
_FRAME = struct.Struct("<II")

# Number of the tensor's field in Value, and dtype of the values as they are written.
_TENSORS = {"float32": (2, "<f4"), "float64": (3, "<f8"), "int32": (7, "<i4"), "int64": (7, "<i4")}
_DTYPES = {2: "<f4", 3: "<f8", 7: "<i4"}


def decode(body: texts.Body) -> Any:
    """The features in `body`; labels are skipped.

    Args:
        body: Whole RecordIO frames, none of them a part of a larger record.

    Returns:
        ndarray of shape (n_rows, n_columns) of dense records, scipy csr_matrix of sparse ones; dtype float32, float64
        or int32, as sent.

    Raises:
        DecodeError: no frames, a damaged one, or records of different kinds or lengths; names the record, from 1
            (status 400).

    Source: contract C-09, C-25.
    """
    raw = texts.binary(body)
    table = _equal_records(raw)
    if table is not None:
        return table
    rows: list[_Row] = []
    start = 0
    while start < len(raw):
        try:
            message, start = _unframed(raw, start)
            row = _row(message)
            if rows and row[2:] != rows[0][2:]:
                raise ValueError("its dtype, kind or number of columns differs from the first's")
        except ValueError as exc:
            raise DecodeError(
                f"Reading the {MEDIA_TYPE} body: record {len(rows) + 1}: {exc}. Send whole records, all alike."
            ) from None
        rows.append(row)
    if not rows:
        raise DecodeError(f"Reading the {MEDIA_TYPE} body: it has no records; send at least one.")
    if rows[0].is_sparse:
        return _matrix(rows)
    return np.stack([row.values for row in rows])


def encode(prediction: Any) -> bytes:
    """A prediction as records: a 2-D array or sparse matrix gives one per row, a 1-D array one per number.

    Raises:
        EncodeError: the prediction is no array of numbers with one or two dimensions (status 500).

    Source: contract C-09, C-25.
    """
    rows = prediction if hasattr(prediction, "tocsr") else as_array(prediction)
    if not hasattr(rows, "tocsr"):
        rows = rows.reshape(-1, 1) if rows.ndim < 2 else rows
        if rows.dtype.name not in _TENSORS and rows.dtype.kind in "biuf":
            rows = rows.astype(np.float64 if rows.dtype.itemsize > 2 else np.float32)
    try:
        return encode_labelled(rows)
    except ValueError as exc:
        raise EncodeError(f"Writing the prediction as {MEDIA_TYPE}: {exc} Or define output_fn.") from exc


def encode_labelled(rows: Any, labels: Any = None) -> bytes:
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
    return _FRAME.pack(_MAGIC, len(message)) + message + b"\0" * (-len(message) % _ALIGNMENT)


class _Row(NamedTuple):
    """One record's features."""

    values: np.ndarray[Any, Any]
    keys: np.ndarray[Any, Any]  # empty of dense rows
    dtype: str
    is_sparse: bool
    columns: int


def _unframed(raw: bytes | memoryview, start: int) -> tuple[memoryview, int]:
    """The message of the frame that begins at `start`, and where the next frame begins."""
    begin = start + _FRAME.size
    if begin > len(raw):
        raise ValueError(f"{len(raw) - start} bytes are no frame")
    magic, length = _FRAME.unpack_from(raw, start)
    if magic != _MAGIC:
        raise ValueError(f"its frame begins with 0x{magic:08x} instead of 0x{_MAGIC:08x}")
    end = begin + length
    if end > len(raw):
        raise ValueError(f"its frame promises {length} bytes, but {len(raw) - begin} follow")
    return memoryview(raw)[begin:end], end + -length % _ALIGNMENT


def _equal_records(raw: bytes | memoryview) -> np.ndarray[Any, Any] | None:
    """The table of dense float records that differ in nothing but their values; None if they are not such."""
    try:
        message, size = _unframed(raw, 0)
        row = _row(message)
    except ValueError:
        return None
    if row.is_sparse or row.dtype == "<i4" or len(raw) % size:
        return None
    values = row.values.tobytes()
    first = bytes(raw[:size])
    at = first.find(values)
    frames = np.frombuffer(raw, np.uint8).reshape(-1, size)
    # What precedes the values must be equal, and nothing may follow them but padding.
    if not values or at < 0 or len(first) - at - len(values) >= _ALIGNMENT or (frames[:, :at] != frames[0, :at]).any():
        return None
    return frames[:, at : at + len(values)].copy().view(row.dtype)


def _row(message: memoryview) -> _Row:
    tensor: tuple[int, memoryview] | None = None
    for number, content in _bytes_fields(message):
        if number != _FEATURES:
            continue
        entry = dict(_bytes_fields(content))
        if bytes(entry.get(_MAP_KEY, b"")) == b"values":
            for kind, inner in _bytes_fields(entry.get(_MAP_VALUE, memoryview(b""))):
                if kind in _DTYPES:
                    tensor = kind, inner
    if tensor is None:
        raise ValueError("it has no features named 'values'")
    kind, content = tensor
    dtype = _DTYPES[kind]
    parts: dict[int, list[bytes]] = {_VALUES: [], _KEYS: [], _SHAPE: []}
    for number, wire, part in _fields(content):
        if number in parts:
            # One entry of a field that is not packed has the bytes that it would have packed.
            parts[number].append(bytes(part) if wire != _VARINT_FIELD else _varint(part))
    packed = b"".join(parts[_VALUES])
    if dtype == "<i4":
        values = (_varints(packed) & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
    else:
        if len(packed) % np.dtype(dtype).itemsize:
            raise ValueError(f"its values take {len(packed)} bytes, no multiple of their size")
        values = np.frombuffer(packed, dtype)
    shape, keys = _varints(b"".join(parts[_SHAPE])), _varints(b"".join(parts[_KEYS]))
    if not len(keys) and (not len(shape) or (len(shape) == 1 and int(shape[0]) == len(values))):
        return _Row(values, keys, dtype, False, len(values))
    if len(shape) != 1 or len(keys) != len(values) or int(shape[0]) > _MOST_COLUMNS:
        raise ValueError(f"it has {len(values)} values, {len(keys)} keys and shape {shape[:2].tolist()}")
    if len(keys) and keys.max() >= shape[0]:
        raise ValueError(f"key {keys.max()} lies outside its shape {shape.tolist()}")
    return _Row(values, keys.astype(np.int64), dtype, True, int(shape[0]))


def _matrix(rows: list[_Row]) -> Any:
    from scipy import sparse

    ends = np.cumsum([0] + [len(row.values) for row in rows])
    values = np.concatenate([row.values for row in rows])
    keys: np.ndarray[Any, Any] = np.concatenate([row.keys for row in rows])
    return sparse.csr_matrix((values, keys, ends), shape=(len(rows), rows[0].columns))


def _bytes_fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    return ((number, content) for number, wire, content in _fields(message) if wire == _BYTES_FIELD)


def _fields(message: memoryview) -> Iterator[tuple[int, int, Any]]:
    """Number, wire type and content of each field: an int of a varint, bytes of all others."""
    at, end = 0, len(message)
    while at < end:
        tag, at = _read_varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT_FIELD:
            value, at = _read_varint(message, at)
            yield number, wire, value
            continue
        if wire == _BYTES_FIELD:
            size, at = _read_varint(message, at)
        elif wire in (_FIXED32_FIELD, _FIXED64_FIELD):
            size = 4 if wire == _FIXED32_FIELD else 8
        else:
            raise ValueError(f"a field has the wire type {wire}")
        if size > end - at:
            raise ValueError(f"a field promises {size} bytes, but {end - at} follow")
        yield number, wire, message[at : at + size]
        at += size


def _read_varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    for group in message[at : at + _LONGEST_VARINT]:
        value |= (group & 0x7F) << shift
        shift += _VARINT_BITS
        if group < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at + shift // _VARINT_BITS
    raise ValueError("a number has no end")


def _varints(packed: bytes) -> np.ndarray[Any, Any]:
    """The varints of a packed field, uint64."""
    numbers: list[int] = []
    at, view = 0, memoryview(packed)
    while at < len(packed):
        number, at = _read_varint(view, at)
        numbers.append(number)
    return np.array(numbers, dtype=np.uint64)
