"""The gateway's side of a server of one model."""

from __future__ import annotations

from sagemaker_sklearn_container.gateway.control import WORKER_ENDED, Message
from sagemaker_sklearn_container.gateway.limits import Limits
from sagemaker_sklearn_container.gateway.pool import Pool
from sagemaker_sklearn_container.gateway.request import HttpRequest
from sagemaker_sklearn_container.gateway.routes import Target
from sagemaker_sklearn_container.gateway.site import Gateway
from sagemaker_sklearn_container.gateway.worker_link import Lendable
from sagemaker_sklearn_container.processes.channel import Channel
from sagemaker_sklearn_container.processes.supervisor import ONLY_POOL


class SingleModelSite:
    """One pool of workers, all of which have the model; the port opens when all of them are ready.

    Source: contract S-03, S-04.
    """

    def __init__(self, gateway: Gateway, limits: Limits, default_accept: str, workers: int) -> None:
        """A site whose workers are still to come, so many of them."""
        accept = default_accept.encode("latin-1", errors="replace")
        self._pool = Pool(ONLY_POOL, gateway.loop, limits, accept, gateway.tell)
        self._open_port = gateway.open_port
        self._awaited = workers

    def submit(self, request: HttpRequest) -> None:
        """Any worker can answer it."""
        self._pool.dispatcher.submit(request)

    def lend(self, connection: Lendable, target: Target, client: str, url: bytes) -> bool:
        """To any worker."""
        return self._pool.lender.lend(connection, target, client, url)

    def recall(self) -> None:
        """From all workers."""
        self._pool.lender.recall()

    def worker_started(self, message: Message, channel: Channel) -> None:
        """One of the first, or one that takes the place of another."""
        self._pool.worker_started(message.worker, channel, self._ready, lambda why: None)

    def told(self, message: Message) -> None:
        """A worker has ended."""
        if message.what == WORKER_ENDED:
            self._pool.worker_ended(message.worker)

    def _ready(self) -> None:
        self._awaited -= 1
        if self._awaited == 0:
            self._open_port()
