"""RecordIO frames and the records in them, `aialgs.data.Record` messages.

A frame: four bytes of a mark, the length of the message with three bits in front that say which part of it this is,
the message, and zeros up to a multiple of four.

The messages, as protobuf numbers them:
    Record: features = 1, label = 2, both maps of string to Value.
    Value: one of float32_tensor = 2, float64_tensor = 3, int32_tensor = 7, bytes = 9.
    a tensor: values = 1, keys = 2, shape = 3; keys and shape are uint64, and keys make it sparse.

Source: contract C-25, A-03.
"""

from __future__ import annotations

import enum
import struct
from typing import Any, Iterator, NamedTuple

import numpy as np

from mlio.data_types import DataType
from mlio.errors import CorruptHeaderError, CorruptRecordError, NotSupportedError
from mlio.streams import InputStream

_MAGIC = 0xCED7230A
_HEADER = struct.Struct("<II")
_LENGTH_MASK = (1 << 29) - 1
_ALIGNMENT = 4
_PIECE = 1 << 20

_FEATURES, _LABEL = 1, 2
_MAP_KEY, _MAP_VALUE = 1, 2
_VALUES, _KEYS, _SHAPE = 1, 2, 3
_BYTES_VALUE = 9
_TENSORS: dict[int, tuple[DataType, np.dtype[Any]]] = {
    2: (DataType.FLOAT32, np.dtype("<f4")),
    3: (DataType.FLOAT64, np.dtype("<f8")),
    7: (DataType.INT32, np.dtype("<i4")),
}
_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
# So that features and labels of the same name differ.
_LABEL_PREFIX = "label_"


class RecordKind(enum.Enum):
    """Whether a frame holds a whole record or a part of one."""

    COMPLETE = 0
    BEGIN = 1
    MIDDLE = 2
    END = 3


# The bits in front of a frame's length.
_KINDS = {0: RecordKind.COMPLETE, 1: RecordKind.BEGIN, 2: RecordKind.MIDDLE, 3: RecordKind.END}


class Feature(NamedTuple):
    """One tensor of a record.

    Attributes:
        name: Of the feature; of labels with the prefix "label_".
        data_type: Of the values.
        values: ndarray of shape (n_values,).
        keys: uint64 ndarray of shape (n_values,), positions of a sparse tensor's values in C order; None of dense ones.
        shape: Of the tensor in one row.
    """

    name: str
    data_type: DataType
    values: np.ndarray[Any, Any]
    keys: np.ndarray[Any, Any] | None
    shape: tuple[int, ...]


def messages(stream: InputStream) -> Iterator[bytes]:
    """The messages in the frames of `stream`; those in parts are put together.

    Raises:
        CorruptRecordError: a frame is damaged or cut off.
    """
    parts: list[bytes] = []
    for kind, payload in frames(stream):
        expected = (RecordKind.MIDDLE, RecordKind.END) if parts else (RecordKind.COMPLETE, RecordKind.BEGIN)
        if kind not in expected:
            names = " or ".join(allowed.name for allowed in expected)
            raise CorruptRecordError(f"its frame is marked {kind.name}; {names} must come here.")
        if kind is RecordKind.COMPLETE:
            yield payload
            continue
        parts.append(payload)
        if kind is RecordKind.END:
            yield b"".join(parts)
            parts = []
    if parts:
        raise CorruptRecordError("its last part is missing; the data was cut off.")


def frames(stream: InputStream) -> Iterator[tuple[RecordKind, bytes]]:
    """The frames of `stream`: kind and payload.

    Raises:
        CorruptHeaderError: a frame does not begin with the mark.
        CorruptRecordError: the stream ends within a frame.
    """
    rest = memoryview(b"")
    is_last = False
    while True:
        at = 0
        while len(rest) - at >= _HEADER.size:
            magic, head = _HEADER.unpack_from(rest, at)
            if magic != _MAGIC:
                raise CorruptHeaderError(f"its frame begins with 0x{magic:08x} instead of 0x{_MAGIC:08x}.")
            kind = _KINDS.get(head >> 29)
            if kind is None:
                raise CorruptHeaderError(f"the length in its frame, 0x{head:08x}, begins with bits that mean nothing.")
            length = head & _LENGTH_MASK
            begin = at + _HEADER.size
            after = begin + length + -length % _ALIGNMENT
            if after > len(rest) and not (is_last and begin + length <= len(rest)):
                break
            yield kind, bytes(rest[begin : begin + length])
            at = min(after, len(rest))
        rest = rest[at:]
        if is_last:
            if len(rest):
                raise CorruptRecordError(f"its frame is cut off: {len(rest)} bytes are left. Send whole records.")
            return
        wanted = max(_PIECE, len(rest))
        piece = bytes(stream.read(wanted))
        is_last = not piece
        if piece:
            rest = memoryview(bytes(rest) + piece)


def features(message: bytes) -> list[Feature]:
    """The tensors of a record: labels, then features, each as they come.

    Raises:
        CorruptRecordError: the message breaks protobuf's rules.
        NotSupportedError: a value is a byte string.
    """
    labels: list[Feature] = []
    others: list[Feature] = []
    for number, content in _fields(memoryview(message)):
        if number in (_FEATURES, _LABEL) and isinstance(content, memoryview):
            prefix, found = (_LABEL_PREFIX, labels) if number == _LABEL else ("", others)
            found.append(_feature(prefix, content))
    return labels + others


def _feature(prefix: str, entry: memoryview) -> Feature:
    parts = dict(_fields(entry))
    try:
        name = prefix + bytes(_content(parts.get(_MAP_KEY, memoryview(b"")))).decode("utf-8")
    except UnicodeDecodeError as exc:
        raise CorruptRecordError(f"the name of a feature is no UTF-8: {exc}.") from exc
    for number, content in _fields(_content(parts.get(_MAP_VALUE, memoryview(b"")))):
        if number in _TENSORS:
            return _tensor(name, number, _content(content))
        if number == _BYTES_VALUE:
            raise NotSupportedError(f"the feature {name!r} is a byte string; only numbers can be read.")
    raise CorruptRecordError(f"the feature {name!r} has no tensor of float32, float64 or int32.")


def _tensor(name: str, number: int, message: memoryview) -> Feature:
    data_type, dtype = _TENSORS[number]
    values: list[np.ndarray[Any, Any]] = []
    keys: list[np.ndarray[Any, Any]] = []
    shape: list[np.ndarray[Any, Any]] = []
    for field, content in _fields(message):
        if field == _VALUES:
            values.append(_values(content, data_type, dtype))
        elif field == _KEYS:
            keys.append(_varints(content))
        elif field == _SHAPE:
            shape.append(_varints(content))
    data = _joined(values, dtype)
    sizes = tuple(_joined(shape, np.dtype("uint64")).tolist())
    # Without a key and a value, only sparse tensors need a shape.
    is_sparse = bool(keys) or (bool(sizes) and not len(data))
    positions = _joined(keys, np.dtype("uint64")) if is_sparse else None
    return Feature(name, data_type, data, positions, sizes if sizes or is_sparse else (len(data),))


def _joined(parts: list[np.ndarray[Any, Any]], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([np.empty(0, dtype), *parts])


def _values(content: Any, data_type: DataType, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    if data_type is DataType.INT32:
        # A negative int32 takes 64 bits of two's complement.
        return _varints(content).astype(np.uint32).view(np.int32)
    if isinstance(content, int):
        content = content.to_bytes(dtype.itemsize, "little")
    if len(content) % dtype.itemsize:
        raise CorruptRecordError(f"a tensor of {data_type.name} has {len(content)} bytes.")
    return np.frombuffer(content, dtype)


def _varints(content: Any) -> np.ndarray[Any, Any]:
    """Packed varints as uint64."""
    if isinstance(content, int):
        return np.array([content], np.uint64)
    data = np.frombuffer(content, np.uint8)
    ends = np.flatnonzero(data < 0x80)
    if len(data) and (not len(ends) or ends[-1] != len(data) - 1):
        raise CorruptRecordError("a list of integers is cut off.")
    if len(ends) == len(data):
        return data.astype(np.uint64)
    starts = np.concatenate([[0], ends[:-1] + 1])
    if (ends - starts).max() >= _LONGEST_VARINT:
        raise CorruptRecordError("an integer has more than 64 bits.")
    places = np.arange(len(data)) - np.repeat(starts, ends - starts + 1)
    groups = (data & 0x7F).astype(np.uint64) << (7 * places).astype(np.uint64)
    return np.add.reduceat(groups, starts)


def _content(content: Any) -> memoryview:
    if not isinstance(content, memoryview):
        raise CorruptRecordError("a field has another type than the format gives it.")
    return content


def _fields(message: memoryview) -> Iterator[tuple[int, Any]]:
    """Number and content of the message's fields: memoryview of delimited ones, int of others."""
    at, length = 0, len(message)
    while at < length:
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            content, at = _varint(message, at)
            yield number, content
            continue
        if wire == _DELIMITED:
            size, at = _varint(message, at)
        else:
            size = {_FIXED64: 8, _FIXED32: 4}.get(wire, -1)
        if size < 0 or not number:
            raise CorruptRecordError(f"field {number} has the unknown wire type {wire}.")
        if at + size > length:
            raise CorruptRecordError(f"field {number} promises {size} bytes, but {length - at} follow.")
        part = message[at : at + size]
        yield number, part if wire == _DELIMITED else int.from_bytes(part, "little")
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for place in range(_LONGEST_VARINT):
        if at + place >= len(message):
            break
        byte = message[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise CorruptRecordError("an integer is cut off or has more than 64 bits.")
