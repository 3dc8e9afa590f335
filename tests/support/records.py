"""Reads RecordIO-protobuf as other containers do: field by field, without the container's own codec."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any, Iterator

import numpy as np

_MAGIC = 0xCED7230A
_DTYPES = {2: "<f4", 3: "<f8", 7: "<i4"}


@dataclass
class Tensor:
    """One value of a record.

    Attributes:
        values: 1-D ndarray.
        keys: Columns of the values, empty if there is one for each column.
        shape: Number of columns if there are keys, else empty.
    """

    values: np.ndarray[Any, Any]
    keys: list[int] = field(default_factory=list)
    shape: list[int] = field(default_factory=list)

    @property
    def dense(self) -> np.ndarray[Any, Any]:
        """All columns."""
        if not self.shape:
            return self.values
        row = np.zeros(self.shape[0], self.values.dtype)
        row[self.keys] = self.values
        return row


@dataclass
class Record:
    """One row; the label is None if there is none."""

    features: Tensor
    label: float | None


def read(content: bytes) -> list[Record]:
    """The records of a body."""
    records = []
    at = 0
    while at < len(content):
        magic, length = struct.unpack_from("<II", content, at)
        assert magic == _MAGIC, f"no record begins at byte {at}"
        records.append(_record(content[at + 8 : at + 8 + length]))
        at += 8 + -(-length // 4) * 4
    return records


def dense(content: bytes) -> np.ndarray[Any, Any]:
    """The features of a body, shape (n_rows, n_columns)."""
    return np.stack([record.features.dense for record in read(content)])


def _record(message: bytes) -> Record:
    found: dict[int, Tensor] = {}
    for number, entry in _fields(message):
        parts = dict(_fields(entry))
        assert parts[1] == b"values", parts[1]
        found[number] = _tensor(parts[2])
    label = found.get(2)
    return Record(found[1], None if label is None else float(label.values[0]))


def _tensor(value: bytes) -> Tensor:
    ((number, content),) = _fields(value)
    parts = dict(_fields(content))
    values = np.frombuffer(parts.get(1, b""), _DTYPES[number]) if number != 7 else np.array(list(_varints(parts[1])))
    return Tensor(values, list(_varints(parts.get(2, b""))), list(_varints(parts.get(3, b""))))


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        assert tag & 7 == 2, f"field {tag >> 3} has the wire type {tag & 7}"
        length, at = _varint(message, at)
        yield tag >> 3, message[at : at + length]
        at += length


def _varints(packed: bytes) -> Iterator[int]:
    at = 0
    while at < len(packed):
        number, at = _varint(packed, at)
        yield number


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (message[at] & 0x7F) << shift
        at += 1
        if message[at - 1] < 0x80:
            return value, at
        shift += 7
