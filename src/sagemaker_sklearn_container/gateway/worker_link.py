"""The gateway's side of one worker process."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Callable, Protocol

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.errors import RequestError, RequestTimeoutError, WorkerLostError
from sagemaker_sklearn_container.gateway.dispatch import Dispatcher, WorkerGoneError, fail
from sagemaker_sklearn_container.gateway.request import HttpRequest
from sagemaker_sklearn_container.processes import messages
from sagemaker_sklearn_container.processes.channel import Channel, Packet
from sagemaker_sklearn_container.processes.messages import Loan
from sagemaker_sklearn_container.processes.status import Status

logger = logging.getLogger(__name__)


class Lendable(Protocol):
    """A client's connection as a link sees it."""

    def descriptor(self) -> int:
        """Its file descriptor."""

    def returned(self, read: bytes | memoryview, unsent: bytes | memoryview, last: bool = False) -> None:
        """It is no longer lent.

        Args:
            read: What was read from it, and not answered.
            unsent: What remains to be written to it.
            last: Whether it is to be closed then.
        """

    def lost(self, error: RequestError, request_id: bytes, writing: bool) -> None:
        """It is no longer lent, and its request ends with an error.

        Args:
            error: What to answer.
            request_id: Of the request; empty if it is not known.
            writing: Whether a part of an answer may have been written.
        """


class WorkerLink:
    """Gives a worker one request at a time, or connections to take requests from; watches its time, notices its end.

    Source: contract S-05, S-10, S-12, S-45, S-46.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        channel: Channel,
        dispatcher: Dispatcher,
        default_accept: bytes,
        limit_s: float,
        on_ready: Callable[[], None],
        on_failed: Callable[[bytes], None],
        on_overdue: Callable[[], None],
    ) -> None:
        """A link to a worker that has not said yet that it is ready.

        Args:
            loop: The event loop.
            channel: To the worker.
            dispatcher: Hands out requests.
            default_accept: Media type of answers when the client asks for none.
            limit_s: Longest time for one request, seconds.
            on_ready: Called once, when the worker can take requests.
            on_failed: Called with what the worker says when it never will.
            on_overdue: Called when a request takes too long: the worker must be killed.
        """
        self._loop = loop
        self._channel = channel
        self._dispatcher = dispatcher
        self._default_accept = default_accept
        self._limit_s = limit_s
        self._on_ready = on_ready
        self._on_failed = on_failed
        self._on_overdue = on_overdue
        self._status: Status | None = None
        self._request: HttpRequest | None = None
        self._started = 0.0
        self._given = 0
        self._loans: dict[int, Lendable] = {}
        self._loan_count = 0
        # The loan whose request keeps the worker busy for so long that the dispatcher had to know.
        self._occupant = 0
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._begun = True  # the last request, for all that is known
        self._closed = False
        channel.set_blocking(False)
        loop.add_reader(channel.fileno(), self._readable)

    # Requests

    @property
    def busy(self) -> bool:
        """Whether the worker computes."""
        return self._status is not None and self._status.busy_since > 0

    def start(self, request: HttpRequest) -> None:
        """Give the worker a request.

        Raises:
            WorkerGoneError: it has ended, and the request is as it was.
        """
        try:
            self._channel.send(*request.packet(self._default_accept))
        except OSError as exc:
            raise WorkerGoneError from exc
        self._given += 1
        self._request = request
        self._started = time.monotonic()
        self._limit_time(self._loop.time() + self._limit_s)

    def _limit_time(self, deadline: float) -> None:
        self._deadline = deadline
        # One timer serves many requests: setting one for each costs more than the rest of a start.
        if self._timer is None:
            self._timer = self._loop.call_at(deadline, self._check_time)

    def _check_time(self) -> None:
        self._timer = None
        # Whoever holds the lock keeps the worker from answering; it is held until the worker has ended.
        locked = self._stop_reading()
        if self._request is None and not self._occupant:
            overdue = False
        elif self._loop.time() < self._deadline:
            overdue = False
            if self._timer is None and not self._closed:
                self._timer = self._loop.call_at(self._deadline, self._check_time)
        else:
            overdue = locked or not self._occupant  # if that is not locked, it has just finished
        if overdue:
            self._on_overdue()
            self._lost(
                begun=True,
                error=RequestTimeoutError(
                    f"The request took longer than {self._limit_s:g} s, the limit set by "
                    f"{contract.MODEL_SERVER_TIMEOUT}."
                ),
            )
        elif locked and self._status is not None:
            self._status.continue_reading()

    # Loans

    @property
    def loans(self) -> int:
        """How many connections the worker has."""
        return len(self._loans)

    @property
    def idle(self) -> bool:
        """Whether the worker has nothing to do and no connections."""
        return not (self._closed or self._loans or self._request is not None or self.busy)

    @property
    def can_borrow(self) -> bool:
        """Whether a connection would be in good hands: the worker has no long work, as far as is known."""
        if self._closed or self._status is None or self._occupant:
            return False
        return self._request is None or not self._dispatcher.is_large(self._request)

    @property
    def answered(self) -> int:
        """How many requests the worker has answered."""
        return 0 if self._status is None else self._status.answered

    def lend(self, connection: Lendable, kind: int, client: str, url: bytes) -> bool:
        """Let the worker answer the requests of a connection; False if that cannot be."""
        self._loan_count += 1
        number = self._loan_count
        try:
            self._channel.send(messages.encode_loan(Loan(number, kind, client, url)), connection.descriptor())
        except OSError:
            return False
        self._loans[number] = connection
        return True

    def recall(self) -> None:
        """Have every connection given back; that of the request that is being answered comes when it is."""
        if self._loans and not self._take_back(0.0):
            try:
                self._channel.send(messages.RECALL)
            except OSError as exc:
                logger.debug("A worker cannot be asked for its connections: %s", exc)

    def watch(self, patience_s: float) -> None:
        """Take connections back, and a request that is not begun, if the worker has computed for that long."""
        if self._loans:
            self._take_back(patience_s)

    def _take_back(self, patience_s: float) -> bool:
        """Whether the worker has computed for so long; then it keeps the connection of its request at most."""
        status = self._status
        if status is None:
            return False
        since = status.busy_since
        if not since or time.monotonic() - since < patience_s:
            return False
        if self._occupant:
            return True
        if not self._stop_reading():
            return False
        since = status.busy_since  # perhaps it has finished, and begun the next one
        if time.monotonic() - since < patience_s:
            status.continue_reading()
            return False
        current = status.connection
        # It answers a request of a connection; one that it was given waits in the channel.
        request = self._request if current else None
        status.recall(self._loan_count, self._given if request is not None else status.withdrawn)
        status.continue_reading()
        loans, self._loans = self._loans, {}
        if current in loans:
            self._loans[current] = loans.pop(current)
            self._occupant = current
            self._dispatcher.occupied(self)
            self._limit_time(self._loop.time() + self._limit_s - (time.monotonic() - since))
        for connection in loans.values():
            connection.returned(b"", b"")
        if request is not None:
            self._request = None
            self._dispatcher.resubmit(request)
        return True

    def _stop_reading(self) -> bool:
        """Take the lock if the worker computes, and then all that it said before it began; whether it is taken.

        Without that a connection could be taken back that the worker has given back already, with what it has read.
        """
        status = self._status
        if self._closed or status is None or not status.stop_reading():
            return False
        while self._take_packet():
            pass
        if self._closed:
            status.continue_reading()
            return False
        return True

    # The channel

    def close(self) -> None:
        """Let go of a worker that has ended; answers that it has sent still count."""
        while self._take_packet():
            pass
        self._lost(begun=True)
        if self._status is not None:
            self._status.close()
            self._status = None

    def end(self, error: RequestError) -> None:
        """Let the worker end; a request that it has ends with `error`, and nobody else answers it."""
        self._stop_reading()
        self._lost(begun=True, error=error)

    def _readable(self) -> None:
        self._take_packet()

    def _take_packet(self) -> bool:
        """Do what the next packet says; False if there is none."""
        if self._closed:
            return False
        try:
            packet = self._channel.receive()
        except BlockingIOError:
            return False
        except ConnectionResetError:  # it ended with our last packet unread; it may have said something before
            self._begun = False
            return True
        if packet is None:
            self._lost(self._begun)
            return False
        what = packet.data[:1]
        if what == messages.RESPONSE:
            self._respond(packet)
        elif what == messages.RETURN:
            self._take_returned(packet)
        elif what == messages.READY:
            self._status = Status(packet.descriptor)
            self._on_ready()
            self._dispatcher.ready(self)
        elif what == messages.FAILED:
            self._on_failed(bytes(packet.data[1:]))
        return True

    def _respond(self, packet: Packet) -> None:
        response = messages.decode_response(packet)
        request, self._request = self._request, None
        if request is None:
            return
        request.took_s = time.monotonic() - self._started
        # First the worker's next request, then the client: they can work at the same time.
        self._dispatcher.ready(self)
        request.respond(response)

    def _take_returned(self, packet: Packet) -> None:
        number, read, unsent, last = messages.decode_return(packet)
        connection = self._loans.pop(number, None)
        if number == self._occupant:
            self._occupant = 0
            self._dispatcher.ready(self)
        if connection is not None:
            connection.returned(read, unsent, last)

    def _lost(self, begun: bool, error: RequestError | None = None) -> None:
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._channel.fileno())
        self._channel.close()
        if self._timer is not None:
            self._timer.cancel()
        self._dispatcher.gone(self)
        error = error or WorkerLostError(
            "The worker process ended in the middle of the request. Most often user code has ended it, or the "
            "container is out of memory; the log says how it ended."
        )
        status = self._status
        current = 0 if status is None else status.connection
        request, self._request = self._request, None
        if request is not None:
            # A request that waited behind one of a lent connection was not begun.
            if begun and not current:
                fail(request, error)
            else:
                self._dispatcher.resubmit(request)
        loans, self._loans = self._loans, {}
        for number, connection in loans.items():
            if number == current and status is not None:
                connection.lost(error, status.request_id if status.busy_since else b"", status.writing)
            else:
                connection.returned(b"", b"")
