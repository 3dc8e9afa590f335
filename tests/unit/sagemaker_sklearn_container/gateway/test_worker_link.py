"""The gateway's side of a worker, when both sides say something at the same time; the worker is played here."""

from __future__ import annotations

import asyncio
import socket
from typing import Iterator

import pytest

from sagemaker_sklearn_container.errors import RequestError, RequestTimeoutError, WorkerLostError
from sagemaker_sklearn_container.gateway import responses
from sagemaker_sklearn_container.gateway.dispatch import Dispatcher
from sagemaker_sklearn_container.gateway.limits import Limits
from sagemaker_sklearn_container.gateway.request import HttpRequest
from sagemaker_sklearn_container.gateway.routes import Target
from sagemaker_sklearn_container.gateway.worker_link import WorkerLink
from sagemaker_sklearn_container.processes import messages
from sagemaker_sklearn_container.processes.channel import Channel
from sagemaker_sklearn_container.processes.messages import ResponsePacket
from sagemaker_sklearn_container.processes.status import Status

KIND = 1


class Connection:
    """A client's connection, and what is told to it."""

    def __init__(self) -> None:
        self._end, self._client = socket.socketpair()
        self.came_back: list[tuple[bytes, bytes]] = []
        self.errors: list[str] = []

    def descriptor(self) -> int:
        """Be lendable."""
        return self._end.fileno()

    def returned(self, read: bytes | memoryview, unsent: bytes | memoryview, last: bool = False) -> None:
        """Be lendable."""
        self.came_back.append((bytes(read), bytes(unsent)))

    def lost(self, error: RequestError, request_id: bytes, writing: bool) -> None:
        """Be lendable."""
        self.errors.append(str(error))

    def close(self) -> None:
        """At the end of the test."""
        self._end.close()
        self._client.close()


class World:
    """A link to a worker that does what a test says, in a loop that runs when a test says so."""

    headers = ()

    def __init__(self, limit_s: float = 10.0) -> None:
        self.loop = asyncio.new_event_loop()
        self.dispatcher = Dispatcher(Limits(request_s=limit_s), self.loop.time, self.loop.call_at)
        own, self.worker = Channel.pair()
        self.killed = 0
        self.statuses: list[int] = []
        self.connections: list[Connection] = []
        self.status = Status.new()
        self.link = WorkerLink(
            self.loop, own, self.dispatcher, b"text/csv", limit_s, lambda: None, lambda why: None, self._kill
        )
        self.worker.send(messages.READY, self.status.descriptor)
        self.turn()

    def _kill(self) -> None:
        self.killed += 1

    def turn(self, seconds: float = 0.0) -> None:
        """Let the gateway do what there is to do."""
        self.loop.run_until_complete(asyncio.sleep(seconds))
        self.loop.run_until_complete(asyncio.sleep(0))

    def lend(self) -> Connection:
        """Lend a connection; loans are counted from 1."""
        connection = Connection()
        self.connections.append(connection)
        assert self.link.lend(connection, KIND, "-", b"/invocations")
        packet = self.worker.receive()
        assert packet is not None
        socket.close(packet.descriptor)
        return connection

    def give(self) -> HttpRequest:
        """Submit a request, which goes through the channel."""
        request = HttpRequest(self)
        request.request_id = b"id"
        request.target = Target(KIND, "/invocations")
        request.add(b"1,2")
        request.received = self.loop.time()
        self.dispatcher.submit(request)
        return request

    def return_loan(self, number: int, read: bytes) -> None:
        """Be a worker that gives a connection back."""
        self.worker.send(messages.encode_return(number, len(read), 0, False) + read)

    def respond_as_worker(self) -> None:
        """Be a worker that answers a request from the gateway."""
        self.worker.send(messages.encode_response(200, b"HTTP/1.1 200 OK\r\n", b"x", 1))

    def compute(self, loan: int) -> None:
        """Be a worker that begins to compute for a loan."""
        self.status.read(loan)
        self.status.begin(b"id")

    def error_body(self, status: int, kind: str, message: str) -> bytes:
        """Be the client of a request."""
        return responses.error(status, kind, message)

    def respond(self, request: HttpRequest, response: ResponsePacket) -> None:
        """Be the client of a request."""
        self.statuses.append(response.status)

    def close(self) -> None:
        """At the end of the test."""
        self.link.end(WorkerLostError("the test is over"))
        self.worker.close()
        for connection in self.connections:
            connection.close()
        self.loop.close()


@pytest.fixture()
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def test_what_a_worker_gave_back_before_it_computes_is_not_taken_back_without_what_it_read(world: World) -> None:
    """S-05, S-12: else a request would be read and never answered."""
    given_back, busy, other = world.lend(), world.lend(), world.lend()
    world.return_loan(1, b"POST / HTTP/1.1\r\n")
    world.compute(2)
    world.link.watch(0.0)
    assert given_back.came_back == [(b"POST / HTTP/1.1\r\n", b"")]
    assert other.came_back == [(b"", b"")]
    assert not busy.came_back
    assert world.link.loans == 1
    world.turn()
    assert len(given_back.came_back) == 1


def test_a_request_that_was_answered_is_not_answered_again(world: World) -> None:
    """S-12: its answer is on the way when the worker computes for a connection that it was lent."""
    world.lend()
    world.give()
    world.respond_as_worker()
    world.compute(1)
    world.link.watch(0.0)
    assert world.statuses == [200]
    assert not world.dispatcher.waiting


def test_a_request_that_was_not_begun_goes_to_others(world: World) -> None:
    """S-05, S-12."""
    busy = world.lend()
    world.give()
    world.compute(1)
    world.link.watch(0.0)
    assert world.dispatcher.waiting == 1
    assert not busy.came_back
    world.status.end()
    world.return_loan(1, b"")
    world.turn()
    assert not world.dispatcher.waiting, "the worker may have it after all"
    assert busy.came_back == [(b"", b"")]


def test_what_a_worker_said_before_its_end_counts(world: World) -> None:
    """S-45: even if it has not read the last that it was told."""
    given_back, untouched = world.lend(), world.lend()
    world.give()
    world.return_loan(1, b"POST")
    world.worker.close()
    world.turn()
    world.turn()
    assert given_back.came_back == [(b"POST", b"")]
    assert untouched.came_back == [(b"", b"")]
    assert world.dispatcher.waiting == 1, "it was not begun"
    assert not world.statuses


def test_a_worker_that_computes_for_too_long_ends_with_its_request() -> None:
    """S-10, S-46."""
    world = World(limit_s=0.05)
    try:
        idle = world.lend()
        world.give()
        world.compute(0)
        world.turn(0.2)
        assert world.killed == 1
        assert world.statuses == [RequestTimeoutError.status]
        assert idle.came_back == [(b"", b"")]
    finally:
        world.close()
