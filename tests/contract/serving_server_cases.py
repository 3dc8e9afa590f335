"""What the server of `serve` owes its clients: HTTP as it is spoken, under load, under fault, and to its end.

Every case takes the fixture `platform`. Requests are written to sockets by hand where a client library would be too
polite.
"""

from __future__ import annotations

import json
import re
import socket
import statistics
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Iterator, Mapping
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.platform import MlTree, Platform, Server

PATIENCE_S = 30.0

# Does what the body says. A body of one word and nothing else is given back.
OBEDIENT = """
import os, signal, sys, time

def model_fn(model_dir):
    return None

def input_fn(body, content_type):
    return body if isinstance(body, bytes) else body.encode()

def predict_fn(data, model):
    if len(data) > 100:
        return data
    command, _, argument = data.decode().partition(" ")
    if command == "sleep":
        time.sleep(float(argument))
    elif command == "compute":
        end = time.monotonic() + float(argument)
        while time.monotonic() < end:
            pass
    elif command == "pid":
        return str(os.getpid()).encode()
    elif command == "kill":
        os.kill(int(argument), signal.SIGKILL)
    elif command == "gateway":
        children = open(f"/proc/{os.getppid()}/task/{os.getppid()}/children").read().split()
        return str(min(map(int, children))).encode()
    elif command == "leave":
        os._exit(3)
    elif command == "exit":
        sys.exit(3)
    elif command == "raise":
        raise ValueError("no")
    elif command == "none":
        return None
    elif command == "memory":
        raise MemoryError("all gone")
    elif command == "child":
        if os.fork() == 0:
            time.sleep(float(argument))
            os._exit(0)
        os._exit(4)
    elif command == "headers":
        return "headers"
    return data

class Answer:
    status_code = 200
    headers = {"Content-Type": "text/plain", "X-Good": "a\\r\\nX-Evil: 1", "Transfer-Encoding": "chunked", "X Bad": "1"}
    def get_data(self):
        return b"answered"

def output_fn(prediction, accept):
    if prediction == "headers":
        return Answer()
    if prediction is None:
        return None
    return prediction, "text/plain"
"""


def _tree(platform: Platform, script: str = OBEDIENT) -> MlTree:
    tree = platform.tree()
    (tree.root / "model").mkdir()
    tree.code(inference=textwrap.dedent(script))
    return tree


def serve_obedient(
    platform: Platform, environ: Mapping[str, str] | None = None, *, workers: int = 1, script: str = OBEDIENT
) -> Server:
    """A server that does what bodies say."""
    variables = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_MODEL_SERVER_WORKERS": str(workers)}
    return platform.serve(_tree(platform, script), {**variables, **(environ or {})})


@pytest.fixture()
def server(platform: Platform) -> Iterator[Server]:
    """A server with one worker that does what bodies say."""
    with serve_obedient(platform) as server:
        yield server


def post(server: Server, body: Any, **headers: str) -> Any:
    """The answer to a body."""
    headers = {"Content-Type": "application/octet-stream", **headers}
    return requests.post(f"{server.base_url}/invocations", data=body, headers=headers, timeout=PATIENCE_S)


class Wire:
    """A connection that says what it is told, byte for byte."""

    def __init__(self, server: Server) -> None:
        """Connect."""
        address = urlsplit(server.base_url)
        self.socket = socket.create_connection((str(address.hostname), int(address.port or 80)), PATIENCE_S)
        self._stream = self.socket.makefile("rb")

    def __enter__(self) -> Wire:
        """The connection."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close it."""
        self._stream.close()
        self.socket.close()

    def send(self, *parts: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(b"".join(parts))

    def answer(self, body: bool = True) -> tuple[int, dict[str, str], bytes]:
        """The next response: status, headers with names in lower case, body as long as Content-Length says."""
        status_line = self._stream.readline()
        assert status_line.endswith(b"\r\n"), f"instead of a response came {status_line!r}"
        headers: dict[str, str] = {}
        while True:
            line = self._stream.readline().decode("latin-1").rstrip("\r\n")
            if not line:
                break
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        length = int(headers.get("content-length", "0")) if body else 0
        return int(status_line.split()[1]), headers, self._stream.read(length)

    def ended(self) -> bool:
        """Whether the server has closed the connection, and sent nothing before."""
        try:
            return self._stream.read(1) == b""
        except ConnectionResetError:
            return True


def request_bytes(body: bytes, *headers: bytes, version: bytes = b"1.1") -> bytes:
    """A request as it is sent."""
    lines = (b"POST /invocations HTTP/%s" % version, b"Host: x", b"Content-Type: x/y", *headers)
    return b"\r\n".join((*lines, b"Content-Length: %d" % len(body), b"", body))


PING = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"


# HTTP as it is spoken


def test_a_connection_serves_many_requests(server: Server) -> None:
    """S-32."""
    with Wire(server) as wire:
        for number in range(5):
            wire.send(request_bytes(b"word%d" % number))
            status, headers, body = wire.answer()
            assert (status, body) == (200, b"word%d" % number)
            assert "connection" not in headers
            assert headers["content-length"] == "5"


def test_requests_sent_ahead_are_answered_in_order(platform: Platform) -> None:
    """S-32: also when there are workers enough to answer them at once."""
    with serve_obedient(platform, workers=2) as server, Wire(server) as wire:
        wire.send(request_bytes(b"sleep 0.3"), PING, *(request_bytes(b"%d" % number) for number in range(50)), PING)
        answers = [wire.answer() for _ in range(53)]
    assert [body for _, _, body in answers] == [b"sleep 0.3", b"", *(b"%d" % number for number in range(50)), b""]


def test_pieces_of_a_request_are_put_together(server: Server) -> None:
    """S-20."""
    with Wire(server) as wire:
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request_bytes(b"together"):
            wire.send(bytes([byte]))
        assert wire.answer()[::2] == (200, b"together")


def test_chunks_with_extensions_and_trailers(server: Server) -> None:
    """S-28."""
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: x/y\r\nTransfer-Encoding: chunked\r\n\r\n"
    with Wire(server) as wire:
        wire.send(head, b"3;name=value\r\nwor\r\n", b"2\r\nds\r\n", b"0\r\nTrailer: 1\r\n\r\n", PING)
        assert wire.answer()[::2] == (200, b"words")
        assert wire.answer()[0] == 200


def test_a_client_that_expects_to_be_asked_is_asked(server: Server) -> None:
    """S-20: the body comes after 100."""
    head, _, body = request_bytes(b"word", b"Expect: 100-continue").partition(b"\r\n\r\n")
    with Wire(server) as wire:
        wire.send(head, b"\r\n\r\n")
        assert wire.answer()[0] == 100
        wire.send(body)
        assert wire.answer()[::2] == (200, b"word")


def test_a_client_whose_body_is_not_wanted_is_not_asked_for_it(platform: Platform) -> None:
    """S-21, S-47: the final answer comes at once."""
    with serve_obedient(platform, {"MAX_CONTENT_LENGTH": "8"}) as server:
        for request, status in (
            (request_bytes(b"too long a body", b"Expect: 100-continue"), 413),
            (request_bytes(b"word", b"Expect: 100-continue").replace(b"/invocations", b"/elsewhere"), 404),
        ):
            with Wire(server) as wire:
                wire.send(request.partition(b"\r\n\r\n")[0], b"\r\n\r\n")
                answered, headers, _ = wire.answer()
                assert (answered, headers["connection"]) == (status, "close")
                assert wire.ended()


@pytest.mark.parametrize(("header", "kept"), [(b"X: y", False), (b"Connection: keep-alive", True)])
def test_http_1_0(server: Server, header: bytes, kept: bool) -> None:
    """S-32: one request per connection, unless asked otherwise."""
    with Wire(server) as wire:
        wire.send(request_bytes(b"old", header, version=b"1.0"))
        status, headers, body = wire.answer()
        assert (status, body) == (200, b"old")
        assert headers["connection"] == ("keep-alive" if kept else "close")
        if kept:
            wire.send(request_bytes(b"again", header, version=b"1.0"))
            assert wire.answer()[::2] == (200, b"again")
        else:
            assert wire.ended()


def test_connection_close_is_honoured(server: Server) -> None:
    """S-32."""
    with Wire(server) as wire:
        wire.send(request_bytes(b"last", b"Connection: close"))
        assert wire.answer()[2] == b"last"
        assert wire.ended()


def test_head_gives_the_headers_of_get(server: Server) -> None:
    """S-03: and no body, whatever the length says."""
    with Wire(server) as wire:
        wire.send(PING.replace(b"GET", b"HEAD"), PING.replace(b"GET /ping", b"HEAD /execution-parameters"), PING)
        assert [wire.answer(body=False)[0] for _ in range(3)] == [200, 404, 200]


def test_another_protocol_is_not_offered(server: Server) -> None:
    """S-20: a request to change it, as curl makes for HTTP/2, is answered as it is."""
    upgrade = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__")
    with Wire(server) as wire:
        wire.send(request_bytes(b"word", *upgrade))
        assert wire.answer()[::2] == (200, b"word")


def test_large_bodies_travel_both_ways(server: Server) -> None:
    """S-29, B-06: unchanged, with a length and chunked."""
    body = bytes(range(256)) * 32768
    assert post(server, body).content == body
    assert post(server, iter([body[:3_000_000], body[3_000_000:]])).content == body


def test_what_user_code_sets_cannot_break_the_response(server: Server) -> None:
    """S-30: line ends in values, headers that are the server's, names that are none; the script's author is told."""
    with Wire(server) as wire:
        wire.send(request_bytes(b"headers"))
        status, headers, body = wire.answer()
        assert (status, json.loads(body)["error"]) == (500, "ResultError")
        assert not {"x-evil", "transfer-encoding", "x bad", "x-good"} & set(headers)
        wire.send(PING)
        assert wire.answer()[0] == 200


# What is no good request


BAD_REQUESTS = {
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "text": (b"hello\r\n\r\n", 400),
    "version": (b"GET /ping HTTP/9.9\r\n\r\n", 400),
    "http2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "negative-length": (b"POST /invocations HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
    "two-lengths": (b"POST /invocations HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400),
    "length-and-chunks": (
        b"POST /invocations HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "bad-chunk": (b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400),
    "nul": (b"GET /ping HTTP/1.1\r\nX: a\0b\r\n\r\n", 400),
    "long-header": (b"GET /ping HTTP/1.1\r\nX: " + b"a" * 200_000 + b"\r\n\r\n", 431),
    "endless-header": (b"GET /ping HTTP/1.1\r\nX: " + b"a" * 2_000_000, 431),
    "many-headers": (b"GET /ping HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(500)) + b"\r\n", 431),
    "long-path": (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", 431),
    "connect": (b"CONNECT example.com:443 HTTP/1.1\r\n\r\n", 404),
}


@pytest.mark.parametrize("name", list(BAD_REQUESTS))
def test_what_is_no_good_request_is_refused_and_the_connection_closed(server: Server, name: str) -> None:
    """S-42: with JSON that says why; and the server lives on."""
    data, status = BAD_REQUESTS[name]
    with Wire(server) as wire:
        wire.send(data)
        answered, headers, body = wire.answer()
        assert (answered, headers["content-type"]) == (status, "application/json")
        assert set(json.loads(body)) == {"error", "error-message"}
        assert wire.ended()
    assert post(server, "word").text == "word"


def test_a_refusal_waits_for_the_answers_before_it(server: Server) -> None:
    """S-32."""
    with Wire(server) as wire:
        wire.send(request_bytes(b"sleep 0.2"), b"nonsense\r\n\r\n")
        assert [wire.answer()[0] for _ in range(2)] == [200, 400]
        assert wire.ended()


def test_a_client_that_sends_too_much_can_read_why(platform: Platform) -> None:
    """S-47: though it has sent much more by then."""
    with serve_obedient(platform, {"MAX_CONTENT_LENGTH": "1000"}) as server:
        answer = post(server, b"x" * 20_000_000)
        assert (answer.status_code, answer.json()["error"]) == (413, "PayloadTooLargeError")
        assert post(server, "word").text == "word"


# Under load


def test_pings_do_not_wait_for_busy_workers(platform: Platform) -> None:
    """S-05."""
    with serve_obedient(platform, workers=2) as server, ThreadPoolExecutor(4) as pool, requests.Session() as session:
        busy = [pool.submit(post, server, "compute 2") for _ in range(4)]
        time.sleep(0.2)
        seconds = []
        while not all(answer.done() for answer in busy[:2]):
            started = time.monotonic()
            assert session.get(f"{server.base_url}/ping", timeout=PATIENCE_S).status_code == 200
            seconds.append(time.monotonic() - started)
        assert [answer.result().status_code for answer in busy] == [200] * 4
    assert len(seconds) > 10
    assert statistics.median(seconds) < 0.1
    assert max(seconds) < 2


def test_slow_clients_do_not_matter(platform: Platform) -> None:
    """S-09: 200 that send a byte a second, in the head or in the body."""
    head, _, body = request_bytes(b"x" * 1000).partition(b"\r\n\r\n")
    with serve_obedient(platform) as server:
        wires = [Wire(server) for _ in range(200)]
        try:
            for number, wire in enumerate(wires):
                wire.send(head + b"\r\n\r\n" if number % 2 else head[:20])
            for turn in range(3):
                for number, wire in enumerate(wires):
                    wire.send(body[:1] if number % 2 else head[20 + turn : 21 + turn])
                started = time.monotonic()
                assert post(server, "word").text == "word"
                assert time.monotonic() - started < 1
                time.sleep(0.7)
        finally:
            for wire in wires:
                wire.close()


def test_small_requests_do_not_wait_for_large_ones(platform: Platform) -> None:
    """S-48: with two workers, large requests leave one to small ones."""
    script = OBEDIENT.replace("    if len(data) > 100:\n", "    if len(data) > 100:\n        time.sleep(1.5)\n")
    with serve_obedient(platform, workers=2, script=script) as server, ThreadPoolExecutor(3) as pool:
        assert post(server, "first").text == "first"
        large = [pool.submit(post, server, b"x" * 2_000_000) for _ in range(3)]
        time.sleep(0.3)
        started = time.monotonic()
        for _ in range(5):
            assert post(server, "word").text == "word"
        assert time.monotonic() - started < 1
        assert [len(answer.result().content) for answer in large] == [2_000_000] * 3


def test_clients_that_leave_early_do_not_matter(server: Server) -> None:
    """S-48: in the head, in the body, while waiting for a worker, before reading the answer."""
    request = request_bytes(b"sleep 0.01" * 5)
    for _ in range(5):
        for cut in (10, len(request) - 3, len(request)):
            with Wire(server) as wire:
                wire.send(request[:cut])
    assert post(server, "word").text == "word"


# Under fault


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ("leave", 502, "WorkerLostError"),
        ("exit", 500, "SystemExit"),
        ("raise", 500, "ValueError"),
        ("none", 500, "ResultError"),
        ("memory", 500, "MemoryError"),
        ("sleep 30", 504, "RequestTimeoutError"),
        ("child 5", 502, "WorkerLostError"),
    ],
)
def test_whatever_user_code_does_there_is_one_answer_and_the_next_request_is_served(
    platform: Platform, body: str, status: int, error: str
) -> None:
    """S-10, S-44, S-45, S-46, S-49, U-31: a child that outlives the worker does not hide its end."""
    with serve_obedient(platform, {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "2"}) as server:
        answer = post(server, body, **{"X-Request-Id": "the-one"})
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert answer.headers["X-Request-Id"] == "the-one"
        started = time.monotonic()
        assert post(server, "word").text == "word"
        assert time.monotonic() - started < 1
        assert server.wait_for_log("Request the-one: ").count("Request the-one: ") == 1


def test_the_death_of_a_worker_fails_its_own_request_only(platform: Platform) -> None:
    """S-46: under load; the capacity is back within a second."""
    with serve_obedient(platform, workers=2) as server, ThreadPoolExecutor(8) as pool:
        victim = post(server, "pid").text
        statuses: list[int] = []
        stop = threading.Event()

        def load() -> None:
            with requests.Session() as session:
                while not stop.is_set():
                    answer = session.post(
                        f"{server.base_url}/invocations",
                        data="sleep 0.02",
                        headers={"Content-Type": "x/y"},
                        timeout=PATIENCE_S,
                    )
                    statuses.append(answer.status_code)

        clients = [pool.submit(load) for _ in range(6)]
        time.sleep(0.5)
        killer = post(server, f"kill {victim}").status_code
        time.sleep(1)
        pids = {future.result().text for future in [pool.submit(post, server, "pid") for _ in range(2)]}
        pids |= {post(server, "pid").text for _ in range(10)}
        stop.set()
        for client in clients:
            client.result()
    assert set(statuses) <= {200, 502}
    # The worker that is killed has one request at most; if it was told to kill itself, that one.
    assert statuses.count(502) + (killer == 502) <= 1
    assert len(statuses) > 50
    assert victim not in pids


def test_the_server_ends_if_its_gateway_does(platform: Platform) -> None:
    """S-08: so that the platform replaces the container."""
    server = serve_obedient(platform)
    gateway = post(server, "gateway").text
    with pytest.raises(requests.RequestException):
        post(server, f"kill {gateway}")
    server.wait_for_log("The HTTP gateway ended: killed by SIGKILL")
    assert server.stop() == 1


# To the end


def test_sigterm_under_load_drops_nothing(platform: Platform) -> None:
    """S-07: requests that run, that wait for a worker, and that come in on open connections."""
    server = serve_obedient(platform, workers=2)
    outcomes: list[object] = []

    def load() -> None:
        with Wire(server) as wire:
            while True:
                wire.send(request_bytes(b"sleep 0.05"))
                status, headers, body = wire.answer()
                outcomes.append((status, body))
                if headers.get("connection") == "close":
                    return

    with ThreadPoolExecutor(12) as pool:
        clients = [pool.submit(load) for _ in range(12)]
        time.sleep(0.7)
        server.terminate()
        for client in clients:
            client.result()
    assert server.stop() == 0
    assert set(outcomes) == {(200, b"sleep 0.05")}
    assert len(outcomes) >= 24


@pytest.mark.parametrize("closes", [True, False])
def test_a_client_has_time_to_read_the_last_answer(platform: Platform, closes: bool) -> None:
    """S-07: what forwards it ends with the container. But a client that never closes delays the end only."""
    server = serve_obedient(platform)
    with ThreadPoolExecutor(1) as pool, Wire(server) as wire:
        wire.send(request_bytes(b"sleep 1"))
        time.sleep(0.3)
        server.terminate()
        status, headers, body = wire.answer()
        assert (status, headers["connection"], body) == (200, "close", b"sleep 1")
        assert wire.ended()
        exit_code = pool.submit(server.stop)
        time.sleep(0.8)
        assert not exit_code.done()
        if closes:
            wire.close()
            began = time.monotonic()
            assert exit_code.result(PATIENCE_S) == 0
            assert time.monotonic() - began < 2
        assert exit_code.result(PATIENCE_S) == 0


def test_a_refused_client_that_stays_delays_the_end_no_longer(platform: Platform) -> None:
    """S-07: while serving it would have 10 s to read why."""
    server = serve_obedient(platform)
    with Wire(server) as wire:
        wire.send(b"NONSENSE\r\n\r\n")
        assert wire.answer()[0] == 400
        began = time.monotonic()
        server.terminate()
        assert server.stop() == 0
        assert time.monotonic() - began < 8


# What it tells


@pytest.mark.parametrize("batch", ["true", "True"])
@pytest.mark.parametrize(
    ("environ", "limit"), [({}, 6), ({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "20"}, 20), ({"MAX_CONTENT_LENGTH": "5"}, 1)]
)
def test_a_batch_job_is_told_how_parallel_the_server_is(
    platform: Platform, environ: dict[str, str], limit: int, batch: str
) -> None:
    """B-02, B-03, B-04, D-7: the SDK, which writes True, has another word for the strategy."""
    with serve_obedient(platform, {"SAGEMAKER_BATCH": batch, **environ}, workers=3) as server:
        answer = requests.get(f"{server.base_url}/execution-parameters", timeout=PATIENCE_S)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
        expected: dict[str, object] = {"MaxConcurrentTransforms": 3, "MaxPayloadInMB": limit}
        if batch == "true":
            expected["BatchStrategy"] = "MULTI_RECORD"
        assert answer.json() == expected


def test_settings_of_the_replaced_stack_do_no_harm(platform: Platform) -> None:
    """S-13, S-14, B-01: there is no nginx, and no second port."""
    environ = {"SAGEMAKER_USE_NGINX": "false", "SAGEMAKER_SAFE_PORT_RANGE": "9000-9000"}
    environ.update({"SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD", "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "4"})
    with serve_obedient(platform, environ) as server:
        assert post(server, "word").text == "word"


ACCESS_LINE = re.compile(
    r'^\S+ - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\] "POST /invocations\?a=\\x22b HTTP/1\.1" 200 4 "-" '
    r'"agent \\x221\\x22" \d+\.\d{6} id-7$',
    re.MULTILINE,
)


def test_the_access_log(server: Server) -> None:
    """S-15, S-16: the fields of nginx's combined format, seconds and request id; pings that went well are left out."""
    with Wire(server) as wire:
        wire.send(PING)
        wire.answer()
        head = (b'User-Agent: agent "1"', b"X-Request-Id: id-7")
        wire.send(request_bytes(b"word", *head).replace(b"/invocations", b'/invocations?a="b'))
        assert wire.answer()[::2] == (200, b"word")
        wire.send(b"POST /ping HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        assert wire.answer()[0] == 405
    log = server.wait_for_log('"POST /ping HTTP/1.1" 405 ')
    assert ACCESS_LINE.search(log), log
    assert '"GET /ping' not in log
