"""One client's connection: HTTP/1.1 in, HTTP/1.1 out."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from functools import partial
from typing import Callable, cast

import httptools

from sagemaker_sklearn_container.errors import (
    MalformedRequestError,
    OverloadedError,
    RequestError,
)
from sagemaker_sklearn_container.gateway import responses
from sagemaker_sklearn_container.gateway.access_log import AccessLog
from sagemaker_sklearn_container.gateway.body import LONG_BYTES, LONGEST_BYTES, BodyReader
from sagemaker_sklearn_container.gateway.dispatch import fail
from sagemaker_sklearn_container.gateway.request import HttpRequest, RequestIds, head_too_large
from sagemaker_sklearn_container.gateway.routes import NOTHING, Target
from sagemaker_sklearn_container.gateway.site import Site, SiteSettings
from sagemaker_sklearn_container.processes.messages import END_OF_LINE, ResponsePacket

logger = logging.getLogger(__name__)

_FIRST_ERROR = 400
_CLIENT_GONE = 499  # in the access log only, as nginx has it
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_CLOSE = b"Connection: close\r\n\r\n"
_KEEP_ALIVE = b"Connection: keep-alive\r\n\r\n"
# How long to go on reading from a client that was refused in the middle of its request: closing at once would reset
# the connection, and the client might never see why (RFC 9112, 9.6).
_LINGER_S = 10.0
# How long to wait, when stopping, until a client that has its last answer closes the connection too. Until then a proxy
# between may still hold the answer, and an engine ends its proxies together with the container.
_LAST_ANSWER_S = 3.0
# A connection is lent after so many simple requests in a row, each of them answered within that time by a worker: of
# more time the way through the gateway is no part that matters.
_SIMPLE_REQUESTS = 2
# One that comes back since its client does not send simple requests needs more of them, up to so many.
_MOST_SIMPLE_REQUESTS = 10_000
_QUICK_S = 0.005


class Service:
    """What all connections share.

    Attributes:
        loop: The event loop.
        limits: What is allowed.
        routes: Which paths there are.
        error_body: Makes the bodies of errors.
        headers: Headers of every answer that the gateway gives.
        close_on_error: Whether an error ends the connection (M-22).
        submit: Has a complete request answered.
        access_log: Where answered requests are listed.
        ids: For requests.
        connections: Those that are open.
        stopping: Whether each connection is to end after the request that it is busy with.
        on_empty: Called when the last connection has ended.
        lend: Lends a connection, and the target of its last request, to a worker; False if there is none for it.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, settings: SiteSettings, site: Site, access_log: AccessLog
    ) -> None:
        """A service without connections."""
        self.loop = loop
        self.limits = settings.limits
        self.routes = settings.routes
        self.error_body = settings.error_body
        self.headers = settings.headers
        self.close_on_error = settings.close_on_error
        self.submit = site.submit
        self.lend = site.lend
        self.access_log = access_log
        self.connections: set[HttpConnection] = set()
        self.stopping = False
        self.on_empty: Callable[[], None] = lambda: None
        self.ids = RequestIds()

    def connection(self) -> HttpConnection:
        """The protocol for a new connection."""
        return HttpConnection(self)


class HttpConnection(asyncio.Protocol):
    """Takes requests apart, has them answered one after the other, and writes the answers.

    Requests that a client sends ahead (pipelining) wait here. No state of a connection keeps the others waiting, and
    each has an end: a limit for the head, for pauses, for rest between requests.

    Source: contract S-03, S-20 to S-23, S-28, S-29, S-32, S-47.
    """

    def __init__(self, service: Service) -> None:
        """A connection that is not made yet."""
        self._service = service
        self._transport: asyncio.Transport = None  # type: ignore[assignment]
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self._client = "-"
        self._incoming: HttpRequest | None = None  # its head or body is not complete
        self._in_head = False
        self._changing = False  # the request that comes in asks for another protocol
        self._head_bytes = 0
        self._current: HttpRequest | None = None  # is being answered
        self._waiting: deque[HttpRequest] = deque()
        self._advancing = False
        self._rest = 0  # bytes of a long body that are still to come
        self._deaf = False  # what comes in no longer matters
        self._closing = False
        self._write_paused = False
        self._read_paused = False
        self._deadline = 0.0
        self._unsent = 0
        self._simple = 0  # requests in a row that a worker could have answered by itself
        self._simple_needed = _SIMPLE_REQUESTS
        self._lent = False
        self._last_target = Target(NOTHING, "-")  # of the last request that a worker could have answered by itself
        self._last_url = b""
        self._ending = False  # when it comes back
        self._timer: asyncio.TimerHandle | None = None

    # The transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._client = peer[0] if peer else "-"
        service = self._service
        service.connections.add(self)
        self._deadline = service.loop.time() + service.limits.head_s
        self._timer = service.loop.call_at(self._deadline, self._check_time)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._parser = None
        for request in (self._current, self._incoming, *self._waiting):
            if request is not None:
                request.abandon()
                if request is not self._current:
                    request.discard()
                else:
                    self._log(request, _CLIENT_GONE, 0)
        self._waiting.clear()
        self._current = self._incoming = None
        service = self._service
        service.connections.discard(self)
        if not service.connections:
            service.on_empty()

    def data_received(self, data: bytes) -> None:
        if self._deaf or self._parser is None:
            return
        service = self._service
        now = service.loop.time()
        in_head = self._in_head
        try:
            self._feed(data)
        except httptools.HttpParserError as exc:
            if isinstance(exc, httptools.HttpParserCallbackError):
                logger.error("Taking a request apart failed", exc_info=exc.__context__ or exc)
            self._refuse(MalformedRequestError(f"The request is not valid HTTP/1.1: {exc}. Correct the client."))
            return
        if self._deaf:
            return
        if self._rest:
            self._read_rest()
        if self._in_head:
            if not in_head:  # of these data, who knows how much is another request's body
                self._deadline = now + service.limits.head_s
                return
            self._head_bytes += len(data)
            if self._head_bytes > service.limits.max_head_bytes:
                self._refuse(head_too_large(service.limits))
        elif self._incoming is not None:
            self._deadline = now + service.limits.pause_s

    def _feed(self, data: bytes) -> None:
        while self._parser is not None and not self._deaf:
            try:
                self._parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as exc:
                data = data[exc.args[0] :]
                self._stay_with_http_1()

    def _stay_with_http_1(self) -> None:
        """Go on after a request to change the protocol, which we do not grant, as if it had not been made (RFC 9110,
        7.8). The parser stops behind the head of such a request, and knows nothing of a body.
        """
        request, self._incoming = self._incoming, None
        if request is None:  # CONNECT: what follows would have been for somebody else
            self._deaf = True
            return
        fields = [
            b"%b: %b\r\n" % (name, value)
            for name, value in zip(request.headers[::2], request.headers[1::2])
            if name.lower() != b"upgrade"
        ]
        version = b"1.0" if request.old else b"1.1"
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(b"%b %b HTTP/%b\r\n%b\r\n" % (request.method, request.url, version, b"".join(fields)))

    def eof_received(self) -> bool:
        return False  # the client has gone, or might as well: closes the transport

    def pause_writing(self) -> None:
        self._write_paused = True
        self._deadline = self._service.loop.time() + self._service.limits.pause_s
        self._set_reading()

    def resume_writing(self) -> None:
        self._write_paused = False
        self._deadline = self._service.loop.time() + self._service.limits.keep_alive_s
        self._advance()
        self._set_reading()

    # The parser

    def on_message_begin(self) -> None:
        if self._deaf:
            return
        self._incoming = HttpRequest(self)
        self._in_head = True
        self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        if self._incoming is not None:
            self._incoming.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        request = self._incoming
        if request is None or self._deaf:
            return
        if not self._in_head:  # a trailer: nobody asked for one
            self._head_bytes += len(name) + len(value)
            if self._head_bytes > self._service.limits.max_head_bytes:
                self._refuse(head_too_large(self._service.limits))
            return
        request.add_header(name, value)

    def on_headers_complete(self) -> None:
        request = self._incoming
        parser = self._parser
        self._in_head = False
        if request is None or parser is None:
            return
        service = self._service
        if not request.head_fits(service.limits):
            self._refuse(head_too_large(service.limits))
            return
        request.method = parser.get_method()
        request.keep_alive = parser.should_keep_alive()
        request.old = parser.get_http_version() == "1.0"
        if parser.should_upgrade():
            if request.method != b"CONNECT":
                self._changing = True
                return
            request.keep_alive = False
        request.identify(service.ids)
        request.target = service.routes.find(request.method, request.url)
        special = request.special
        if b"content-length" in special:
            error = request.too_large(service.limits)
            if error is not None:
                self._refuse(error)
                return
        if b"expect" in special and not request.old and special[b"expect"].lower() == b"100-continue":
            if request.target.error is not None:
                self._refuse(request.target.error)
                return
            request.expects = True
            self._continue()
        if b"content-length" in special and request.target.kind != NOTHING:
            length = int(special[b"content-length"])
            if LONG_BYTES <= length <= LONGEST_BYTES:
                self._rest = length

    def on_body(self, data: bytes) -> None:
        request = self._incoming
        if request is None or self._deaf:
            return
        request.expects = False
        if request.target.kind == NOTHING:
            return  # it will be answered without
        try:
            request.add(data)
        except OSError as exc:
            self._refuse(OverloadedError(f"There is no memory for the request body: {exc}. Send fewer at a time."))
            return
        error = request.too_large(self._service.limits)
        if error is not None:
            self._refuse(error)

    def _read_rest(self) -> None:
        """Have the rest of a long body written to where it belongs, past the parser."""
        request, total = self._incoming, self._rest
        self._rest = 0
        if request is None or total - request.length < LONG_BYTES // 2:
            return
        try:
            room = request.room_for_rest(total)
        except OSError as exc:
            logger.info("A body of %d bytes is read piece by piece: %s", total, exc)
            return
        reader = BodyReader(self, room, self._rest_moves, partial(self._rest_complete, total))
        self._transport.set_protocol(reader)

    def _rest_moves(self) -> None:
        self._deadline = self._service.loop.time() + self._service.limits.pause_s

    def _rest_complete(self, total: int) -> None:
        self._transport.set_protocol(self)
        # The last one waits for the body.
        self._parser = httptools.HttpRequestParser(self)
        if self._incoming is not None:
            self._incoming.length = total
            self.on_message_complete()

    def on_message_complete(self) -> None:
        if self._changing:  # of the head, which is parsed again
            self._changing = False
            return
        request, self._incoming = self._incoming, None
        if request is None or self._deaf:
            return
        request.received = self._service.loop.time()
        if self._current is None and not self._waiting and not self._write_paused:
            self._start(request)
        else:
            self._waiting.append(request)
            self._set_reading()

    # Answers

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        return self._service.headers

    def error_body(self, status: int, kind: str, message: str) -> bytes:
        return self._service.error_body(status, kind, message)

    def respond(self, request: HttpRequest, response: ResponsePacket) -> None:
        """Write the answer to the current request.

        Source: contract S-32.
        """
        self._current = None
        transport = self._transport
        service = self._service
        status, head, body = response
        length = len(body)
        if request.method == b"HEAD":
            body = b""
        if service.stopping or (service.close_on_error and status >= _FIRST_ERROR):
            request.keep_alive = False
        if not request.keep_alive:
            end = _CLOSE
        elif request.old:
            end = _KEEP_ALIVE
        else:
            end = END_OF_LINE
        if isinstance(body, bytes):
            transport.write(head + end + body)
        else:
            transport.write(head + end)
            transport.write(body)
        now = service.loop.time()
        self._deadline = now + service.limits.keep_alive_s
        self._log(request, status, length, now)
        if not request.keep_alive:
            self._close()
        elif self._waiting:
            self._advance()
        elif self._read_paused:
            self._set_reading()
        elif 0.0 <= request.took_s < _QUICK_S:
            self._consider_lending(request)
        if self._incoming is not None and not self._closing:
            self._continue()

    def stop(self) -> None:
        """End the connection, unless it is busy with a request: then that is the last one."""
        if self._lent:
            self._ending = True
        elif self._closing:
            self._service.loop.call_later(_LAST_ANSWER_S, self._transport.close)
        elif self._current is None and not self._waiting and (self._incoming is None or self._in_head):
            self._closing = self._deaf = True
            self._transport.close()

    def abort(self) -> None:
        """End the connection at once."""
        self._transport.abort()

    # Loans

    def _consider_lending(self, request: HttpRequest) -> None:
        """Lend the connection if its last requests could do without the gateway, as far as is known."""
        if request.method != b"POST" or request.old or request.length > self._service.limits.large_body_bytes:
            self._simple = 0
            return
        # A loan is for one address, and so for one model.
        self._simple = self._simple + 1 if request.url == self._last_url else 1
        self._last_url, self._last_target = request.url, request.target
        if self._simple >= self._simple_needed:
            # The answer has to be written first, which is done at the end of this turn of the loop.
            self._service.loop.call_soon(self._lend)

    def _lend(self) -> None:
        transport = self._transport
        if self._lent or self._deaf or self._closing or self._read_paused or transport.is_closing():
            return
        if self._incoming is not None or self._current is not None or self._waiting:
            return
        if transport.get_write_buffer_size() or self._service.stopping:
            return
        transport.pause_reading()
        self._read_paused = True
        self._lent = self._service.lend(self, self._last_target, self._client, self._last_url)
        if not self._lent:
            self._set_reading()

    def descriptor(self) -> int:
        return cast(int, self._transport.get_extra_info("socket").fileno())

    def returned(self, read: bytes | memoryview, unsent: bytes | memoryview, last: bool = False) -> None:
        self._lent = False
        transport = self._transport
        if self._parser is None or transport.is_closing():
            return
        self._deadline = self._service.loop.time() + self._service.limits.keep_alive_s
        if unsent:
            transport.write(unsent)
        if last:
            self._close()
            return
        if read:
            self._simple = 0
            self._simple_needed = min(_MOST_SIMPLE_REQUESTS, 8 * self._simple_needed)
            self.data_received(bytes(read))
        self._read_on()
        if self._ending:
            self.stop()

    def lost(self, error: RequestError, request_id: bytes, writing: bool) -> None:
        self._lent = False
        if self._parser is None or self._transport.is_closing():
            return
        if writing:
            self._transport.abort()
            return
        request = HttpRequest(self)
        request.method, request.url, request.target = b"POST", self._last_url, self._last_target
        request.keep_alive = not self._ending
        request.received = self._service.loop.time()
        request.request_id = request_id or self._service.ids.new()
        self._current = request
        fail(request, error)
        self._read_on()

    def _read_on(self) -> None:
        """After a loan, in which nothing was read here."""
        if not self._transport.is_closing():
            self._set_reading()

    def _start(self, request: HttpRequest) -> None:
        self._current = request
        target = request.target
        if target.error is not None:
            _log_refusal(request, target.error)
            request.fail(target.error)
        elif target.kind == NOTHING:
            head = responses.head(200, None, 0, request.request_id.decode("ascii"), (*target.headers, *self.headers))
            request.respond(ResponsePacket(200, head, b""))
        else:
            self._service.submit(request)

    def _advance(self) -> None:
        """Go on with the requests that were sent ahead; not recursively, since there can be thousands of them."""
        if self._advancing:
            return
        self._advancing = True
        while self._waiting and self._current is None and not self._closing and not self._write_paused:
            self._start(self._waiting.popleft())
        self._advancing = False
        self._set_reading()

    def _refuse(self, error: RequestError) -> None:
        """Answer the request that is coming in with an error, after those before it, and read no further one."""
        if self._deaf:
            return
        self._deaf = True
        request = self._incoming or HttpRequest(self)
        self._incoming = None
        request.discard()
        request.keep_alive = False
        request.received = self._service.loop.time()
        if not request.request_id:
            request.identify(self._service.ids)
        request.target = request.target._replace(error=error)
        self._waiting.append(request)
        self._advance()

    def _continue(self) -> None:
        """Ask for the body, if its sender waits to be asked, and nothing is to be answered before."""
        request = self._incoming
        if request is not None and request.expects and self._current is None and not self._waiting:
            request.expects = False
            self._transport.write(_CONTINUE)

    def _close(self) -> None:
        """End the connection when everything is written. A client that still sends may first read why; when stopping,
        every client may read its answer before what forwards it ends.
        """
        linger_s = _LAST_ANSWER_S if self._service.stopping else _LINGER_S if self._deaf else 0.0
        self._closing = self._deaf = True
        if linger_s and self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()
            self._deadline = self._service.loop.time() + linger_s
            self._service.loop.call_at(self._deadline, self._transport.close)
            self._set_reading()
        else:
            self._transport.close()

    def _set_reading(self) -> None:
        """Read on, unless enough is waiting to be answered or to be written."""
        wanted = self._closing or not (self._waiting or self._write_paused)
        if wanted == self._read_paused and not self._transport.is_closing():
            self._read_paused = not wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def _check_time(self) -> None:
        """End the connection if its time is over; one timer per connection, since setting one is dear."""
        self._timer = None
        service = self._service
        now = service.loop.time()
        unsent = self._transport.get_write_buffer_size()
        if now >= self._deadline:
            busy = self._current is not None or self._lent
            moving = unsent and unsent != self._unsent
            if not busy and not moving:
                if unsent:
                    self._transport.abort()
                else:
                    self._transport.close()
                return
            self._deadline = now + service.limits.pause_s
        self._unsent = unsent
        self._timer = service.loop.call_at(self._deadline, self._check_time)

    def _log(self, request: HttpRequest, status: int, length: int, now: float | None = None) -> None:
        if request.target.path == "/ping" and status == 200:
            return
        seconds = (self._service.loop.time() if now is None else now) - request.received
        agent = request.special.get(b"user-agent", b"")
        self._service.access_log.add(
            self._client, request.method, request.url, request.old, status, length, agent, seconds, request.request_id
        )


def _log_refusal(request: HttpRequest, error: RequestError) -> None:
    request_id = request.request_id.decode("ascii")
    logger.warning("Request %s: %d %s: %s", request_id, error.status, type(error).__name__, error)
