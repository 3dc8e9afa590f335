"""The access log: one line per request on standard output, with the fields of nginx's "combined" format."""

from __future__ import annotations

import os
import select
import time
from functools import lru_cache
from typing import Callable, Tuple

# A pipe that is writable takes this much without waiting (pipe(7)).
_PIPE_BYTES = select.PIPE_BUF
# How long lines are collected, and how many: a system call for each would cost as much as the rest of a request's log
# line. The requests behind a batch wait for it, so that under load a tenth of a second is too much.
_COLLECT_S = 0.1
_COLLECTED_LINES = 24
# Lines kept while nobody reads standard output; beyond that they are dropped and counted.
_MOST_LINES = 10_000
# Printable ASCII but for quote and backslash passes; the rest is written as \xHH, as nginx does.
_ESCAPED = {code: f"\\x{code:02X}" for code in (*range(32), 34, 92, *range(127, 256))}

# When, and what `AccessLog.add` takes.
_Request = Tuple[int, str, bytes, bytes, bool, int, int, bytes, float, bytes]


class AccessLog:
    """Writes the lines of a moment in one call, and never waits for who reads them.

    A line ends in two more fields: seconds from the complete request to its answer, and the request id. Health checks
    that went well are left out: the platform makes one every five seconds.

    Source: contract S-15, S-16.
    """

    def __init__(self, call_later: Callable[[float, Callable[[], None]], object], descriptor: int = 1) -> None:
        """A log that writes to a file descriptor; `call_later` has a function called after so many seconds."""
        self._call_later = call_later
        self._descriptor = descriptor
        self._requests: list[_Request] = []
        self._unwritten = b""
        self._scheduled = False
        self._dropped = 0
        self._second = -1
        self._stamp = ""
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)

    def add(
        self,
        client: str,
        method: bytes,
        url: bytes,
        old: bool,
        status: int,
        length: int,
        agent: bytes,
        seconds: float,
        request_id: bytes,
    ) -> None:
        """Log one request.

        Args:
            client: Its address.
            method: Of the request.
            url: Of the request, as sent.
            old: Whether it is HTTP/1.0.
            status: Of the answer; 499 if the client had gone.
            length: Of the answer's body, bytes.
            agent: The client's User-Agent, may be empty.
            seconds: From the complete request to its answer.
            request_id: Of the request.
        """
        if len(self._requests) >= _MOST_LINES:
            self._dropped += 1
            return
        self._requests.append((int(time.time()), client, method, url, old, status, length, agent, seconds, request_id))
        if not self._scheduled:
            self._scheduled = True
            self._call_later(_COLLECT_S, self.flush)
        elif len(self._requests) >= _COLLECTED_LINES and not self._unwritten:
            self._write()

    def flush(self) -> None:
        """Write what there is, as far as it can be written without waiting."""
        self._scheduled = False
        self._write()
        if self._unwritten:
            self._scheduled = True
            self._call_later(_COLLECT_S, self.flush)

    def _write(self) -> None:
        if self._written() and self._requests:
            # Made here, not one by one: in a row it takes half the time.
            self._unwritten = "".join(map(self._line, self._requests)).encode("latin-1")
            self._requests.clear()
            if self._dropped:
                self._unwritten += b"%d access log lines were dropped: nobody read standard output.\n" % self._dropped
                self._dropped = 0
            self._written()

    def _written(self) -> bool:
        """Write earlier lines; whether all of them are written."""
        data = self._unwritten
        while data and self._poll.poll(0):
            try:
                data = data[os.write(self._descriptor, data[:_PIPE_BYTES]) :]
            except BlockingIOError:
                break
            except OSError:  # nobody will ever read it
                data = b""
        self._unwritten = data
        return not data

    def _line(self, request: _Request) -> str:
        when, client, method, url, old, status, length, agent, seconds, request_id = request
        if when != self._second:
            self._second = when
            self._stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(when))
        return (
            f'{client} - - [{self._stamp}] "{_safe(method)} {_safe(url)} HTTP/1.{0 if old else 1}" {status} {length} '
            f'"-" "{_safe(agent) or "-"}" {seconds:.6f} {request_id.decode("latin-1")}\n'
        )


@lru_cache(128)
def _safe(field: bytes) -> str:
    return field.decode("latin-1").translate(_ESCAPED)
