"""Records as they lie in a stream, not decoded: whole Parquet files, one behind the other.

Source: contract A-03.
"""

from __future__ import annotations

import struct
from typing import Any, Iterator

from mlio.errors import CorruptFooterError, CorruptHeaderError
from mlio.recordio import RecordKind
from mlio.streams import InputStream

_MAGIC = b"PAR1"
_LENGTH = struct.Struct("<I")
# Version, schema, number of rows and row groups, one byte each at least behind a one-byte header, and the stop field.
_SHORTEST_FOOTER = 9
# What the first field of a footer can begin with.
_FOOTER_STARTS = frozenset(b"\x15\x29\x36\x49\x59\x68\x79")
_PIECE = 1 << 20


class Record:
    """One record.

    Attributes:
        kind: RecordKind; of Parquet always COMPLETE.
        payload: Its bytes.
    """

    __slots__ = ("kind", "payload")

    def __init__(self, payload: bytes, kind: RecordKind = RecordKind.COMPLETE) -> None:
        """A record; see the attributes."""
        self.kind = kind
        self.payload = payload

    def __bytes__(self) -> bytes:
        return self.payload

    def __len__(self) -> int:
        return len(self.payload)

    def __array__(self, dtype: Any = None) -> Any:
        import numpy as np

        array = np.frombuffer(self.payload, np.uint8)
        return array if dtype is None else array.astype(dtype)


class RecordReader:
    """Base of the readers of records. Iterating goes on where reading stands."""

    def __init__(self, stream: InputStream) -> None:
        """A reader of the records in `stream`."""
        self._records = self._read(stream)
        self._peeked: Record | None = None

    def _read(self, stream: InputStream) -> Iterator[Record]:
        raise NotImplementedError

    def read_record(self) -> Record | None:
        """The next record; None at the end.

        Raises:
            CorruptRecordError: it cannot be read.
        """
        record, self._peeked = self._peeked, None
        return self._next() if record is None else record

    def peek_record(self) -> Record | None:
        """The next record, which the next call returns again; None at the end."""
        if self._peeked is None:
            self._peeked = self._next()
        return self._peeked

    def _next(self) -> Record | None:
        for record in self._records:
            return record
        return None

    def __iter__(self) -> Iterator[Record]:
        return iter(self.read_record, None)


class ParquetRecordReader(RecordReader):
    """A reader of Parquet files in a stream; `mlio.integ.arrow.as_arrow_file` opens each for pyarrow."""

    def _read(self, stream: InputStream) -> Iterator[Record]:
        data = bytearray()
        searched, is_last = 0, False
        while not is_last:
            piece = stream.read(_PIECE)
            is_last = not len(piece)
            data += piece
            end = _end(data, searched, is_last)
            while end:
                yield Record(bytes(data[:end]))
                del data[:end]
                end = _end(data, 0, is_last)
            # The mark may have been cut in two.
            searched = max(0, len(data) - len(_MAGIC))
        if data:
            raise CorruptFooterError("Reading Parquet: the data ends without a footer; it was cut off.")


def _end(data: bytearray, searched: int, is_last: bool) -> int:
    """Where the first file in `data` ends; 0 if it does not yet."""
    is_known = len(data) >= len(_MAGIC) or (is_last and bool(data))
    if is_known and not data.startswith(_MAGIC):
        raise CorruptHeaderError(
            f"Reading Parquet: the data begins with {bytes(data[:4])!r} instead of {_MAGIC!r}; it is no Parquet file."
        )
    at = data.find(_MAGIC, max(searched, len(_MAGIC) + _LENGTH.size))
    while at >= 0:
        if _is_footer(data, at):
            return at + len(_MAGIC)
        at = data.find(_MAGIC, at + 1)
    return 0


def _is_footer(data: bytearray, at: int) -> bool:
    """Whether what precedes the mark at `at` is a footer: the mark may as well be among the values."""
    stop = at - _LENGTH.size
    [length] = _LENGTH.unpack_from(data, stop)
    start = stop - length
    return length >= _SHORTEST_FOOTER and start >= len(_MAGIC) and data[stop - 1] == 0 and data[start] in _FOOTER_STARTS
