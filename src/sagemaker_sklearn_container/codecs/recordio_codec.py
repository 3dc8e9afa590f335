"""application/x-recordio-protobuf: whole tables at once where that can be, and one record after the other elsewhere.

Source: contract C-25.
"""

from __future__ import annotations

from typing import Any, Iterator, NamedTuple

import numpy as np

from sagemaker_sklearn_container.codecs import recordio_format as wire
from sagemaker_sklearn_container.codecs import recordio_reader, recordio_writer, texts, varints
from sagemaker_sklearn_container.codecs.arrays import as_array
from sagemaker_sklearn_container.errors import DecodeError, EncodeError

MEDIA_TYPE = "application/x-recordio-protobuf"


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
    found = recordio_reader.read(raw)
    if found is not None:
        return _table(found)
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
    keys = np.concatenate([row.keys for row in rows]) if rows[0].is_sparse else None
    values: np.ndarray[Any, Any] = np.concatenate([row.values for row in rows])
    ends = np.cumsum([len(row.values) for row in rows])
    return _table(wire.Rows(values, ends, rows[0].columns, keys))


def encode(prediction: Any) -> bytes:
    """A prediction as records: a 2-D array or sparse matrix gives one per row, a 1-D array one per number.

    Raises:
        EncodeError: the prediction is no array of numbers with one or two dimensions (status 500).

    Source: contract C-09, C-25.
    """
    rows = prediction if hasattr(prediction, "tocsr") else as_array(prediction)
    if not hasattr(rows, "tocsr"):
        rows = rows.reshape(-1, 1) if rows.ndim < 2 else rows
        if rows.dtype.name not in wire.TENSORS and rows.dtype.kind in "biuf":
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
        matrix = rows.tocsr()
        number, values = _values(matrix.data, "array")
        features = recordio_writer.sparse(number, values, matrix)
    else:
        features = recordio_writer.dense(*_values(np.atleast_2d(np.asarray(rows)), "array"))
    if labels is None:
        return recordio_writer.framed(features, None)
    column = np.asarray(labels)
    n_rows = shape[0] if len(shape) == 2 else 1
    if column.shape != (n_rows,):
        raise ValueError(
            f"Writing RecordIO-protobuf: the labels' shape is {column.shape}; it must be ({n_rows},), one label per "
            "row."
        )
    return recordio_writer.framed(features, recordio_writer.dense(*_values(column.reshape(-1, 1), "labels")))


def _values(array: np.ndarray[Any, Any], what: str) -> tuple[int, np.ndarray[Any, Any]]:
    """Field number of the tensor that holds `array`; and the array, floats in the byte order that is written."""
    if array.dtype.name not in wire.TENSORS:
        raise ValueError(
            f"Writing RecordIO-protobuf: the dtype of the {what} is {array.dtype}; it must be one of: "
            f"{', '.join(wire.TENSORS)}. Convert it with astype."
        )
    number, written = wire.TENSORS[array.dtype.name]
    if array.dtype.kind == "f":
        return number, array.astype(written, copy=False)
    bounds = np.iinfo(written)
    if array.size and (array.min() < bounds.min or array.max() > bounds.max):
        raise ValueError(
            f"Writing RecordIO-protobuf: the integers in the {what} go from {array.min()} to {array.max()}; they "
            "must fit 32 bits. Convert it with astype('float64')."
        )
    return number, array


def _table(rows: wire.Rows) -> Any:
    """What `decode` gives."""
    if rows.keys is None:
        return rows.values.reshape(len(rows.ends), rows.columns)
    from scipy import sparse

    ends = np.concatenate(([0], rows.ends))
    return sparse.csr_matrix((rows.values, rows.keys, ends), shape=(len(rows.ends), rows.columns))


class _Row(NamedTuple):
    """One record's features."""

    values: np.ndarray[Any, Any]
    keys: np.ndarray[Any, Any]  # empty of dense rows
    dtype: str
    is_sparse: bool
    columns: int


def _unframed(raw: bytes | memoryview, start: int) -> tuple[memoryview, int]:
    """The message of the frame that begins at `start`, and where the next frame begins."""
    begin = start + wire.FRAME.size
    if begin > len(raw):
        raise ValueError(f"{len(raw) - start} bytes are no frame")
    magic, length = wire.FRAME.unpack_from(raw, start)
    if magic != wire.MAGIC:
        raise ValueError(f"its frame begins with 0x{magic:08x} instead of 0x{wire.MAGIC:08x}")
    end = begin + length
    if end > len(raw):
        raise ValueError(f"its frame promises {length} bytes, but {len(raw) - begin} follow")
    return memoryview(raw)[begin:end], end + -length % wire.ALIGNMENT


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
    if (
        not values
        or at < 0
        or len(first) - at - len(values) >= wire.ALIGNMENT
        or (frames[:, :at] != frames[0, :at]).any()
    ):
        return None
    return frames[:, at : at + len(values)].copy().view(row.dtype)


def _row(message: memoryview) -> _Row:
    tensor: tuple[int, memoryview] | None = None
    for number, content in _bytes_fields(message):
        if number != wire.FEATURES:
            continue
        entry = dict(_bytes_fields(content))
        if bytes(entry.get(wire.MAP_KEY, b"")) == wire.NAME:
            for kind, inner in _bytes_fields(entry.get(wire.MAP_VALUE, memoryview(b""))):
                if kind in wire.DTYPES:
                    tensor = kind, inner
    if tensor is None:
        raise ValueError("it has no features named 'values'")
    kind, content = tensor
    dtype = wire.DTYPES[kind]
    parts: dict[int, list[bytes]] = {wire.VALUES: [], wire.KEYS: [], wire.SHAPE: []}
    for number, form, part in _fields(content):
        if number in parts:
            # One entry of a field that is not packed has the bytes that it would have packed.
            parts[number].append(bytes(part) if form != wire.VARINT_FIELD else varints.one(part))
    packed = b"".join(parts[wire.VALUES])
    if dtype == "<i4":
        values = (_varints(packed) & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
    else:
        if len(packed) % np.dtype(dtype).itemsize:
            raise ValueError(f"its values take {len(packed)} bytes, no multiple of their size")
        values = np.frombuffer(packed, dtype)
    shape, keys = _varints(b"".join(parts[wire.SHAPE])), _varints(b"".join(parts[wire.KEYS]))
    if not len(keys) and (not len(shape) or (len(shape) == 1 and int(shape[0]) == len(values))):
        return _Row(values, keys, dtype, False, len(values))
    if len(shape) != 1 or len(keys) != len(values) or int(shape[0]) > wire.MOST_COLUMNS:
        raise ValueError(f"it has {len(values)} values, {len(keys)} keys and shape {shape[:2].tolist()}")
    if len(keys) and keys.max() >= shape[0]:
        raise ValueError(f"key {keys.max()} lies outside its shape {shape.tolist()}")
    return _Row(values, keys.astype(np.int64), dtype, True, int(shape[0]))


def _bytes_fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    return ((number, content) for number, form, content in _fields(message) if form == wire.BYTES_FIELD)


def _fields(message: memoryview) -> Iterator[tuple[int, int, Any]]:
    """Number, wire type and content of each field: an int of a varint, bytes of all others."""
    at, end = 0, len(message)
    while at < end:
        tag, at = _read_varint(message, at)
        number, form = tag >> 3, tag & 7
        if form == wire.VARINT_FIELD:
            value, at = _read_varint(message, at)
            yield number, form, value
            continue
        if form == wire.BYTES_FIELD:
            size, at = _read_varint(message, at)
        elif form in (wire.FIXED32_FIELD, wire.FIXED64_FIELD):
            size = 4 if form == wire.FIXED32_FIELD else 8
        else:
            raise ValueError(f"a field has the wire type {form}")
        if size > end - at:
            raise ValueError(f"a field promises {size} bytes, but {end - at} follow")
        yield number, form, message[at : at + size]
        at += size


def _read_varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    for group in message[at : at + varints.LONGEST]:
        value |= (group & 0x7F) << shift
        shift += 7
        if group < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at + shift // 7
    raise ValueError("a number has no end")


def _varints(packed: bytes) -> np.ndarray[Any, Any]:
    """The varints of a packed field, uint64."""
    numbers: list[int] = []
    at, view = 0, memoryview(packed)
    while at < len(packed):
        number, at = _read_varint(view, at)
        numbers.append(number)
    return np.array(numbers, dtype=np.uint64)
