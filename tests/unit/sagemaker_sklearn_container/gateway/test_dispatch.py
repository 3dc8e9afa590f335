"""Who works on what, and when: with requests and workers of paper."""

from __future__ import annotations

import json
from typing import Any, Callable

import pytest

from sagemaker_sklearn_container.gateway import responses
from sagemaker_sklearn_container.gateway.dispatch import Dispatcher, WorkerGoneError
from sagemaker_sklearn_container.gateway.limits import Limits
from sagemaker_sklearn_container.gateway.request import HttpRequest
from sagemaker_sklearn_container.processes.messages import ResponsePacket

LIMITS = Limits(request_s=10, max_waiting=3, max_waiting_bytes=1000, large_body_bytes=100)


class World:
    """A dispatcher whose time is told; the client and the timers of its requests."""

    headers = ()

    def __init__(self, workers: int, limits: Limits = LIMITS) -> None:
        self.now = 100.0
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.answers: dict[HttpRequest, int] = {}
        self.messages: dict[HttpRequest, str] = {}
        self.dispatcher = Dispatcher(limits, lambda: self.now, lambda when, f: self.timers.append((when, f)))
        self.workers = [PaperWorker() for _ in range(workers)]
        for worker in self.workers:
            self.dispatcher.ready(worker)

    def request(self, length: int = 1) -> HttpRequest:
        """Submit a request."""
        request = HttpRequest(self)
        request.add(b"x" * length)
        request.received = self.now
        self.dispatcher.submit(request)
        return request

    def error_body(self, status: int, kind: str, message: str) -> bytes:
        """Be the client."""
        return responses.error(status, kind, message)

    def respond(self, request: HttpRequest, response: ResponsePacket) -> None:
        """Be the client."""
        self.answers[request] = response.status
        self.messages[request] = json.loads(bytes(response.body))["error-message"]

    def finish(self, worker: PaperWorker) -> None:
        """A worker is done."""
        worker.request = None
        self.dispatcher.ready(worker)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        due = [timer for timer in self.timers if timer[0] <= self.now]
        self.timers = [timer for timer in self.timers if timer[0] > self.now]
        for _, function in due:
            function()

    @property
    def running(self) -> list[Any]:
        """What each worker works on."""
        return [worker.request for worker in self.workers]


class PaperWorker:
    """Takes requests, unless it is gone."""

    def __init__(self) -> None:
        self.request: HttpRequest | None = None
        self.gone = False
        self.busy = False

    def start(self, request: HttpRequest) -> None:
        """Take a request."""
        if self.gone:
            raise WorkerGoneError
        assert self.request is None
        self.request = request


def test_one_request_per_worker_the_others_in_order() -> None:
    """S-12, S-48."""
    world = World(1)
    first, second, third = (world.request() for _ in range(3))
    for request in (first, second, third):
        assert world.running == [request]
        world.finish(world.workers[0])
    assert world.running == [None]


def test_the_worker_that_was_last_busy_is_the_next() -> None:
    """Its caches are warm."""
    world = World(3)
    for _ in range(3):
        request = world.request()
        busy = [worker for worker in world.workers if worker.request is request]
        assert busy == [world.workers[2]]
        world.finish(busy[0])


def test_a_worker_that_answers_a_lent_connection_is_the_last_choice() -> None:
    """S-05: it can be given a request, but not begin it."""
    world = World(3)
    world.workers[2].busy = True
    requests = [world.request() for _ in range(3)]
    assert world.running == [requests[1], requests[0], requests[2]]


def test_a_worker_that_is_occupied_gets_nothing_until_it_is_ready() -> None:
    """S-12."""
    world = World(2)
    idle, busy = world.workers
    first = world.request()
    world.dispatcher.occupied(busy)  # the request that it was given is withdrawn
    busy.request = None
    world.dispatcher.resubmit(first)
    assert world.running == [first, None]
    second = world.request()
    world.dispatcher.occupied(idle)
    idle.request = None
    assert world.running == [None, None]
    world.finish(busy)
    assert world.running == [None, second]
    assert world.dispatcher.workers == 2


def test_small_requests_elsewhere_keep_a_worker_free_of_large_ones() -> None:
    """S-05: those that need no dispatcher count, too."""
    world = World(2)
    world.wait(10)
    world.dispatcher.note_small(world.now)
    first, second = world.request(200), world.request(200)
    assert world.running == [None, first]
    world.wait(2)
    assert world.running == [second, first]


def test_one_too_many_is_503() -> None:
    """S-48: by number."""
    world = World(1)
    requests = [world.request() for _ in range(5)]
    assert world.answers == {requests[4]: 503}
    assert "3 requests with 3 bytes wait for 1 workers" in world.messages[requests[4]]


def test_too_many_bytes_are_503_but_one_request_always_waits() -> None:
    """S-48: by memory."""
    world = World(1)
    requests = [world.request(length) for length in (1, 2000, 1)]
    assert world.answers == {requests[2]: 503}


def test_what_nobody_waits_for_makes_room_and_is_not_begun() -> None:
    """S-48."""
    world = World(1)
    requests = [world.request() for _ in range(4)]
    requests[1].abandon()
    requests[2].abandon()
    requests.append(world.request())
    world.finish(world.workers[0])
    assert world.running == [requests[3]]
    requests[4].abandon()
    world.finish(world.workers[0])
    assert world.running == [None]
    assert world.answers == {}


def test_large_requests_leave_a_worker_to_small_ones() -> None:
    """S-48: as long as there are small ones."""
    world = World(2)
    small = world.request()
    world.finish(world.workers[1])
    large = [world.request(500) for _ in range(2)]
    assert world.running == [None, large[0]]
    small = world.request()
    assert world.running == [small, large[0]]
    world.finish(world.workers[0])
    assert world.running == [None, large[0]]
    world.wait(1.5)
    assert world.running == [large[1], large[0]]


def test_large_requests_alone_get_every_worker() -> None:
    """B-07."""
    world = World(2)
    large = [world.request(500) for _ in range(2)]
    assert set(world.running) == set(large)


def test_a_single_worker_takes_what_comes() -> None:
    """S-48."""
    world = World(1)
    requests = []
    for length in (1, 500, 1):
        requests.append(world.request(length))
        world.wait(0.1)
    for request in requests:
        assert world.running == [request]
        world.finish(world.workers[0])


def test_small_requests_do_not_starve_large_ones() -> None:
    """S-48: in order, where a large one may run."""
    world = World(2)
    first = [world.request() for _ in range(2)]
    world.wait(0.1)
    large = world.request(500)
    world.wait(0.1)
    world.request()
    world.finish(world.workers[0])
    assert world.running == [large, first[0]]


def test_what_waited_too_long_is_503() -> None:
    """S-10: its client has given up."""
    world = World(1)
    running, waiting = world.request(), world.request()
    world.wait(4)
    later = world.request()
    world.wait(6)
    assert world.answers == {waiting: 503}
    assert "waited 10 s for one of 1 workers" in world.messages[waiting]
    world.wait(4)
    assert set(world.answers) == {waiting, later}
    assert world.running == [running]


def test_a_worker_that_is_gone_loses_no_request() -> None:
    """S-46: what was not begun goes to another one, before all others."""
    world = World(2)
    world.workers[1].gone = True
    request = world.request()
    assert world.running == [request, None]
    world.dispatcher.gone(world.workers[1])
    assert world.dispatcher.workers == 1
    waiting = world.request()
    world.dispatcher.gone(world.workers[0])
    world.dispatcher.resubmit(request)
    worker = PaperWorker()
    world.dispatcher.ready(worker)
    assert worker.request is request
    assert world.dispatcher.waiting == 1
    assert waiting not in world.answers


def test_all_workers_gone_means_waiting() -> None:
    """S-46: for the next one."""
    world = World(1)
    world.workers[0].gone = True
    request = world.request()
    assert world.dispatcher.waiting == 1
    worker = PaperWorker()
    world.dispatcher.ready(worker)
    assert worker.request is request


@pytest.mark.parametrize("length", [10, 1000])
def test_counts_return_to_zero(length: int) -> None:
    """S-48: many requests, three at a time, and the limit of waiting bytes still holds."""
    world = World(1)
    for _ in range(20):
        for request in [world.request(length) for _ in range(2)]:
            assert request not in world.answers
        for _ in range(2):
            world.finish(world.workers[0])
    assert world.dispatcher.waiting == 0
