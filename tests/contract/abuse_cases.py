"""What `serve` owes the clients beside the ones that send nonsense: 20,000 malformed requests through one server.

Every case takes the fixture `platform`, which says how many requests it is worth.
"""

from __future__ import annotations

import pickle
import re
import select
import socket
import struct
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.abuse import ABANDONED, WHOLE, Abuser, Attempt, Planted
from tests.support.platform import Platform, Server
from tests.support.spy import SPY, marked, processes

# However loaded the machine is: over this, something hangs.
SLOWEST_S = 30.0
MIB = 1024 * 1024
# Beyond what a process had when it was new: a bomb may hold 64 MiB, and is taken apart and put together.
MOST_MORE_BYTES = 200 * MIB
CLIENTS = 6
GOOD_EVERY = 20
# Connections that stay open while the others come and go.
REUSED = 50

# Nothing that the codecs let through makes it raise, so each 5xx is the server's.
PATIENT = """
import numpy as np

def model_fn(model_dir):
    return None

def predict_fn(data, model):
    try:
        with np.errstate(all="ignore"):
            return [float(value) for value in np.asarray(data, dtype=float).sum(axis=1)]
    except Exception:
        return [-1.0]
"""

_STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d{3}) ")


class Client:
    """A client that keeps a connection as long as the server does."""

    def __init__(self, server: Server, abuser: Abuser, number: int) -> None:
        """A client of `server` that sends what `abuser` makes."""
        address = urlsplit(server.base_url)
        self._address = str(address.hostname), int(address.port or 80)
        self._abuser = abuser
        self._number = number
        self._connection: socket.socket | None = None
        self.statuses: Counter[int] = Counter()
        self.names: Counter[str] = Counter()

    def run(self, attempts: int) -> None:
        """Send so many attempts, and good requests between them."""
        try:
            for number in range(attempts):
                attempt = self._abuser.attempt()
                self.names[f"{attempt.kind} {attempt.name}"] += 1
                try:
                    self._send(attempt)
                except Exception as exc:
                    raise AssertionError(f"{attempt.kind} {attempt.name} {attempt.data[:2000]!r}: {exc}") from exc
                if number % GOOD_EVERY == 0:
                    self._good(number)
                if number % REUSED == 0:
                    self._close()
            self._good(attempts)
        finally:
            self._close()

    def _send(self, attempt: Attempt) -> None:
        if attempt.kind == WHOLE:
            status, _ = self._exchange(attempt.data)
            self._count(status)
        elif attempt.kind == ABANDONED:
            with socket.create_connection(self._address, SLOWEST_S) as connection:
                connection.sendall(attempt.data)
                if len(attempt.data) % 2:  # without a word, as a client whose process was killed
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            received = self._received_by_the_end(attempt.data)
            found = _STATUS_LINE.findall(received)
            # Without an answer the end was a reset, which may overtake what was said before.
            assert found or not received, f"no answer, but {received!r}"
            for status in found:
                self._count(int(status))

    def _count(self, status: int) -> None:
        assert 200 <= status < 500, f"status {status}"
        self.statuses[status] += 1

    def _good(self, number: int) -> None:
        body = b"%d,%d\n%d,0.5" % (self._number, number, number)
        head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n"
        expected = f"[{float(self._number + number)}, {number + 0.5}]"
        assert self._exchange(head % len(body) + body) == (200, expected.encode())

    def _exchange(self, data: bytes) -> tuple[int, bytes]:
        """Status and body of the answer to one request, on the connection there is, or on a new one."""
        if self._connection is None:
            self._connection = socket.create_connection(self._address, SLOWEST_S)
        # It may be refused before it is read to its end; what was said is still there.
        with suppress(OSError):
            self._connection.sendall(data)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more(received)
        head, _, body = received.partition(b"\r\n\r\n")
        match, length = _STATUS_LINE.match(head), re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
        assert match is not None, f"no response: {received!r}"
        assert length is not None, f"no length: {received!r}"
        while len(body) < int(length.group(1)):
            body += self._more(body)
        assert len(body) == int(length.group(1)), f"more than one answer: {received!r}"
        if re.search(rb"\r\nconnection: close", head, re.IGNORECASE):
            self._close()
        return int(match.group(1)), body

    def _more(self, so_far: bytes) -> bytes:
        assert self._connection is not None
        data = self._connection.recv(65536)
        assert data, f"the connection ended after {so_far!r}"
        return data

    def _received_by_the_end(self, data: bytes) -> bytes:
        """What the server sends on a new connection until it closes it."""
        received, deadline = b"", time.monotonic() + SLOWEST_S
        with socket.create_connection(self._address, SLOWEST_S) as connection:
            connection.setblocking(False)
            rest = memoryview(data)
            while True:
                assert time.monotonic() < deadline, f"the server neither answers nor closes; it sent {received!r}"
                readable, writable, _ = select.select([connection], [connection] if rest else [], [], 1)
                try:
                    if writable:
                        rest = rest[connection.send(rest) :]
                    if readable:
                        piece = connection.recv(65536)
                        if not piece:
                            return received
                        received += piece
                except BlockingIOError:
                    continue
                except (BrokenPipeError, ConnectionResetError):
                    if not readable:
                        rest = memoryview(b"")
                        continue
                    return received

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def test_malformed_requests_are_the_clients_fault_and_nobody_elses(platform: Platform, tmp_path: Path) -> None:
    """S-09, S-29, S-42, S-43, S-48, C-03, C-07, C-08, C-09, M-30: 4xx or an answer, no pickle run, no process lost."""
    pickle_works = tmp_path / "planted-here"
    pickle.loads(pickle.dumps(Planted(str(pickle_works))))
    assert pickle_works.is_dir()

    tree = platform.tree()
    (tree.root / "model").mkdir()
    tree.code(inference=PATIENT + SPY)
    marker = tree.inside("planted")
    with platform.serve(tree, marked(SAGEMAKER_MODEL_SERVER_WORKERS="2")) as server, ThreadPoolExecutor(
        CLIENTS
    ) as pool:
        before = processes(server)
        clients = [Client(server, Abuser(number, marker), number) for number in range(CLIENTS)]
        runs = [pool.submit(client.run, platform.abuse_requests // CLIENTS) for client in clients]
        for run in runs:
            run.result()
        after = processes(server)
    assert not (tree.root / "planted").exists()
    assert set(after) == set(before)
    grown = {pid: after[pid].peak_bytes - before[pid].peak_bytes for pid in before}
    assert max(grown.values()) < MOST_MORE_BYTES, grown
    # That it was nonsense, and of every kind.
    statuses = sum((client.statuses for client in clients), Counter())
    assert {200, 400, 404, 405, 406, 415, 431} <= set(statuses), statuses
    assert statuses[400] > platform.abuse_requests // 4, statuses
    assert len(sum((client.names for client in clients), Counter())) > 40
