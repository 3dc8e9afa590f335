"""Connections in this process: what is hard to see from outside, such as time limits."""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Awaitable, Callable, Iterator

import pytest
import uvloop

from sagemaker_sklearn_container.gateway import responses
from sagemaker_sklearn_container.gateway.http import Service
from sagemaker_sklearn_container.gateway.limits import Limits
from sagemaker_sklearn_container.gateway.request import HttpRequest
from sagemaker_sklearn_container.gateway.routes import Target
from sagemaker_sklearn_container.gateway.site import SiteSettings
from sagemaker_sklearn_container.gateway.worker_link import Lendable
from sagemaker_sklearn_container.processes.messages import ResponsePacket
from sagemaker_sklearn_container.single_model.routes import ROUTES

LIMITS = Limits(head_s=0.3, pause_s=0.3, keep_alive_s=0.3, max_body_bytes=1_000_000)
SETTINGS = SiteSettings(
    LIMITS,
    ROUTES,
    responses.error,
    headers=(("X-Of-All", "1"),),
    close_on_error=False,
    site=lambda gateway: pytest.fail("no gateway runs here"),
)
PING = b"GET /ping HTTP/1.1\r\n\r\n"


class _NoLog:
    def add(self, *fields: Any) -> None:
        """Nothing."""


class World:
    """A server whose requests are answered by a function of their bodies."""

    def __init__(self, loop: asyncio.AbstractEventLoop, settings: SiteSettings = SETTINGS) -> None:
        self.loop = loop
        self.begun: list[HttpRequest] = []
        self.answer = b"answer"
        self.answering = True
        self.service = Service(loop, settings, self, _NoLog())  # type: ignore[arg-type]
        self._server = loop.run_until_complete(loop.create_server(self.service.connection, "127.0.0.1", 0))
        self.address = self._server.sockets[0].getsockname()

    def submit(self, request: HttpRequest) -> None:
        """The site's part: answer, or leave it waiting."""
        self.begun.append(request)
        if self.answering:
            head = responses.head(200, "text/plain", len(self.answer), request.request_id.decode("ascii"))
            request.respond(ResponsePacket(200, head, self.answer))

    def lend(self, connection: Lendable, target: Target, client: str, url: bytes) -> bool:
        """Nobody is there to lend to."""
        return False

    def run(self, scenario: Callable[[socket.socket], Awaitable[None]]) -> None:
        """Run a client's part."""

        async def connected() -> None:
            with socket.socket() as client:
                client.setblocking(False)
                await self.loop.sock_connect(client, self.address)
                await asyncio.wait_for(scenario(client), 10)

        self.loop.run_until_complete(connected())

    async def read_all(self, client: socket.socket) -> bytes:
        """Everything until the server closes the connection."""
        data = b""
        while True:
            piece = await self.loop.sock_recv(client, 1 << 20)
            if not piece:
                return data
            data += piece

    def close(self) -> None:
        """End."""
        self._server.close()
        self.loop.run_until_complete(self._server.wait_closed())


@contextmanager
def _serving(settings: SiteSettings) -> Iterator[World]:
    loop = uvloop.new_event_loop()
    world = World(loop, settings)
    yield world
    world.close()
    loop.close()


@pytest.fixture()
def world() -> Iterator[World]:
    """A server on the loopback interface."""
    with _serving(SETTINGS) as world:
        yield world


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /pi", b"POST /invocations HTTP/1.1\r\nContent-Length: 5\r\n\r\nab", PING],
    ids=["nothing", "head", "body", "rest"],
)
def test_whoever_takes_too_long_is_let_go(world: World, sent: bytes) -> None:
    """S-09."""

    async def scenario(client: socket.socket) -> None:
        await world.loop.sock_sendall(client, sent)
        data = await world.read_all(client)
        assert data.startswith(b"HTTP/1.1 200 OK") == (sent == PING)

    world.run(scenario)
    assert not world.service.connections


def test_a_request_that_is_worked_on_is_not_too_long(world: World) -> None:
    """S-10: that limit is the worker's."""
    world.answering = False

    async def scenario(client: socket.socket) -> None:
        await world.loop.sock_sendall(client, b"POST /invocations HTTP/1.1\r\nContent-Length: 2\r\n\r\nab")
        await asyncio.sleep(1.2)
        world.begun[0].respond(ResponsePacket(200, responses.head(200, None, 0, "id"), b""))
        assert (await world.read_all(client)).startswith(b"HTTP/1.1 200 OK")

    world.run(scenario)


def test_a_client_that_does_not_read_is_let_go(world: World) -> None:
    """S-09: and what was sent ahead is not worked on while nothing can be written."""
    world.answer = b"x" * 30_000_000

    async def scenario(client: socket.socket) -> None:
        await world.loop.sock_sendall(client, b"POST /invocations HTTP/1.1\r\nContent-Length: 1\r\n\r\na" * 20)
        while not world.begun:
            await asyncio.sleep(0.01)
        for _ in range(300):
            if not world.service.connections:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the connection is still there")

    world.run(scenario)
    assert len(world.begun) == 1


def test_a_view_of_memory_is_written_whole(world: World) -> None:
    """B-06: to a client that begins slowly."""
    world.answer = memoryview(bytes(range(256)) * 40_000)

    async def scenario(client: socket.socket) -> None:
        request = b"POST /invocations HTTP/1.1\r\nConnection: close\r\nContent-Length: 1\r\n\r\na"
        await world.loop.sock_sendall(client, request)
        data = b""
        for _ in range(10):
            data += await world.loop.sock_recv(client, 100_000)
            await asyncio.sleep(0.01)
        data += await world.read_all(client)
        assert data.partition(b"\r\n\r\n")[2] == bytes(range(256)) * 40_000

    world.run(scenario)


def test_thousands_of_requests_sent_ahead(world: World) -> None:
    """S-32: neither recursion nor order is a problem, nor is being told to stop."""

    async def scenario(client: socket.socket) -> None:
        await world.loop.sock_sendall(client, PING * 5000 + b"GET /ping HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert (await world.read_all(client)).count(b"HTTP/1.1 200 OK") == 5001

    world.run(scenario)


def test_the_client_that_leaves_abandons_its_request(world: World) -> None:
    """S-48."""
    world.answering = False

    async def scenario(client: socket.socket) -> None:
        await world.loop.sock_sendall(client, b"POST /invocations HTTP/1.1\r\nContent-Length: 2\r\n\r\nab")
        while not world.begun:
            await asyncio.sleep(0.01)
        client.close()
        while world.service.connections:
            await asyncio.sleep(0.01)

    world.run(scenario)
    assert world.begun[0].abandoned
    world.begun[0].respond(ResponsePacket(200, b"", b""))


def test_request_ids(world: World) -> None:
    """S-22: the client's is repeated, unless it could do harm; ours differ."""

    async def scenario(client: socket.socket) -> None:
        for given in (b"id-1", b"a b", b"x" * 200):
            await world.loop.sock_sendall(client, b"GET /ping HTTP/1.1\r\nX-Request-Id: " + given + b"\r\n\r\n")
        await world.loop.sock_sendall(client, b"GET /ping HTTP/1.1\r\nConnection: close\r\n\r\n")
        lines = (await world.read_all(client)).split(b"\r\n")
        seen = [line.partition(b": ")[2] for line in lines if line.startswith(b"X-Request-Id")]
        assert seen[0] == b"id-1"
        assert len(set(seen)) == 4
        assert all(len(value) < 40 for value in seen)

    world.run(scenario)


@pytest.mark.parametrize("closes", [False, True])
def test_an_error_may_end_the_connection(closes: bool) -> None:
    """M-17, M-22: as the settings say, which have headers for every answer, and make the bodies of errors."""

    async def scenario(client: socket.socket) -> None:
        await served.loop.sock_sendall(client, PING + b"GET /no HTTP/1.1\r\n\r\n" + PING)
        answers = (await served.read_all(client)).split(b"HTTP/1.1 ")[1:]
        assert [answer[:3] for answer in answers] == ([b"200", b"404"] if closes else [b"200", b"404", b"200"])
        assert [b"X-Of-All: 1\r\n" in answer for answer in answers] == [True] * len(answers)
        assert answers[1].endswith(b"\r\n\r\n404 NotFoundError")
        assert (b"Connection: close\r\n" in answers[1]) == closes

    settings = replace(
        SETTINGS, close_on_error=closes, error_body=lambda status, kind, message: f"{status} {kind}".encode()
    )
    with _serving(settings) as served:
        served.run(scenario)
