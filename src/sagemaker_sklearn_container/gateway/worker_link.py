"""The gateway's side of one worker process."""

from __future__ import annotations

import asyncio
import logging
from typing import Callable

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.errors import RequestTimeoutError, WorkerLostError
from sagemaker_sklearn_container.gateway.dispatch import Dispatcher, WorkerGoneError, fail
from sagemaker_sklearn_container.gateway.request import HttpRequest
from sagemaker_sklearn_container.processes.channel import Channel
from sagemaker_sklearn_container.processes.messages import decode_response

logger = logging.getLogger(__name__)


class WorkerLink:
    """Gives a worker one request at a time, watches its time, and notices its end.

    Source: contract S-10, S-12, S-45, S-46.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        channel: Channel,
        dispatcher: Dispatcher,
        default_accept: bytes,
        limit_s: float,
        on_ready: Callable[[], None],
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
            on_overdue: Called when a request takes too long: the worker must be killed.
        """
        self._loop = loop
        self._channel = channel
        self._dispatcher = dispatcher
        self._default_accept = default_accept
        self._limit_s = limit_s
        self._on_ready = on_ready
        self._on_overdue = on_overdue
        self._request: HttpRequest | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        channel.set_blocking(False)
        loop.add_reader(channel.fileno(), self._readable)

    def start(self, request: HttpRequest) -> None:
        """Give the worker a request.

        Raises:
            WorkerGoneError: it has ended, and the request is as it was.
        """
        try:
            self._channel.send(*request.packet(self._default_accept))
        except OSError as exc:
            raise WorkerGoneError from exc
        self._request = request
        self._deadline = self._loop.time() + self._limit_s
        # One timer serves many requests: setting one for each costs more than the rest of this method.
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._check_time)

    def close(self) -> None:
        """Let go of a worker that has ended; an answer that it has sent still counts."""
        request = self._request
        if self._closed or request is None:
            self._lost(begun=True)
            return
        try:
            packet = self._channel.receive()
        except OSError:
            packet = None
        if packet is None:
            self._lost(begun=True)
            return
        response = decode_response(packet)
        self._request = None
        self._lost(begun=True)
        request.respond(response)

    def _readable(self) -> None:
        try:
            packet = self._channel.receive()
        except BlockingIOError:
            return
        except ConnectionResetError:  # it ended with our packet unread
            self._lost(begun=False)
            return
        if packet is None:
            self._lost(begun=True)
            return
        response = decode_response(packet)
        request, self._request = self._request, None
        if request is None:
            self._on_ready()
            self._dispatcher.ready(self)
            return
        # First the worker's next request, then the client: they can work at the same time.
        self._dispatcher.ready(self)
        request.respond(response)

    def _check_time(self) -> None:
        self._timer = None
        if self._closed or self._request is None:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._check_time)
            return
        request, self._request = self._request, None
        self._on_overdue()
        self._lost(begun=True)
        fail(
            request,
            RequestTimeoutError(
                f"The request took longer than {self._limit_s:g} s, the limit set by {contract.MODEL_SERVER_TIMEOUT}."
            ),
        )

    def _lost(self, begun: bool) -> None:
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._channel.fileno())
        self._channel.close()
        if self._timer is not None:
            self._timer.cancel()
        self._dispatcher.gone(self)
        request, self._request = self._request, None
        if request is None:
            return
        if begun:
            fail(
                request,
                WorkerLostError(
                    "The worker process ended in the middle of the request. Most often user code has ended it, or the "
                    "container is out of memory; the log says how it ended."
                ),
            )
        else:
            self._dispatcher.resubmit(request)
