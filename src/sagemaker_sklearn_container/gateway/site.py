"""What a gateway serves: its side of a server of one model, or of many."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Callable, Protocol

from sagemaker_sklearn_container.gateway.control import Message
from sagemaker_sklearn_container.gateway.limits import Limits
from sagemaker_sklearn_container.gateway.pool import Tell
from sagemaker_sklearn_container.gateway.request import HttpRequest
from sagemaker_sklearn_container.gateway.routes import Routes, Target
from sagemaker_sklearn_container.gateway.worker_link import Lendable
from sagemaker_sklearn_container.processes.channel import Channel

# The body of an error's answer, of status, kind and message.
ErrorBody = Callable[[int, str, str], bytes]


class Site(Protocol):
    """Answers requests by itself, or has workers answer them."""

    def submit(self, request: HttpRequest) -> None:
        """Have a complete request answered."""

    def lend(self, connection: Lendable, target: Target, client: str, url: bytes) -> bool:
        """Lend a connection to a worker that answers requests to that target; False if there is none."""

    def recall(self) -> None:
        """Have every connection given back."""

    def worker_started(self, message: Message, channel: Channel) -> None:
        """The supervisor has started a worker."""

    def told(self, message: Message) -> None:
        """The supervisor says something else about workers."""


@dataclass(frozen=True)
class Gateway:
    """What a site can use.

    Attributes:
        loop: The event loop.
        tell: Tells the supervisor.
        open_port: Begins to accept connections.
    """

    loop: asyncio.AbstractEventLoop
    tell: Tell
    open_port: Callable[[], None]


@dataclass(frozen=True)
class SiteSettings:
    """What there is to be served.

    Attributes:
        limits: What is allowed.
        routes: Which paths there are.
        error_body: Makes the bodies of errors.
        headers: Headers of every answer that the gateway gives.
        close_on_error: Whether an error ends the connection.
        site: Makes the gateway's side.
    """

    limits: Limits
    routes: Routes
    error_body: ErrorBody
    headers: tuple[tuple[str, str], ...]
    close_on_error: bool
    site: Callable[[Gateway], Site]
