"""Error classes.

What goes wrong while a reader reads is a `DataReaderError` with the first error as its cause; opening a store raises
`OSError` or a `StreamError`, a constructor `ValueError`.

Source: contract A-03.
"""

from __future__ import annotations

from typing import Any


class MLIOError(RuntimeError):
    """Any failure of this package.

    Attributes:
        request_status: HTTP status of the answer when the data came from memory, which is how a request's body is read;
            None elsewhere. A server that runs the reader may answer with it.
    """

    request_status: int | None = None


class StreamError(MLIOError):
    """A stream cannot be used: it is closed, or what it holds has another encoding."""


class InflateError(StreamError):
    """Compressed data is damaged or ends too early."""


class RecordError(MLIOError):
    """A record cannot be read."""


class CorruptRecordError(RecordError):
    """A record's bytes break the rules of its format."""


class CorruptHeaderError(CorruptRecordError):
    """A record does not begin as its format asks for."""


class CorruptFooterError(CorruptRecordError):
    """A record does not end as its format asks for."""


class RecordTooLargeError(RecordError):
    """A record is longer than the reader's limit."""


class DataReaderError(MLIOError):
    """The data set cannot be read; the cause is the error that was met first."""


class SchemaError(DataReaderError):
    """The columns of the data set cannot be told, or differ from those asked for."""


class InvalidInstanceError(DataReaderError):
    """One row or record does not fit the schema."""


class NotSupportedError(MLIOError):
    """What was asked for is not offered."""


class UnavailableError(NotSupportedError, ImportError):
    """A name of the replaced library that this package does not have."""


class InvalidTextError(UnicodeDecodeError):
    """A cell holds bytes that are no UTF-8.

    Attributes:
        request_status: As in `MLIOError`.
    """

    request_status: int | None = None

    def __init__(self, raw: bytes, message: str) -> None:
        """An error about `raw`, which is no UTF-8; `message` says where it stands and what to do."""
        start, end, reason = _first_fault(raw)
        super().__init__("utf-8", raw, start, end, reason)
        self._message = message

    def __str__(self) -> str:
        return self._message

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.object, self._message), {"request_status": self.request_status}


def _first_fault(raw: bytes) -> tuple[int, int, str]:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        return exc.start, exc.end, exc.reason
    return 0, len(raw), "no fault"
