"""The access log: one line per request on standard output, with the fields of nginx's "combined" format."""

from __future__ import annotations

import asyncio
import os
import select
import time
from functools import lru_cache

# A pipe that is writable takes this much without waiting (pipe(7)).
_PIPE_BYTES = select.PIPE_BUF
# How long lines are collected: a system call for each would cost as much as the rest of a request's log line.
_COLLECT_S = 0.02
# Lines kept while nobody reads standard output; beyond that they are dropped and counted.
_MOST_LINES = 10_000
# Printable ASCII but for quote and backslash passes; the rest is written as \xHH, as nginx does.
_ESCAPED = {code: f"\\x{code:02X}" for code in (*range(32), 34, 92, *range(127, 256))}


class AccessLog:
    """Writes the lines of a moment in one call, and never waits for who reads them.

    A line ends in two more fields: seconds from the complete request to its answer, and the request id. Health checks
    that went well are left out: the platform makes one every five seconds.

    Source: contract S-15, S-16.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, descriptor: int = 1) -> None:
        """A log that writes to a file descriptor."""
        self._loop = loop
        self._descriptor = descriptor
        self._lines: list[str] = []
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
        if len(self._lines) >= _MOST_LINES:
            self._dropped += 1
            return
        now = int(time.time())
        if now != self._second:
            self._second = now
            self._stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now))
        line = (
            f'{client} - - [{self._stamp}] "{_safe(method)} {_safe(url)} HTTP/1.{0 if old else 1}" {status} {length} '
            f'"-" "{_safe(agent) or "-"}" {seconds:.6f} {request_id.decode("latin-1")}\n'
        )
        self._lines.append(line)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_later(_COLLECT_S, self.flush)

    def flush(self) -> None:
        """Write what there is, as far as it can be written without waiting."""
        self._scheduled = False
        data = "".join(self._lines).encode("latin-1")
        self._lines.clear()
        while data:
            if not self._poll.poll(0):
                break
            try:
                data = data[os.write(self._descriptor, data[:_PIPE_BYTES]) :]
            except BlockingIOError:
                break
            except OSError:
                return  # nobody will ever read it
        if data:
            self._lines[:0] = data.decode("latin-1").splitlines(keepends=True)
            self._scheduled = True
            self._loop.call_later(_COLLECT_S, self.flush)
        elif self._dropped:
            self._lines.append(f"{self._dropped} access log lines were dropped: nobody read standard output.\n")
            self._dropped = 0


@lru_cache(128)
def _safe(field: bytes) -> str:
    return field.decode("latin-1").translate(_ESCAPED)
