"""A worker process: one request after the other, in the main thread, with nothing else around it."""

from __future__ import annotations

import logging
import os
import select
import socket
import sys
import time
from typing import Callable

from sagemaker_sklearn_container.gateway.access_log import AccessLog
from sagemaker_sklearn_container.gateway.lent import LentConnection, NotSimpleError, Reading
from sagemaker_sklearn_container.gateway.limits import Limits
from sagemaker_sklearn_container.gateway.request import HttpRequest
from sagemaker_sklearn_container.processes import messages
from sagemaker_sklearn_container.processes.channel import (
    MAX_INLINE_BODY_BYTES,
    Channel,
    Packet,
    memory_file,
    write_all,
)
from sagemaker_sklearn_container.processes.messages import CLOSE, END_OF_LINE, Request
from sagemaker_sklearn_container.processes.status import Status

logger = logging.getLogger(__name__)

# Gives status, head without the empty line, and body.
Answer = Callable[[Request], "tuple[int, bytes, bytes]"]

# A loan ends after so long, so that the gateway can spread those that are in use over the workers anew.
_LOAN_S = 1.0
# The longest wait for anything while there are loans: they have to end, and lines of the access log to be written.
_LONGEST_PAUSE_S = 0.25
_MOST_EVENTS = 64
_FIRST_ERROR = 400
_CLIENT_GONE = 499  # in the access log only


class Worker:
    """Answers requests from the gateway, and those that come in on connections that it has lent.

    Source: contract S-12.
    """

    def __init__(
        self, channel: Channel, answer: Answer, limits: Limits, default_accept: str, close_on_error: bool = False
    ) -> None:
        """A worker; to be made in its own process.

        Args:
            channel: To the gateway.
            answer: Answers one request, and raises nothing.
            limits: What is allowed.
            default_accept: Media type of answers when the client asks for none.
            close_on_error: Whether an error ends the connection.
        """
        self._close_on_error = close_on_error
        self._channel = channel
        self._answer = answer
        self._limits = limits
        self._default_accept = default_accept.encode("latin-1", errors="replace")
        self._status = Status.new()
        self._given = 0  # requests from the gateway
        self._recalls = 0
        self._lent: dict[int, LentConnection] = {}
        self._reading: Reading | None = None  # until the first loan
        self._poll = select.epoll()
        self._poll.register(channel.fileno(), select.EPOLLIN)
        self._access_log = AccessLog(self._call_later)
        self._flush: tuple[float, Callable[[], None]] | None = None

    def run(self) -> None:
        """Answer requests until the gateway closes the channel."""
        # A process that user code forks must not keep anything open when this one ends.
        os.register_at_fork(after_in_child=self._close)
        self._channel.send(messages.READY, self._status.descriptor)
        number = self._channel.fileno()
        try:
            while True:
                if not self._lent and self._flush is None:
                    if not self._take_packet():
                        return
                    continue
                for ready, _ in self._poll.poll(self._pause(), _MOST_EVENTS):
                    if ready == number:
                        if not self._take_packet():
                            return
                    elif ready in self._lent:  # it may have gone back a moment ago
                        self._serve(self._lent[ready])
                self._look_at_clock()
        finally:
            self._access_log.flush()

    # From the gateway

    def _take_packet(self) -> bool:
        """Do what the next packet says; False if there is none and never will be."""
        packet = self._channel.receive()
        if packet is None:
            return False
        what = packet.data[:1]
        if what == messages.REQUEST:
            self._given += 1
            if self._given > self._status.withdrawn:
                self._serve_packet(packet)
            elif packet.descriptor >= 0:
                os.close(packet.descriptor)
        elif what == messages.LOAN:
            self._borrow(packet)
        elif what == messages.RECALL:
            self._return_all()
        return True

    def _serve_packet(self, packet: Packet) -> None:
        request = messages.decode_request(packet)
        if len(request.body) > self._limits.large_body_bytes:
            self._return_all()  # whose clients would have to wait for it
        self._status.begin()
        status, head, body = self._answer(request)
        mapped = request.mapped
        del packet, request
        if mapped is not None:
            mapped.release()
            del mapped
        sys.stdout.flush()
        self._computed(None)
        self._respond(status, head, body)
        self._status.end()

    def _respond(self, status: int, head: bytes, body: bytes) -> None:
        if len(body) <= MAX_INLINE_BODY_BYTES:
            self._channel.send(messages.encode_response(status, head, body, len(body)))
        else:
            self._send_with_file(messages.encode_response(status, head, b"", len(body)), body)

    def _send_with_file(self, message: bytes, data: bytes) -> None:
        descriptor = memory_file()
        try:
            write_all(descriptor, data)
            self._channel.send(message, descriptor)
        finally:
            os.close(descriptor)

    # Lent connections

    def _borrow(self, packet: Packet) -> None:
        if self._reading is None:
            self._reading = Reading(self._limits, self._default_accept)
        loan = messages.decode_loan(packet)
        if loan.number <= self._status.void_loans:
            os.close(packet.descriptor)
            return
        lent = LentConnection(
            socket.socket(fileno=packet.descriptor),
            loan,
            time.monotonic() + _LOAN_S,
            self._reading,
        )
        self._lent[lent.fileno()] = lent
        self._poll.register(lent.fileno(), select.EPOLLIN)

    def _serve(self, lent: LentConnection) -> None:
        state = self._status
        state.read(lent.loan.number)
        try:
            request = lent.read()
        except NotSimpleError as exc:
            self._return(lent, read=exc.read)
            request = None
        if request is None:
            state.read(0)
            return
        begin = time.monotonic()
        state.begin(request.request_id)
        status, head, body = self._answer(lent.task(request))
        sys.stdout.flush()
        recalled = self._computed(lent)
        last = self._close_on_error and status >= _FIRST_ERROR
        data = b"".join((head, CLOSE if last else b"", END_OF_LINE, body))
        state.write()
        try:
            sent = lent.send(data)
        except OSError:
            sent, status, body = len(data), _CLIENT_GONE, b""
            recalled = True
        if sent == len(data):
            state.end()  # at once: whatever happens now, the request has its answer
        # Clients and the other workers may share this processor: without this one of them would now and then wait for
        # a whole slice of time, in which this process answers others.
        os.sched_yield()
        now = time.monotonic()
        self._log(lent, request, status, len(body), now - begin)
        if recalled or last or sent < len(data) or now >= lent.until:
            self._return(lent, unsent=data[sent:], last=last)
            if sent < len(data):
                state.end()

    def _computed(self, current: LentConnection | None) -> bool:
        """An answer is computed; whether the gateway has taken the connections back meanwhile, all but `current`."""
        self._status.computed()
        recalls = self._status.recalls
        if recalls == self._recalls:
            return False
        self._recalls = recalls
        for lent in list(self._lent.values()):
            if lent is not current:
                self._drop(lent)
        return True

    def _drop(self, lent: LentConnection) -> None:
        number = lent.fileno()
        del self._lent[number]
        self._poll.unregister(number)
        lent.close()

    def _return(self, lent: LentConnection, read: bytes = b"", unsent: bytes = b"", last: bool = False) -> None:
        """Give a connection back: what was read from it, what is still to be written, and whether that is the last."""
        self._drop(lent)
        message = messages.encode_return(lent.loan.number, len(read), len(unsent), last)
        if len(read) + len(unsent) <= MAX_INLINE_BODY_BYTES:
            self._channel.send(message + read + unsent)
        else:
            self._send_with_file(message, read + unsent)

    def _return_all(self) -> None:
        for lent in list(self._lent.values()):
            self._return(lent)

    def _log(self, lent: LentConnection, request: HttpRequest, status: int, length: int, seconds: float) -> None:
        agent = request.special.get(b"user-agent", b"")
        self._access_log.add(
            lent.loan.client, request.method, request.url, False, status, length, agent, seconds, request.request_id
        )

    # Time

    def _call_later(self, seconds: float, function: Callable[[], None]) -> None:
        self._flush = time.monotonic() + seconds, function

    def _pause(self) -> float:
        if self._flush is None:
            return _LONGEST_PAUSE_S
        return min(_LONGEST_PAUSE_S, max(0.0, self._flush[0] - time.monotonic()))

    def _look_at_clock(self) -> None:
        now = time.monotonic()
        if self._flush is not None and now >= self._flush[0]:
            function = self._flush[1]
            self._flush = None
            function()
        for lent in [lent for lent in self._lent.values() if now >= lent.until]:
            self._return(lent)

    def _close(self) -> None:
        self._channel.close()
        for lent in self._lent.values():
            lent.close()


def run(channel: Channel, answer: Answer, limits: Limits, default_accept: str, close_on_error: bool = False) -> None:
    """Answer requests until the gateway closes the channel; arguments as for `Worker`."""
    Worker(channel, answer, limits, default_accept, close_on_error).run()
