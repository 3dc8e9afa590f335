"""The models that a server has, and what becomes of them."""

from __future__ import annotations

import asyncio
import enum
import time
from dataclasses import dataclass, field

from sagemaker_sklearn_container.gateway.pool import Pool
from sagemaker_sklearn_container.gateway.request import HttpRequest


class State(enum.Enum):
    """Where a model is in its life.

    To clients there is the model from the moment that its loading has succeeded until the moment that its unloading has
    ended: so whatever they see of requests that run at the same time, there is an order of them that explains it.
    """

    LOADING = "LOADING"
    READY = "READY"
    UNLOADING = "UNLOADING"
    FAILED = "FAILED"  # to load; its workers are ending


@dataclass
class Worker:
    """A worker process of a model: its process id, and when it was started, seconds since the epoch."""

    pid: int
    started: float = field(default_factory=time.time)
    ready: bool = False


@dataclass
class Model:
    """A model, loaded or not yet or no longer.

    Attributes:
        name: By which clients know it.
        url: Its directory.
        pool: Its workers, as far as requests are concerned.
        wanted: How many workers it is to have.
        workers: Its processes, by the numbers of the workers.
        state: Where it is in its life.
        causes: The requests that it is loaded, scaled or unloaded for, and that wait for that.
        waiting: Requests that can be looked at only when that is over.
        given_up: Whether no worker will come any more.
        limit: The timer of its loading.
    """

    name: str
    url: str
    pool: Pool
    wanted: int
    workers: dict[int, Worker] = field(default_factory=dict)
    state: State = State.LOADING
    causes: list[HttpRequest] = field(default_factory=list)
    waiting: list[HttpRequest] = field(default_factory=list)
    given_up: bool = False
    limit: asyncio.TimerHandle | None = None

    def loaded_or_not(self, state: State) -> None:
        """Its loading has ended."""
        self.state = state
        if self.limit is not None:
            self.limit.cancel()
            self.limit = None

    @property
    def exists(self) -> bool:
        """Whether clients see it."""
        return self.state in (State.READY, State.UNLOADING)

    @property
    def ready_workers(self) -> int:
        """How many workers can take requests."""
        return sum(worker.ready for worker in self.workers.values())


class Models:
    """Models by name, and by the numbers of their pools."""

    def __init__(self) -> None:
        """No model."""
        self._by_name: dict[str, Model] = {}
        self._by_pool: dict[int, Model] = {}

    def add(self, model: Model) -> None:
        """Take a model whose name is free."""
        self._by_name[model.name] = self._by_pool[model.pool.number] = model

    def remove(self, model: Model) -> None:
        """Forget a model."""
        self._by_name.pop(model.name, None)
        self._by_pool.pop(model.pool.number, None)

    def named(self, name: str) -> Model | None:
        """The model of that name, whatever its state."""
        return self._by_name.get(name)

    def of_pool(self, number: int) -> Model | None:
        """The model whose pool has that number."""
        return self._by_pool.get(number)

    def listed(self) -> list[Model]:
        """The models that clients see, in the order of their names."""
        return sorted((model for model in self._by_name.values() if model.exists), key=lambda model: model.name)

    def all(self) -> list[Model]:
        """Every model, whatever its state."""
        return list(self._by_pool.values())
