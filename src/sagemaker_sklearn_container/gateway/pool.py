"""The workers of one model, as the gateway sees them."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Callable

from sagemaker_sklearn_container.errors import RequestError
from sagemaker_sklearn_container.gateway import control
from sagemaker_sklearn_container.gateway.control import Message
from sagemaker_sklearn_container.gateway.dispatch import Dispatcher
from sagemaker_sklearn_container.gateway.limits import Limits
from sagemaker_sklearn_container.gateway.loans import Lender
from sagemaker_sklearn_container.gateway.worker_link import WorkerLink
from sagemaker_sklearn_container.processes.channel import Channel

logger = logging.getLogger(__name__)

# Tells the supervisor.
Tell = Callable[[Message], None]


class Pool:
    """Links to workers, who gets which request, and who which connection.

    Attributes:
        number: By which the supervisor knows it.
        dispatcher: Hands requests to the workers.
        lender: Lends connections to the workers.
        links: To the workers, by their numbers.
    """

    def __init__(
        self, number: int, loop: asyncio.AbstractEventLoop, limits: Limits, default_accept: bytes, tell: Tell
    ) -> None:
        """A pool without workers."""
        self.number = number
        self.links: dict[int, WorkerLink] = {}
        self.dispatcher = Dispatcher(limits, loop.time, loop.call_at)
        self.lender = Lender(loop, self.links, self.dispatcher)
        self._loop = loop
        self._limits = limits
        self._default_accept = default_accept
        self._tell = tell

    def worker_started(
        self, worker: int, channel: Channel, on_ready: Callable[[], None], on_failed: Callable[[bytes], None]
    ) -> None:
        """Take a new worker.

        Args:
            worker: Its number.
            channel: To it.
            on_ready: Called when it can take requests.
            on_failed: Called with what it says, if it says that it never will.
        """

        def ready() -> None:
            self._tell(Message(control.READY, self.number, worker))
            on_ready()

        self.links[worker] = WorkerLink(
            self._loop,
            channel,
            self.dispatcher,
            self._default_accept,
            self._limits.request_s,
            ready,
            on_failed,
            partial(self._tell, Message(control.KILL, self.number, worker)),
        )

    def worker_ended(self, worker: int) -> None:
        """Let go of a worker that has ended."""
        link = self.links.pop(worker, None)
        if link is not None:
            link.close()

    def forget(self, link: WorkerLink) -> None:
        """Count a worker that was let go of no longer."""
        for number in [number for number, other in self.links.items() if other is link]:
            del self.links[number]

    def end(self, error: RequestError) -> None:
        """Have all workers end; requests that they have end with `error`."""
        self._tell(Message(control.END_POOL, self.number))
        for link in list(self.links.values()):
            link.end(error)
