"""What is in answers of the batch transform: how many rows and columns, and the labels of RecordIO-protobuf records."""

from __future__ import annotations

import csv
import io
import struct
from typing import Iterator

from sagemaker_sklearn_container.codecs import recordio_codec

RECORDIO = recordio_codec.MEDIA_TYPE

_FRAME = struct.Struct("<II")
_LABEL, _ENTRY_VALUE, _VALUES = 2, 2, 1
# Number of the tensor in a Value, and the format of what it holds; labels of generated code are float32.
_FORMATS = {2: "<f", 3: "<d"}
_BYTES_FIELD, _VARINT_BITS = 2, 7


def extent(body: bytes, content_type: str) -> tuple[int, int]:
    """Rows, and columns with the label's."""
    if content_type != RECORDIO:
        rows = csv.reader(io.StringIO(body.decode("utf-8"), newline=""))
        first = next(rows, [])
        return sum(map(bool, rows)) + bool(first), len(first)
    frames = list(_frames(body))
    if not frames:
        return 0, 0
    end = -(-len(frames[0]) // 4) * 4 + _FRAME.size
    columns = recordio_codec.decode(body[:end]).shape[1]
    return len(frames), int(columns) + (_label(frames[0]) is not None)


def labels(body: bytes) -> list[float]:
    """The labels of records that all have one.

    Raises:
        ValueError: one has none.
    """
    found = []
    for number, frame in enumerate(_frames(body), 1):
        label = _label(frame)
        if label is None:
            raise ValueError(f"record {number} has no label")
        found.append(label)
    return found


def _frames(body: bytes) -> Iterator[memoryview]:
    view, at = memoryview(body), 0
    while at < len(body):
        _, length = _FRAME.unpack_from(body, at)
        at += _FRAME.size
        yield view[at : at + length]
        at += -(-length // 4) * 4


def _label(record: memoryview) -> float | None:
    """The first value of the record's label; the codec reads features only."""
    entry = _field(record, _LABEL)
    value = _field(entry, _ENTRY_VALUE) if entry is not None else None
    for number, form in _FORMATS.items():
        tensor = _field(value, number) if value is not None else None
        packed = _field(tensor, _VALUES) if tensor is not None else None
        if packed is not None:
            return float(struct.unpack_from(form, packed)[0])
    return None


def _field(message: memoryview, wanted: int) -> memoryview | None:
    """The content of a field; all fields of these messages carry their length."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        if tag & 7 != _BYTES_FIELD:
            raise ValueError(f"a field of wire type {tag & 7}")
        length, at = _varint(message, at)
        if tag >> 3 == wanted:
            return message[at : at + length]
        at += length
    return None


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += _VARINT_BITS
