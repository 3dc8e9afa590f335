"""Lends connections to workers, which answer simple requests by themselves.

The way through the gateway takes two more packets and two more switches between processes for each request, as much
time as a small model needs for its prediction. So a connection whose requests are small and quickly answered goes to a
worker for a while. A worker that computes for long gives back what it was lent, without being asked.
"""

from __future__ import annotations

import asyncio
from typing import Mapping

from sagemaker_sklearn_container.gateway.dispatch import Dispatcher
from sagemaker_sklearn_container.gateway.routes import Target
from sagemaker_sklearn_container.gateway.worker_link import Lendable, WorkerLink

# A worker that computes for longer may keep clients waiting, whom others could serve.
_PATIENCE_S = 0.01
# How often to look at workers with loans; a clock's tick, not a request's.
_LOOK_S = 0.005


class Lender:
    """Chooses workers for connections, and looks after them.

    Source: contract S-05, S-12.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, links: Mapping[int, WorkerLink], dispatcher: Dispatcher
    ) -> None:
        """A lender without loans; `links` are the links to the workers, which come and go."""
        self._loop = loop
        self._links = links
        self._dispatcher = dispatcher
        self._looking = False
        self._answered = 0

    def lend(self, connection: Lendable, target: Target, client: str, url: bytes) -> bool:
        """Lend a connection to the worker that has the fewest; False if all have other things to do."""
        links = [link for link in self._links.values() if link.can_borrow]
        if not links:
            return False
        chosen = min(links, key=lambda link: link.loans)
        if not chosen.lend(connection, target.kind, client, url):
            return False
        if not self._looking:
            self._looking = True
            self._loop.call_later(_LOOK_S, self._look)
        return True

    def recall(self) -> None:
        """Have every connection given back."""
        for link in self._links.values():
            link.recall()

    def _look(self) -> None:
        loans = answered = 0
        for link in list(self._links.values()):
            link.watch(_PATIENCE_S)
            loans += link.loans
            answered += link.answered
        if answered != self._answered:
            self._answered = answered
            self._dispatcher.note_small(self._loop.time())
        self._looking = loans > 0
        if self._looking:
            self._loop.call_later(_LOOK_S, self._look)
