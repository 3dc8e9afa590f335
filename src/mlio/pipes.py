"""Pipe mode channels: one FIFO after another, each one epoch.

Source: contract A-03.
"""

from __future__ import annotations

import errno
import os
import select
import threading
import time
from datetime import timedelta

from mlio.errors import NotSupportedError
from mlio.stores import Compression, DataStore, check_readable, file_path, inflated
from mlio.streams import InputStream

_ATTEMPTS = 3
_ATTEMPT_PAUSE_S = 1.0

_OPEN = -1
# By channel: the number of the FIFO that comes next, or that the channel is open.
_next_fifos: dict[str, int] = {}
_lock = threading.Lock()


class SageMakerPipe(DataStore):
    """A channel in pipe mode; each time it is opened it is the next FIFO, `<path>_0`, `<path>_1` and so on."""

    def __init__(
        self,
        path: str | None = None,
        timeout: timedelta | float = timedelta(seconds=60),
        fifo_id: int | None = None,
        compression: Compression = Compression.NONE,
        *,
        pathname: str | None = None,
    ) -> None:
        """A store of the channel at `path`; nothing is opened before `open_read`.

        Args:
            path: Of the channel, without the number of the FIFO.
            timeout: How long to wait for data; a number means seconds.
            fifo_id: Number of the first FIFO; None goes on where this process ended, from 0.
            compression: NONE or GZIP.
            pathname: Another name of `path`.

        Raises:
            ValueError: the path is empty or ends as that of a folder.
            NotSupportedError: the compression is INFER.
        """
        self._path = file_path(path if pathname is None else pathname)
        if compression is Compression.INFER:
            raise NotSupportedError(
                "Making a SageMakerPipe: compression is INFER, but a channel's name says nothing about it; give NONE "
                "or GZIP."
            )
        self._timeout = timeout if isinstance(timeout, timedelta) else timedelta(seconds=timeout)
        self._fifo_id = fifo_id
        self._compression = compression

    @property
    def id(self) -> str:
        """The path."""
        return self._path

    def open_read(self) -> InputStream:
        """A stream of the next FIFO's data; waits until there is some, or its writer closes it.

        Raises:
            TimeoutError: no data came.
            OSError: the FIFO does not exist or cannot be opened; the channel is open already (PermissionError).
            NotSupportedError: the compression is none that can be read.

        Source: contract A-03.
        """
        check_readable(self._compression, self._path)
        stream = PipeInputStream(self._path, self._timeout.total_seconds(), self._fifo_id)
        self._fifo_id = None
        return inflated(stream, self._compression, self._path)


class PipeInputStream(InputStream):
    """A stream of one FIFO."""

    def __init__(self, path: str, timeout_s: float, fifo_id: int | None) -> None:
        """A stream of the next FIFO of the channel at `path`, or of number `fifo_id`; raises as `open_read` does."""
        self._path = path
        self._timeout_s = timeout_s
        self._descriptor = -1
        with _lock:
            number = _next_fifos.get(path, 0)
            if number == _OPEN:
                raise PermissionError(
                    errno.EACCES, "Opening the pipe channel: it is open already; read it to its end or close it", path
                )
            _next_fifos[path] = _OPEN
        self._number = number if fifo_id is None else fifo_id
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        name = f"{self._path}_{self._number}"
        for attempt in range(_ATTEMPTS):
            try:
                # Opening it the blocking way would wait for a writer without end.
                self._descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                break
            except OSError:
                # The platform makes the next FIFO in advance, as a rule.
                if attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(_ATTEMPT_PAUSE_S)
        self._number += 1
        # Before a writer has come, reading would look like the end of the data.
        self._wait()

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        if not poll.poll(self._timeout_s * 1000):
            raise TimeoutError(
                errno.ETIMEDOUT,
                f"Reading FIFO {self._number - 1} of the pipe channel: no data came for {self._timeout_s:g} s; see "
                "whether the channel has data, or give a longer timeout",
                self._path,
            )

    def _read(self, size: int) -> bytes:
        while True:
            try:
                return os.read(self._descriptor, size)
            except BlockingIOError:
                self._wait()

    def close(self) -> None:
        """Close the FIFO; the channel's next one can be opened then."""
        if self.closed:
            return
        super().close()
        if self._descriptor >= 0:
            os.close(self._descriptor)
        with _lock:
            _next_fifos[self._path] = self._number

    def __del__(self) -> None:
        # A stream that was given up in the middle does not keep its channel.
        if hasattr(self, "_number"):
            self.close()
