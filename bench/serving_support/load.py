"""Load on a server at a loopback port: bodies, closed loops, requests at fixed times."""

from __future__ import annotations

import array
import http.client
import itertools
import json
import math
import random
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Sequence

FEATURES = 20
# 5 MiB of CSV: about as much as a request to a real-time endpoint may hold.
LARGE_ROWS = 27_560
# Answers that take longer count as failed.
TIMEOUT_S = 60.0
# More idle connections than any server here has workers, so that no client waits for another.
OPEN_LOOP_CLIENTS = 16

CSV, JSON, NPY = "text/csv", "application/json", "application/x-npy"

INVOCATIONS = "/invocations"

# wrk posts only what a script tells it to. Nothing of it runs per request: wrk builds the request once.
WRK_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "{kind}"
local file = io.open("{body}", "rb")
wrk.body = file:read("*a")
file:close()
function done(summary, latency, requests)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write
  failed = failed + summary.errors.status + summary.errors.timeout
  io.write(string.format('\\nresult {{"requests": %d, "us": %d, "p50": %d, "p99": %d, "failed": %d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), failed))
end
"""
# Several paths take turns, over all connections: one request of each is built at the start.
WRK_TURNS = """
local paths, requests, turn = {{{paths}}}, {{}}, 0
function init()
  for place, path in ipairs(paths) do
    requests[place] = wrk.format(nil, path)
  end
end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
"""


@dataclass(frozen=True)
class Body:
    """What is posted: its media type, and a file with its bytes."""

    kind: str
    path: Path

    def read(self) -> bytes:
        """The bytes."""
        return self.path.read_bytes()


@dataclass(frozen=True)
class Load:
    """What clients saw: requests answered per second, latencies in ms, requests not answered by 200."""

    answered: int
    rate: float
    p50: float
    p99: float
    failed: int


def write_bodies(folder: Path) -> dict[str, Body]:
    """The bodies, the same numbers in each form."""
    numbers = random.Random(0)
    rows = [[f"{numbers.gauss(0, 1):.6f}" for _ in range(FEATURES)] for _ in range(LARGE_ROWS)]
    lines = [",".join(row) + "\n" for row in rows]
    flat = array.array("f", (float(number) for row in rows[:1000] for number in row))
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': (1000, {FEATURES}), }}"
    # The format wants the header to end on a multiple of 64 bytes.
    head = head.ljust(-(-(len(head) + 11) // 64) * 64 - 11) + "\n"
    contents = {
        "one.csv": (CSV, lines[0].encode()),
        "thousand.csv": (CSV, "".join(lines[:1000]).encode()),
        "large.csv": (CSV, "".join(lines).encode()),
        "one.json": (JSON, f"[[{','.join(rows[0])}]]".encode()),
        "thousand.json": (JSON, f"[{','.join('[' + ','.join(row) + ']' for row in rows[:1000])}]".encode()),
        "thousand.npy": (NPY, b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode() + flat.tobytes()),
    }
    bodies = {}
    for name, (kind, data) in contents.items():
        bodies[name] = Body(kind, folder / name)
        bodies[name].path.write_bytes(data)
    return bodies


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that is not below so large a share of them; no number without values."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else math.nan


def summary(times: Sequence[float], failed: int, seconds: float) -> Load:
    """Latencies in seconds, put together."""
    p50, p99 = (percentile(times, share) * 1000 for share in (0.5, 0.99))
    return Load(answered=len(times), rate=len(times) / seconds, p50=p50, p99=p99, failed=failed)


class Client:
    """One connection, opened anew when the server closed it, or for each request.

    A connection that is kept stays with one worker of a server without a proxy. Two clients may then have the same one
    by chance, and leave the other worker to everybody else; new connections go to workers that are free.
    """

    def __init__(self, port: int, timeout: float = TIMEOUT_S, keep: bool = True) -> None:
        """Nothing is sent yet."""
        self._keep = keep
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def ask(self, path: str, body: bytes | None = None, kind: str = "", method: str = "GET") -> tuple[int, bytes]:
        """Status and body of the answer; status 0 if there was none.

        A body is posted; the method is that of requests without one.
        """
        try:
            if body is None:
                self._connection.request(method, path)
            else:
                self._connection.request("POST", path, body, {"Content-Type": kind})
            answer = self._connection.getresponse()
            found = answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return 0, b""
        if not self._keep:
            self._connection.close()
        return found

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def wrk(
    port: int, body: Body, connections: int, seconds: float, folder: Path, paths: Sequence[str] = (INVOCATIONS,)
) -> Load:
    """A closed loop of small requests, by wrk: this interpreter would be slower than the servers."""
    script = folder / f"{body.path.name}.lua"
    text = WRK_SCRIPT.format(kind=body.kind, body=body.path)
    if len(paths) > 1:
        text += WRK_TURNS.format(paths=", ".join(map(json.dumps, paths)))
    script.write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{max(1, round(seconds))}s"]
        + ["--timeout", f"{TIMEOUT_S:.0f}s", "--script", str(script), f"http://127.0.0.1:{port}{paths[0]}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds + 2 * TIMEOUT_S,
    )
    found = next((line for line in done.stdout.splitlines() if line.startswith("result ")), None)
    if found is None:
        raise SystemExit(f"bench: wrk failed:\n{done.stdout}")
    result = json.loads(found[len("result ") :])
    good = max(0, result["requests"] - result["failed"])
    return Load(
        answered=good,
        rate=good / result["us"] * 1e6,
        p50=result["p50"] / 1000,
        p99=result["p99"] / 1000,
        failed=result["failed"],
    )


def closed_loop(port: int, body: Body, connections: int, seconds: float, paths: Sequence[str] = (INVOCATIONS,)) -> Load:
    """Clients that each post again once they are answered; for large bodies, which wrk was not made for."""
    data, times, failures = body.read(), [], []
    # Two threads never get the same turn: the interpreter's lock is held while one is taken.
    turns = itertools.cycle(paths)
    begin = time.perf_counter()

    def work() -> None:
        client = Client(port)
        while time.perf_counter() < begin + seconds:
            start = time.perf_counter()
            status, _ = client.ask(next(turns), data, body.kind)
            if status == 200:
                times.append(time.perf_counter() - start)
            else:
                failures.append(status)
                time.sleep(0.01)
        client.close()

    together([work] * connections)
    return summary(times, len(failures), time.perf_counter() - begin)


def open_loop(port: int, body: Body | None, rate: float, seconds: float, timeout: float = TIMEOUT_S) -> Load:
    """Requests at fixed times, whether or not earlier ones are answered; latencies count from those times.

    Clients that wait for answers would send the fewer requests, the longer the server does not answer.
    """
    data = body.read() if body else None
    kind = body.kind if body else ""
    times: list[float] = []
    failures: list[int] = []
    begin = time.perf_counter() + 0.05
    due = iter([begin + number / rate for number in range(int(rate * seconds))])
    lock = threading.Lock()

    def work() -> None:
        client = Client(port, timeout, keep=False)
        while True:
            with lock:
                start = next(due, None)
            if start is None:
                break
            time.sleep(max(0.0, start - time.perf_counter()))
            status, _ = client.ask(INVOCATIONS if body else "/ping", data, kind)
            if status == 200:
                times.append(time.perf_counter() - start)
            else:
                failures.append(status)
        client.close()

    together([work] * OPEN_LOOP_CLIENTS)
    return summary(times, len(failures), time.perf_counter() - begin)


class Background:
    """Clients that post again and again until the block ends, and need to be answered."""

    def __init__(self, port: int, body: Body, clients: int) -> None:
        """Nothing is sent yet."""
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(port, body), daemon=True) for _ in range(clients)]
        self.answered: list[float] = []
        self.failed = 0

    def __enter__(self) -> Background:
        """Start, and give the server time to be in the middle of it."""
        for thread in self._threads:
            thread.start()
        time.sleep(0.5)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop when each client has its answer."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, port: int, body: Body) -> None:
        client, data = Client(port, keep=False), body.read()
        while not self._stop.is_set():
            start = time.perf_counter()
            status, _ = client.ask(INVOCATIONS, data, body.kind)
            if status == 200:
                self.answered.append(time.perf_counter() - start)
            else:
                self.failed += 1
                time.sleep(0.01)
        client.close()


def together(calls: Sequence[Callable[[], None]]) -> None:
    """Run all at once, each in a thread, to their ends."""
    threads = [threading.Thread(target=call, daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
