"""Reads the records of a whole body at once, if all are put together as writers do: one field behind the other, packed.

Whatever is not, and whatever is wrong, is left to the reading of one record after the other.

Source: contract C-25.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sagemaker_sklearn_container.codecs import recordio_format as wire
from sagemaker_sklearn_container.codecs import varints

_WORD = np.dtype("<u4")
# Lengths and shapes: five bytes hold more than any that are allowed.
_LENGTH_BYTES = 5
_KEY_BYTES = 8


def read(raw: bytes | memoryview) -> wire.Rows | None:
    """The features of all records; None if they are not such."""
    frames = _frames(raw)
    if frames is None:
        return None
    try:
        return _Records(np.frombuffer(raw, np.uint8), *frames).rows()
    except _Unusual:
        return None


def _frames(raw: bytes | memoryview) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]] | None:
    """Where each message begins and ends, if nothing in a message looks like a frame."""
    if not len(raw) or len(raw) % wire.ALIGNMENT:
        return None
    words = np.frombuffer(raw, _WORD)
    starts = np.flatnonzero(words == wire.MAGIC)
    if not len(starts) or starts[0] or starts[-1] + 1 == len(words):
        return None
    lengths = words[starts + 1].astype(np.int64)
    begins = (starts + 2) * wire.ALIGNMENT
    ends = begins + lengths
    following = np.append(starts[1:], len(words)) * wire.ALIGNMENT
    if (ends + -lengths % wire.ALIGNMENT != following).any():
        return None
    return begins, ends


class _Unusual(Exception):  # noqa: N818
    """The records are to be read one by one."""


class _Records:
    """A place in each record, which moves on in all of them."""

    def __init__(self, raw: np.ndarray[Any, Any], begins: np.ndarray[Any, Any], ends: np.ndarray[Any, Any]) -> None:
        """The beginnings of the messages."""
        self._raw = raw
        self._at = begins
        self._ends = ends

    def rows(self) -> wire.Rows:
        """The features.

        Raises:
            _Unusual: they are something else, or not as they should be.
        """
        entry_ends = self._into(wire.FEATURES, self._ends)
        self._expect(wire.tag(wire.MAP_KEY) + varints.one(len(wire.NAME)) + wire.NAME)
        self._into_last(wire.MAP_VALUE, entry_ends)
        number = self._raw[self._at[0]] >> 3
        if number not in wire.DTYPES:
            raise _Unusual
        self._into_last(number, entry_ends)
        dtype = np.dtype(wire.DTYPES[number])
        packed = self._field(wire.VALUES, entry_ends)
        keys = self._field(wire.KEYS, entry_ends)
        shape = self._field(wire.SHAPE, entry_ends)
        _check(self._at == entry_ends)
        labelled = entry_ends != self._ends
        if labelled.any():
            _check(labelled)
            self._into_last(wire.LABEL, self._ends)
        values, ends = _numbers(*packed, dtype)
        if not len(shape[0]):
            _check(keys[1] == 0)
            columns = int(ends[0])
            _check(ends == np.arange(1, len(ends) + 1) * columns)
            return wire.Rows(values, ends, columns, None)
        return self._sparse(values, ends, keys, shape)

    def _sparse(
        self,
        values: np.ndarray[Any, Any],
        ends: np.ndarray[Any, Any],
        keys: tuple[bytearray, np.ndarray[Any, Any]],
        shape: tuple[bytearray, np.ndarray[Any, Any]],
    ) -> wire.Rows:
        columns, column_ends = _varints(*shape, _LENGTH_BYTES)
        found, key_ends = _varints(*keys, _KEY_BYTES)
        _check(column_ends == np.arange(1, len(ends) + 1))
        _check(columns == columns[0])
        _check(key_ends == ends)
        # Without columns an empty row may as well be a dense one.
        if not 0 < columns[0] <= wire.MOST_COLUMNS or (len(found) and found.max() >= columns[0]):
            raise _Unusual
        return wire.Rows(values, ends, int(columns[0]), found)

    def _expect(self, constant: bytes) -> None:
        for byte in constant:
            _check(self._raw.take(self._at, mode="clip") == byte)
            self._at = self._at + 1

    def _into(self, number: int, limits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Where the field with this number ends, which begins here; the place is then behind its head."""
        self._expect(wire.tag(number))
        lengths = self._length()
        ends: np.ndarray[Any, Any] = self._at + lengths
        _check(ends <= limits)
        return ends

    def _into_last(self, number: int, ends: np.ndarray[Any, Any]) -> None:
        _check(self._into(number, ends) == ends)

    def _field(self, number: int, limits: np.ndarray[Any, Any]) -> tuple[bytearray, np.ndarray[Any, Any]]:
        """The contents of a packed field, which records may lack; and where each record's ends in them."""
        present = (self._at < limits) & (self._raw.take(self._at, mode="clip") == wire.tag(number)[0])
        whole, self._at = self._at, self._at[present] + 1
        starts = whole.copy()
        lengths = self._length()
        starts[present] = self._at
        sizes = np.zeros(len(whole), np.int64)
        sizes[present] = lengths
        self._at = starts + sizes
        _check(self._at <= limits)
        raw = self._raw.data
        places = zip(starts[present].tolist(), self._at[present].tolist())
        return bytearray().join([raw[start:end] for start, end in places]), np.cumsum(sizes)

    def _length(self) -> np.ndarray[Any, Any]:
        """The varint at each place, which is then behind it."""
        lengths = np.zeros(len(self._at), np.int64)
        going = np.ones(len(self._at), bool)
        for place in range(_LENGTH_BYTES):
            groups = self._raw.take(self._at, mode="clip")
            lengths[going] |= (groups[going] & 0x7F).astype(np.int64) << 7 * place
            self._at = self._at + going
            going &= groups >= 0x80
            if not going.any():
                return lengths
        raise _Unusual


def _numbers(
    packed: bytearray, ends: np.ndarray[Any, Any], dtype: np.dtype[Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The values, and where each record's end in them."""
    if dtype.kind == "f":
        _check(ends % dtype.itemsize == 0)
        return np.frombuffer(packed, dtype), ends // dtype.itemsize
    numbers, ends = _varints(packed, ends, varints.LONGEST)
    return numbers.astype(np.int32), ends


def _varints(
    packed: bytearray, ends: np.ndarray[Any, Any], most_bytes: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The varints, and where each record's end in them."""
    found = varints.unpacked(np.frombuffer(packed, np.uint8), most_bytes)
    if found is None:
        raise _Unusual
    numbers, number_ends = found
    counts = np.searchsorted(number_ends, ends, side="right")
    # A record's last varint ends where the record's bytes do.
    _check(np.concatenate(([0], number_ends))[counts] == ends)
    return numbers, counts


def _check(holds: np.ndarray[Any, Any]) -> None:
    if not holds.all():
        raise _Unusual
