"""Streams of bytes, as stores open them."""

from __future__ import annotations

import io
import mmap
import os
import zlib
from typing import Any, BinaryIO

from mlio.errors import InflateError, StreamError

_CHUNK = 256 * 1024
# zlib's own number for "zlib or gzip, whatever the first bytes say".
_ANY_HEADER = 32 + zlib.MAX_WBITS


class InputStream:
    """Base of all streams; usable in a `with` statement."""

    closed = False

    def read(self, size: Any) -> Any:
        """The next bytes.

        Args:
            size: How many bytes at most, or a writable buffer to fill.

        Returns:
            bytes-like object, empty at the end; of a buffer, how many bytes were put into it.

        Raises:
            StreamError: the stream is closed.
        """
        if isinstance(size, int):
            self._check_open()
            return self._read(size)
        return self.readinto(size)

    def readinto(self, buf: Any) -> int:
        """Put the next bytes into a writable buffer and return how many there were; 0 at the end."""
        self._check_open()
        target = memoryview(buf).cast("B")
        data = self._read(len(target))
        target[: len(data)] = data
        return len(data)

    def _read(self, size: int) -> Any:
        raise NotImplementedError

    def seek(self, position: int) -> None:
        """Go to a byte, from 0.

        Raises:
            StreamError: the stream only goes forward.
        """
        raise StreamError(f"Seeking in a {type(self).__name__}: it can only be read forward.")

    def close(self) -> None:
        """End the use of the stream; more than once is no error."""
        self.closed = True

    @property
    def size(self) -> int:
        """Number of bytes.

        Raises:
            StreamError: it is not known before the end.
        """
        raise StreamError(f"Asking a {type(self).__name__} for its size: it is not known before its end.")

    @property
    def position(self) -> int:
        """Number of the next byte, from 0.

        Raises:
            StreamError: the stream only goes forward.
        """
        raise StreamError(f"Asking a {type(self).__name__} for its position: it can only be read forward.")

    @property
    def seekable(self) -> bool:
        """Whether `seek`, `size` and `position` work."""
        return False

    @property
    def supports_zero_copy(self) -> bool:
        """Whether `read` of a number returns a view of the data."""
        return False

    def _check_open(self) -> None:
        if self.closed:
            raise StreamError(f"Reading a {type(self).__name__}: it is closed; open the store again.")

    def __enter__(self) -> InputStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class MemoryInputStream(InputStream):
    """A stream of what lies in memory."""

    def __init__(self, data: Any) -> None:
        """A stream of a buffer's bytes."""
        self._data = memoryview(data).cast("B")
        self._at = 0

    def _read(self, size: int) -> memoryview:
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def seek(self, position: int) -> None:
        """Go to a byte, from 0; beyond the end is the end."""
        self._check_open()
        self._at = min(position, len(self._data))

    @property
    def size(self) -> int:
        """Number of bytes."""
        return len(self._data)

    @property
    def position(self) -> int:
        """Number of the next byte, from 0."""
        return self._at

    @property
    def seekable(self) -> bool:
        """True."""
        return True

    @property
    def supports_zero_copy(self) -> bool:
        """True."""
        return True


def mapped(path: str) -> InputStream:
    """A stream of a file that is mapped into memory; an empty file, which cannot be, is read as any other.

    Raises:
        OSError: the file cannot be opened.
    """
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size:
            return MemoryInputStream(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return MemoryInputStream(b"")


class FileInputStream(InputStream):
    """A stream of a file."""

    def __init__(self, path: str) -> None:
        """A stream of the file at `path`.

        Raises:
            OSError: it cannot be opened.
        """
        self._file: io.FileIO = open(path, "rb", buffering=0)  # noqa: SIM115 - closed by `close`

    def _read(self, size: int) -> bytes:
        return self._file.read(size) or b""

    def readinto(self, buf: Any) -> int:
        """Put the next bytes into a writable buffer and return how many there were; 0 at the end."""
        self._check_open()
        return self._file.readinto(buf) or 0

    def seek(self, position: int) -> None:
        """Go to a byte, from 0."""
        self._check_open()
        self._file.seek(position)

    def close(self) -> None:
        """Close the file."""
        super().close()
        self._file.close()

    @property
    def size(self) -> int:
        """Number of bytes."""
        self._check_open()
        return os.fstat(self._file.fileno()).st_size

    @property
    def position(self) -> int:
        """Number of the next byte, from 0."""
        self._check_open()
        return self._file.tell()

    @property
    def seekable(self) -> bool:
        """Whether the file is no pipe."""
        return self._file.seekable()


class InflateStream(InputStream):
    """A stream of what gzip or zlib compressed; one gzip member may follow another."""

    def __init__(self, inner: InputStream) -> None:
        """A stream of the content of `inner`, which it closes with itself."""
        self._inner = inner
        self._decoder = zlib.decompressobj(_ANY_HEADER)
        self._pending = b""
        self._at_start = True  # of a member
        self._had_member = False

    def _read(self, size: int) -> bytes:
        while size:
            data = self._pending or bytes(self._inner.read(_CHUNK))
            if self._at_start and self._had_member:
                data = data.lstrip(b"\0") if data else data  # padding behind a member
                if not data and self._pending:
                    self._pending = b""
                    continue
            if not data:
                if self._at_start and self._had_member:
                    return b""
                raise InflateError("Inflating: the compressed data ends too early; it was cut off. Send it whole.")
            self._at_start = False
            try:
                out = self._decoder.decompress(data, size)
            except zlib.error as exc:
                raise InflateError(f"Inflating: the compressed data is damaged ({exc}).") from exc
            if self._decoder.eof:
                self._pending = self._decoder.unused_data
                self._decoder = zlib.decompressobj(_ANY_HEADER)
                self._at_start = self._had_member = True
            else:
                self._pending = self._decoder.unconsumed_tail
            if out:
                return out
        return b""

    def close(self) -> None:
        """Close this stream and the one it reads."""
        super().close()
        self._inner.close()


class RawReader(io.RawIOBase):
    """A stream as the `io` module has it."""

    def __init__(self, stream: InputStream) -> None:
        """A file around `stream`, which it closes with itself."""
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """Whether the stream is."""
        return self._stream.seekable

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer and return how many bytes were put into it."""
        return self._stream.readinto(buffer)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte, as files do."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._stream.position, io.SEEK_END: self._stream.size}[whence]
        self._stream.seek(base + offset)
        return base + offset

    def tell(self) -> int:
        """Number of the next byte."""
        return self._stream.position

    def close(self) -> None:
        """Close the stream, too."""
        if not self.closed:
            self._stream.close()
        super().close()


def as_file(stream: InputStream) -> BinaryIO:
    """A buffered file around `stream`."""
    return io.BufferedReader(RawReader(stream))
