"""What clients must not notice: connections with quick small requests are lent to the workers, and come back.

Every case takes the fixture `platform`. The workers are those of `serving_server_cases`, which do what bodies say.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

import pytest

from tests.contract.serving_server_cases import OBEDIENT, PATIENCE_S, PING, Wire, post, request_bytes, serve_obedient
from tests.support.platform import Platform, Server

# After so many the connection is with a worker; and what a loan lasts at most, seconds.
_QUICK_REQUESTS = 5
_LOAN_S = 1.0
_CLOSED = 0


def _lent(server: Server) -> Wire:
    """A connection that a worker has, or had a moment ago."""
    wire = Wire(server)
    for _ in range(_QUICK_REQUESTS):
        assert _said(wire, b"word") == b"word"
    return wire


def _said(wire: Wire, body: bytes, *headers: bytes) -> bytes:
    wire.send(request_bytes(body, *headers))
    status, _, answer = wire.answer()
    assert status == 200, answer
    return answer


def _chunked(wire: Wire) -> None:
    wire.send(b"POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    wire.send(b"2\r\nwo\r\n", b"2\r\nrd\r\n0\r\n\r\n")
    assert wire.answer()[2] == b"word"


def _expecting(wire: Wire) -> None:
    head, _, body = request_bytes(b"word", b"Expect: 100-continue").partition(b"\r\n\r\n")
    wire.send(head, b"\r\n\r\n")
    assert wire.answer()[0] == 100
    wire.send(body)
    assert wire.answer()[2] == b"word"


def _ahead(wire: Wire) -> None:
    wire.send(*(request_bytes(b"word%d" % number) for number in range(20)), PING)
    for number in range(20):
        assert wire.answer()[2] == b"word%d" % number
    assert wire.answer()[0] == 200


def _ping(wire: Wire) -> None:
    wire.send(PING)
    assert wire.answer()[0] == 200


def _other_path(wire: Wire) -> None:
    wire.send(b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    assert wire.answer()[0] == 404


def _in_pieces(wire: Wire) -> None:
    request = request_bytes(b"word")
    for start in range(0, len(request), 9):
        wire.send(request[start : start + 9])
        time.sleep(0.01)
    assert wire.answer()[2] == b"word"


def _slow_body(wire: Wire) -> None:
    request = request_bytes(b"word")
    wire.send(request[:-4])
    time.sleep(0.3)
    wire.send(request[-4:])
    assert wire.answer()[2] == b"word"


def _medium(wire: Wire) -> None:
    assert _said(wire, b"x" * 300_000) == b"x" * 300_000


def _large(wire: Wire) -> None:
    assert _said(wire, b"x" * 3_000_000) == b"x" * 3_000_000


def _a_while(wire: Wire) -> None:
    assert _said(wire, b"sleep 0.2") == b"sleep 0.2"


def _longer_than_a_loan(wire: Wire) -> None:
    time.sleep(_LOAN_S + 0.5)


_TURNS: list[Callable[[Wire], None]] = [
    _chunked,
    _expecting,
    _ahead,
    _ping,
    _other_path,
    _in_pieces,
    _slow_body,
    _medium,
    _large,
    _a_while,
    _longer_than_a_loan,
]


def test_clients_may_change_their_ways(platform: Platform) -> None:
    """S-20, S-21, S-28, S-29: whatever comes after quick requests, and after that quick requests again."""
    with serve_obedient(platform, workers=2) as server, _lent(server) as wire:
        for turn in _TURNS:
            turn(wire)
            for number in range(_QUICK_REQUESTS):
                assert _said(wire, b"word%d" % number) == b"word%d" % number
        assert _said(wire, b"word", b"Connection: close") == b"word"
        assert wire.ended()
        log = server.wait_for_log('"POST /nothing HTTP/1.1" 404')
        assert log.count('"POST /invocations HTTP/1.1" 200 4 ') >= _QUICK_REQUESTS


def test_nonsense_after_good_requests_is_refused(platform: Platform) -> None:
    """S-42: and the connection closed."""
    with serve_obedient(platform) as server, _lent(server) as wire:
        wire.send(b"\x16\x03\x01 nonsense\r\n\r\n")
        assert wire.answer()[0] == 400
        assert wire.ended()


@pytest.mark.parametrize(
    ("body", "status", "error"), [(b"leave", 502, b"WorkerLostError"), (b"sleep 30", 504, b"RequestTimeoutError")]
)
def test_a_worker_that_is_lost_loses_one_request(platform: Platform, body: bytes, status: int, error: bytes) -> None:
    """S-10, S-45, S-46: its other connections live on."""
    with serve_obedient(platform, {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "2"}) as server:
        wires = [_lent(server) for _ in range(4)]
        wires[0].send(request_bytes(body, b"X-Request-Id: the-one"))
        time.sleep(0.5)  # or they would have waited just as long for a worker
        for wire in wires[1:]:
            wire.send(request_bytes(b"word"))
        code, headers, answer = wires[0].answer()
        assert (code, headers["x-request-id"]) == (status, "the-one")
        assert error in answer
        for wire in wires[1:]:
            assert wire.answer()[2] == b"word"
        for wire in wires:
            assert _said(wire, b"again") == b"again"
            wire.close()
        assert server.wait_for_log("Request the-one: ").count("Request the-one: ") == 1


def test_pings_on_their_connections_do_not_wait_for_workers(platform: Platform) -> None:
    """S-05."""
    with serve_obedient(platform) as server, _lent(server) as busy, _lent(server) as wire:
        busy.send(request_bytes(b"compute 2"))
        time.sleep(0.3)
        started = time.monotonic()
        _ping(wire)
        assert time.monotonic() - started < 1
        assert busy.answer()[2] == b"compute 2"


def test_a_slow_request_keeps_no_other_connection_waiting(platform: Platform) -> None:
    """S-12: as long as another worker has time."""
    with serve_obedient(platform, workers=2) as server:
        wires = [_lent(server) for _ in range(6)]
        wires[0].send(request_bytes(b"sleep 3"))
        started = time.monotonic()
        for wire in wires[1:]:
            for _ in range(_QUICK_REQUESTS):
                assert _said(wire, b"word") == b"word"
        assert time.monotonic() - started < 2
        assert wires[0].answer()[2] == b"sleep 3"
        for wire in wires:
            wire.close()


def test_small_requests_of_theirs_do_not_wait_for_large_ones(platform: Platform) -> None:
    """S-48: large requests leave one worker to them."""
    script = OBEDIENT.replace("    if len(data) > 100:\n", "    if len(data) > 100:\n        time.sleep(3)\n")
    with serve_obedient(platform, workers=2, script=script) as server, ThreadPoolExecutor(3) as pool:
        wires = [_lent(server) for _ in range(4)]
        large = [pool.submit(post, server, b"x" * 2_000_000) for _ in range(3)]
        time.sleep(0.3)
        started = time.monotonic()
        for wire in wires:
            assert _said(wire, b"word") == b"word"
            wire.close()
        assert time.monotonic() - started < 2
        assert [len(answer.result().content) for answer in large] == [2_000_000] * 3


def test_a_client_that_reads_late_gets_everything(platform: Platform) -> None:
    """S-09: and does not keep the worker."""
    body = b"x" * 900_000
    with serve_obedient(platform) as server:
        wires = [_lent(server) for _ in range(8)]
        for wire in wires:
            wire.send(request_bytes(body))
        started = time.monotonic()
        assert post(server, "word").text == "word"
        assert time.monotonic() - started < 5
        for wire in wires:
            assert wire.answer()[2] == body
            assert _said(wire, b"word") == b"word"
            wire.close()


def test_clients_that_leave_do_not_matter(platform: Platform) -> None:
    """S-46: between requests, in the middle of one, and before its answer."""
    with serve_obedient(platform) as server:
        for sent in (b"", request_bytes(b"word")[:-2], request_bytes(b"sleep 0.05")):
            for _ in range(3):
                with _lent(server) as wire:
                    wire.send(sent)
        assert post(server, "word").text == "word"


def test_the_death_of_a_worker_under_load_fails_its_own_request_only(platform: Platform) -> None:
    """S-46: the capacity is back within a second."""
    with serve_obedient(platform, workers=2) as server, ThreadPoolExecutor(6) as pool:
        statuses: list[int] = []
        stop = threading.Event()

        def load() -> None:
            while not stop.is_set():
                with Wire(server) as wire:
                    while not stop.is_set():
                        wire.send(request_bytes(b"word"))
                        try:
                            statuses.append(wire.answer()[0])
                        except (AssertionError, OSError):  # closed: the worker was writing
                            statuses.append(_CLOSED)
                            break

        clients = [pool.submit(load) for _ in range(6)]
        killed = 0
        for _ in range(5):
            time.sleep(0.4)
            victim = post(server, "pid").text
            killed += post(server, f"kill {victim}").status_code == 502
        time.sleep(1)
        answered = len(statuses)
        time.sleep(0.5)
        assert len(statuses) > answered
        stop.set()
        for client in clients:
            client.result(PATIENCE_S)
    assert set(statuses) <= {200, 502, _CLOSED}
    assert len(statuses) - statuses.count(200) + killed <= 5
    assert len(statuses) > 500


def test_sigterm_under_quick_load_drops_nothing(platform: Platform) -> None:
    """S-07."""
    server = serve_obedient(platform, workers=2)
    outcomes: list[object] = []

    def load() -> None:
        with Wire(server) as wire:
            while True:
                wire.send(request_bytes(b"word"))
                status, headers, body = wire.answer()
                outcomes.append((status, body))
                if headers.get("connection") == "close":
                    return

    with ThreadPoolExecutor(8) as pool:
        clients = [pool.submit(load) for _ in range(8)]
        time.sleep(0.7)
        started = time.monotonic()
        server.terminate()
        for client in clients:
            client.result(PATIENCE_S)
    assert server.stop() == 0
    assert time.monotonic() - started < 10
    assert set(outcomes) == {(200, b"word")}
    assert len(outcomes) > 500
