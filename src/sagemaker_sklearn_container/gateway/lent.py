"""A worker's side of a connection that the gateway has lent to it: simple requests in, and nothing else.

What is not simple goes back to the gateway together with the connection, which knows all of HTTP and can wait.
"""

from __future__ import annotations

import mmap
import select
import socket

import httptools

from sagemaker_sklearn_container.gateway.limits import Limits
from sagemaker_sklearn_container.gateway.request import HttpRequest, RequestIds
from sagemaker_sklearn_container.gateway.routes import Target
from sagemaker_sklearn_container.processes.messages import Loan, Request
from sagemaker_sklearn_container.request_headers import RequestHeaders

# Room for what is not body.
_HEAD_BYTES = 64 * 1024
# Requests up to this length go through the parser whole; of longer ones only the head, since it copies bodies.
_SMALL_BYTES = 16 * 1024
_END_OF_HEAD = b"\r\n\r\n"
# How long to wait for the rest of a request that has begun to come in. Meanwhile this worker does nothing else.
_PAUSE_MS = 5
_PAUSES = 4


class NotSimpleError(Exception):
    """Something else than one simple, whole request has come in, or nothing ever will.

    Attributes:
        read: What has been read.
    """

    def __init__(self, read: bytes = b"") -> None:
        """The connection has to go back, with what was read from it."""
        super().__init__()
        self.read = read


class Reading:
    """What the lent connections of a process share.

    Attributes:
        limits: What is allowed.
        default_accept: Media type of answers when the client asks for none.
        ids: For requests.
        memory: Room for the request that is read at the moment.
        view: The same.
        longest_body: Of requests that are read here, bytes.
    """

    def __init__(self, limits: Limits, default_accept: bytes) -> None:
        """Room for a request that is not large."""
        self.limits = limits
        self.default_accept = default_accept
        self.ids = RequestIds()
        # Not a bytearray, which would write zeros to all of it.
        self.memory = mmap.mmap(-1, _HEAD_BYTES + limits.large_body_bytes)
        self.view = memoryview(self.memory)
        most = limits.max_body_bytes
        self.longest_body = limits.large_body_bytes if most is None else min(most, limits.large_body_bytes)


class LentConnection:
    """Reads requests from a client's connection.

    Attributes:
        loan: What the gateway said about it.
        until: When it is to go back, on the monotonic clock, seconds.

    Source: contract S-12, S-20, S-22, S-23, S-26, S-29.
    """

    def __init__(self, end: socket.socket, loan: Loan, until: float, reading: Reading) -> None:
        """The connection over a socket, which it then owns."""
        self.loan = loan
        self.until = until
        self._socket = end
        self._view = reading.view
        self._memory = reading.memory
        self._ids = reading.ids
        self._limits = reading.limits
        self._longest_body = reading.longest_body
        self._default_accept = reading.default_accept
        self._target = Target(loan.kind, "")
        self._parser = httptools.HttpRequestParser(self)
        self._request: HttpRequest | None = None
        self._head = b""  # of the last request
        self._body_length = 0
        self._types: tuple[str, str] | None = None  # what it sends and accepts
        self._simple = False  # as far as is known
        self._headed = False
        self._whole = False

    def fileno(self) -> int:
        """The file descriptor, for waiting."""
        return self._socket.fileno()

    def read(self) -> HttpRequest | None:
        """The request that has come in; None if nothing has.

        Raises:
            NotSimpleError: the connection has to go back.
        """
        view = self._view
        try:
            count = self._socket.recv_into(view)
        except BlockingIOError:
            return None
        except OSError:
            raise NotSimpleError from None
        if not count:
            raise NotSimpleError
        request = self._read_again(count)
        if request is None:
            request = self._parsed(count)
        request.identify(self._ids)
        return request

    def task(self, request: HttpRequest) -> Request:
        """The request as the worker's functions get it; a longer body is valid until the next one is read."""
        types = self._types
        if types is None:
            content_type, accept = request.negotiated(self._default_accept)
            types = self._types = content_type.decode("latin-1"), accept.decode("latin-1")
        return Request(
            self.loan.kind,
            types[0],
            types[1],
            request.request_id.decode("ascii"),
            RequestHeaders(request.headers),
            request.body,
        )

    def send(self, data: bytes) -> int:
        """Write what can be written without waiting; gives the number of bytes.

        Raises:
            OSError: the client has gone.
        """
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Let go of it; the gateway has it still."""
        self._socket.close()

    def _read_again(self, count: int) -> HttpRequest | None:
        """The request in the `count` bytes that have come in, if its head is the last one's: most clients send the same
        head each time, and it would be parsed to the same request.
        """
        size, request, memory = len(self._head), self._request, self._memory
        if request is None or not 0 < size <= count or memory[:size] != self._head:
            return None
        end = size + self._body_length
        if count < end or end > _SMALL_BYTES:
            self._read_rest(request, size, count)
        elif count > end:  # a client that sends ahead
            raise NotSimpleError(memory[:count])
        else:
            request.set_body(memory[size:end])
        return request

    def _parsed(self, count: int) -> HttpRequest:
        """The request in the `count` bytes that have come in."""
        view = self._view
        self._request, self._simple, self._headed, self._whole = None, True, False, False
        self._head, self._types = b"", None
        parsed = count
        if count > _SMALL_BYTES:
            parsed = self._memory.find(_END_OF_HEAD, 0, _SMALL_BYTES) + len(_END_OF_HEAD)
        try:
            self._parser.feed_data(view[:parsed])
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            raise NotSimpleError(bytes(view[:count])) from None
        request = self._request
        if request is None or not (self._simple and self._headed):
            raise NotSimpleError(bytes(view[:count]))
        start = parsed - request.length
        if self._whole:
            if parsed < count:
                raise NotSimpleError(bytes(view[:count]))
        else:
            self._read_rest(request, start, count)
            self._parser = httptools.HttpRequestParser(self)  # the last one waits for the rest of the body
        self._head, self._body_length = self._memory[:start], request.length
        return request

    # The parser

    def on_message_begin(self) -> None:
        if self._request is None:
            self._request = HttpRequest(None)
        else:  # a client that sends ahead
            self._simple = False

    def on_url(self, url: bytes) -> None:
        if self._request is not None:
            self._request.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._request is not None:
            self._request.add_header(name, value)

    def on_headers_complete(self) -> None:
        request, parser = self._request, self._parser
        self._headed = True
        if request is None or not self._simple:
            return
        special = request.special
        self._simple = (
            request.url == self.loan.url
            and b"content-length" in special
            and b"expect" not in special
            and parser.get_method() == b"POST"
            and parser.should_keep_alive()
            and parser.get_http_version() == "1.1"
            and int(special[b"content-length"]) <= self._longest_body
            and request.head_fits(self._limits)
        )
        request.method = b"POST"
        request.target = self._target

    def on_body(self, data: bytes) -> None:
        if self._request is not None:
            self._request.add_inline(data)

    def on_message_complete(self) -> None:
        self._whole = True

    def _read_rest(self, request: HttpRequest, start: int, count: int) -> None:
        """Read the rest of a body that begins at `start`; so far `count` bytes have been read."""
        view, receive = self._view, self._socket.recv_into
        end = start + int(request.special[b"content-length"])
        pauses = 0
        if count > end:  # a client that sends ahead
            raise NotSimpleError(bytes(view[:count]))
        while count < end:
            try:
                received = receive(view[count:end])
            except BlockingIOError:
                pauses += 1
                if pauses > _PAUSES:
                    raise NotSimpleError(bytes(view[:count])) from None
                self._wait()
                continue
            except OSError:
                received = 0
            if not received:
                raise NotSimpleError(bytes(view[:count]))
            count += received
        request.set_body(view[start:end])

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.poll(_PAUSE_MS)
