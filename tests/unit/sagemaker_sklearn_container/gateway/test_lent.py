"""Reading requests from a lent connection: which ones are simple enough, and that nothing of the others is lost."""

from __future__ import annotations

import socket
import threading
import time
from typing import Iterator

import pytest

from sagemaker_sklearn_container.gateway.lent import LentConnection, NotSimpleError, Reading
from sagemaker_sklearn_container.gateway.limits import Limits
from sagemaker_sklearn_container.processes.messages import Loan

LIMITS = Limits(large_body_bytes=400_000, max_body_bytes=300_000, max_head_bytes=2000, max_headers=10)
HEAD = b"POST /invocations HTTP/1.1\r\nHost: a\r\n"
SMALL = HEAD + b"Content-Type: text/csv\r\nX-Request-Id: r-1\r\nContent-Length: 3\r\n\r\n1,2"


class Pair:
    """A client and a lent connection."""

    def __init__(self) -> None:
        self.client, end = socket.socketpair()
        end.setblocking(False)
        loan = Loan(1, 4, "127.0.0.1", b"/invocations")
        self.lent = LentConnection(end, loan, 1e9, Reading(LIMITS, b"application/json"))

    def returned(self) -> bytes:
        """What comes back with the connection."""
        with pytest.raises(NotSimpleError) as caught:
            self.lent.read()
        return caught.value.read


@pytest.fixture()
def pair() -> Iterator[Pair]:
    """A new one."""
    pair = Pair()
    yield pair
    pair.client.close()
    pair.lent.close()


def test_small_requests_come_one_after_the_other(pair: Pair) -> None:
    """S-12, S-20, S-23, S-26, S-30."""
    for _ in range(3):
        pair.client.sendall(SMALL)
        request = pair.lent.read()
        assert request is not None
        task = pair.lent.task(request)
        assert (task.kind, task.content_type, task.accept) == (4, "text/csv", "application/json")
        assert (task.request_id, bytes(task.body)) == ("r-1", b"1,2")
        assert dict(task.headers)["Host"] == "a"
        assert (request.method, request.url) == (b"POST", b"/invocations")


def test_nothing_is_no_request(pair: Pair) -> None:
    """S-12: being told too often that there is something does no harm."""
    assert pair.lent.read() is None


@pytest.mark.parametrize("pause_s", [0.0, 0.002])
@pytest.mark.parametrize("length", [20_000, 300_000])
def test_longer_bodies_are_put_together(pair: Pair, length: int, pause_s: float) -> None:
    """S-29: whatever is sent at a time."""
    body = bytes(range(250)) * (length // 250)
    data = HEAD + b"Content-Length: %d\r\n\r\n" % length + body

    def send() -> None:
        for start in range(0, len(data), 100_000):
            pair.client.sendall(data[start : start + 100_000])
            time.sleep(pause_s)

    for _ in range(2):
        sender = threading.Thread(target=send)
        sender.start()
        request = None
        while request is None:
            request = pair.lent.read()
        assert bytes(pair.lent.task(request).body) == body
        assert request.length == length
        sender.join()


@pytest.mark.parametrize(
    "data",
    [
        b"GET /ping HTTP/1.1\r\n\r\n",
        SMALL.replace(b"/invocations", b"/other"),
        SMALL.replace(b"POST", b"PUT"),
        SMALL.replace(b"HTTP/1.1", b"HTTP/1.0"),
        SMALL.replace(b"Host: a", b"Connection: close"),
        SMALL.replace(b"Host: a", b"Expect: 100-continue"),
        SMALL.replace(b"Host: a", b"Connection: upgrade\r\nUpgrade: h2c"),
        SMALL.replace(b"Host: a", b"Host: a\r\n" + b"A: b\r\n" * 11),
        SMALL.replace(b"Host: a", b"Host: " + b"a" * 2000),
        SMALL + SMALL,
        SMALL + b"POST",
        SMALL[:-1],
        SMALL[:40],
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        HEAD + b"Content-Length: 300001\r\n\r\n",
        HEAD + b"Content-Length: 20000\r\n\r\n" + b"a" * 19_999,
        HEAD + b"Content-Length: 20000\r\n\r\n" + b"a" * 20_001,
        HEAD + b"Content-Length: 0\r\n\r\n" + b"a" * 20_001,
        HEAD + b"A: " + b"a" * 20_000,
        b"\x16\x03\x01 nonsense",
    ],
    ids=range(20),
)
def test_everything_else_goes_back_whole(pair: Pair, data: bytes) -> None:
    """S-20, S-28, S-29: the gateway knows what to do."""
    pair.client.sendall(data)
    assert pair.returned() == data


@pytest.mark.parametrize("sent", [b"", SMALL[:-1]])
def test_a_client_that_has_gone_is_the_gateways_business(pair: Pair, sent: bytes) -> None:
    """S-46."""
    pair.client.sendall(sent)
    pair.client.close()
    assert pair.returned() == sent


def test_a_client_that_does_not_read_is_not_waited_for(pair: Pair) -> None:
    """S-12: the rest of an answer goes back with the connection."""
    assert 0 < pair.lent.send(b"x" * 10_000_000) < 10_000_000
    assert pair.lent.send(b"x") == 0


def _posted(body: bytes, more: bytes = b"") -> bytes:
    return HEAD + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


@pytest.mark.parametrize("length", [1, 4096, 20_000, 250_000])
def test_a_head_that_is_sent_again_counts_again(pair: Pair, length: int) -> None:
    """S-20, S-23, S-26, S-29, S-30: with the body that follows it, and not with what another one left behind."""
    bodies = [bytes([number]) * length for number in range(1, 4)]
    csv = b"Content-Type: text/csv\r\n", ("text/csv", "application/json")
    text = b"Content-Type: text/plain\r\nAccept: text/csv\r\n", ("text/plain", "text/csv")
    seen: set[str] = set()
    for fields, types in (csv, csv, text, csv):
        for body in bodies:
            sender = threading.Thread(target=pair.client.sendall, args=(_posted(body, fields),))
            sender.start()
            request = None
            while request is None:
                request = pair.lent.read()
            sender.join()
            task = pair.lent.task(request)
            assert bytes(task.body) == body
            assert (task.content_type, task.accept) == types
            seen.add(task.request_id)
    assert len(seen) == 4 * len(bodies)


@pytest.mark.parametrize(
    "data",
    [
        SMALL[:40],  # the rest of it is what the one before left
        SMALL[:-4],
        SMALL + b"x",
        SMALL + SMALL,
        SMALL.replace(b"Length: 3", b"Length: 4") + b"5P",
        SMALL[:-1],
    ],
)
def test_what_only_begins_like_the_last_request_goes_back_whole(pair: Pair, data: bytes) -> None:
    """S-12, S-29."""
    pair.client.sendall(SMALL)
    assert pair.lent.read() is not None
    pair.client.sendall(data)
    assert pair.returned() == data
