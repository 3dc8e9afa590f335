"""Stores: where data lies.

Source: contract A-03.
"""

from __future__ import annotations

import enum
from typing import Any

from mlio.errors import NotSupportedError
from mlio.streams import FileInputStream, InflateStream, InputStream, MemoryInputStream, mapped


class Compression(enum.Enum):
    """How the bytes of a store are compressed; GZIP is gzip or zlib, INFER goes by the name's ending."""

    NONE = 0
    INFER = 1
    GZIP = 2
    BZIP2 = 3
    ZIP = 4


_ENDINGS = {".gz": Compression.GZIP, ".bz2": Compression.BZIP2, ".zip": Compression.ZIP}


class DataStore:
    """Base of all stores; equal and hashed by `id`.

    Attributes:
        request_status: HTTP status of an answer to a request whose data is bad because this store's is; None if the
            store's data is no part of a request.
    """

    request_status: int | None = None

    def open_read(self) -> InputStream:
        """A stream of what the store holds."""
        raise NotImplementedError

    @property
    def id(self) -> str:
        """What tells it from other stores."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DataStore) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} id={self.id!r}>"


class InMemoryStore(DataStore):
    """Bytes in memory."""

    request_status = 400

    def __init__(self, buf: Any, compression: Compression = Compression.NONE) -> None:
        """A store of what `buf` holds.

        Args:
            buf: Object with the buffer protocol; it is not copied.
            compression: NONE or GZIP.

        Raises:
            NotSupportedError: the compression is INFER: there is no name to go by.
            TypeError: `buf` is no buffer.
        """
        if compression is Compression.INFER:
            raise NotSupportedError(
                "Making an InMemoryStore: compression is INFER, but bytes in memory have no name to go by; give NONE "
                "or GZIP."
            )
        if not isinstance(buf, bytes):
            view = memoryview(buf)
            buf = view.cast("B") if view.c_contiguous and view.nbytes else view.tobytes()
        self._buf = buf
        self._compression = compression

    @property
    def id(self) -> str:
        """Names the object in memory."""
        return f"in-memory store 0x{id(self._buf):x}"

    def open_read(self) -> InputStream:
        """A stream of the bytes.

        Raises:
            NotSupportedError: the compression is none that can be read.
        """
        return inflated(MemoryInputStream(self._buf), self._compression, self.id)


class File(DataStore):
    """A file; nothing is read, nor looked for, before `open_read`."""

    def __init__(
        self,
        path: str | None = None,
        memory_map: bool = True,
        compression: Compression = Compression.INFER,
        *,
        pathname: str | None = None,
        mmap: bool | None = None,
    ) -> None:
        """A store of the file at `path`.

        Args:
            path: Where it lies.
            memory_map: Whether `open_read` maps it into memory. Readers of CSV read it in pieces all the same.
            compression: NONE, GZIP, or INFER.
            pathname: Another name of `path`.
            mmap: Another name of `memory_map`.

        Raises:
            ValueError: the path is empty or ends as that of a folder.
        """
        self._path = file_path(path if pathname is None else pathname)
        self._memory_map = memory_map if mmap is None else mmap
        self._compression = compression

    @property
    def id(self) -> str:
        """The path."""
        return self._path

    @property
    def compression(self) -> Compression:
        """How the file is compressed, by its name if need be."""
        if self._compression is not Compression.INFER:
            return self._compression
        return next((kind for ending, kind in _ENDINGS.items() if self._path.endswith(ending)), Compression.NONE)

    def open_read(self) -> InputStream:
        """A stream of the file's content.

        Raises:
            OSError: the file cannot be opened.
            NotSupportedError: it is compressed in a way that cannot be read.
        """
        compression = self.compression
        check_readable(compression, self.id)
        stream = mapped(self._path) if self._memory_map else FileInputStream(self._path)
        return inflated(stream, compression, self.id)

    def open_pieces(self) -> InputStream:
        """The same without a memory map: a reader that goes through once is as fast, and a file that is cut meanwhile
        ends the data and not the process."""
        compression = self.compression
        check_readable(compression, self.id)
        return inflated(FileInputStream(self._path), compression, self.id)


def file_path(path: Any) -> str:
    """The path as text.

    Raises:
        ValueError: it is empty or ends as that of a folder.
        TypeError: it is no text.
    """
    if not isinstance(path, str):
        raise TypeError(f"Naming a store: the path is a {type(path).__name__}; it must be a str.")
    if not path or path[-1] in "/\\":
        raise ValueError(f"Naming a store: the path is {path!r}; it must not be empty nor end in a slash.")
    return path


def check_readable(compression: Compression, name: str) -> None:
    """Raise NotSupportedError if what is compressed so cannot be read."""
    if compression in (Compression.BZIP2, Compression.ZIP):
        raise NotSupportedError(
            f"Opening the data store {name!r}: it is compressed with {compression.name}; only gzip and zlib can be "
            "read. Compress it with gzip."
        )


def inflated(stream: InputStream, compression: Compression, name: str) -> InputStream:
    """The content of `stream`, which is compressed as said.

    Raises:
        NotSupportedError: it cannot be read.
    """
    if compression is Compression.NONE:
        return stream
    check_readable(compression, name)
    return InflateStream(stream)
