"""Measures single-model serving: ours, the stack that it replaces, and a few lines of Starlette under uvicorn.

    python3 bench/serving.py [--quick] [--rows csv-1 json-1 ...] [--rounds 3] [--seconds 2]

All serve the same model with two workers, in containers of the same image with the host's network. They are started and
loaded in turns, several rounds, so that all see the same machine. Prints a table, the floors, and which goals hold; the
exit code is 1 when one is missed. Needs root, the image, an engine on this machine, Debian's `wrk` and `nginx-light`, a
CPython 3.7, and for the first run a package index and a C compiler; takes about seven minutes on two cores.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import shlex
import shutil
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, Mapping, Sequence

REPOSITORY = Path(__file__).resolve().parent.parent
# A script sees its own folder; the benchmarks import each other from the root, as the type checker sees them.
sys.path.insert(0, str(REPOSITORY))

from bench import training  # noqa: E402
from bench.serving_support import load, processes, scripts, servers  # noqa: E402
from bench.serving_support.servers import Place, Server, Variant  # noqa: E402

WORKERS = 2
MB = 1_000_000
LARGE_MODEL_BYTES = 500 * MB
LARGE_MODEL_WORKERS = 4
HUGE_BODY_BYTES = 100 * MB

# Connections whose p99 is compared.
P99_CONNECTIONS = 4
P99_GOAL = 3.0
START_GOAL = 4.0
BESIDE_GOALS = (20.0, 5.0)
PEAK_GOAL = 5.0
PSS_GOAL = 2.0
LARGE_MODEL_GOAL = 1.3
PING_GOAL_MS = 100.0

# One-row requests beside large ones, and pings beside computing workers, per second.
BESIDE_RATE = 100.0
PING_RATE = 50.0
BESIDE_CLIENTS = 2


@dataclass(frozen=True)
class Row:
    """A body that is posted in a closed loop.

    Attributes:
        title: What the table calls it.
        body: Name of its file.
        connections: How many clients at a time.
        goals: How many times the requests per second of the replaced stack, and of Starlette.
        by_wrk: Whether the body is small enough for wrk.
    """

    title: str
    body: str
    connections: tuple[int, ...]
    goals: tuple[float, float]
    by_wrk: bool = True


LOADS = {
    "csv-1": Row("CSV 1 row", "one.csv", (4, 16), (3.5, 1)),
    "json-1": Row("JSON 1 row", "one.json", (4, 16), (3.5, 1)),
    "csv-1000": Row("CSV 1000 x 20", "thousand.csv", (4,), (12, 2)),
    "csv-5mb": Row("CSV 5 MB", "large.csv", (4,), (12, 2), by_wrk=False),
    "json-1000": Row("JSON 1000 x 20", "thousand.json", (4,), (8, 2)),
    "npy-1000": Row("NPY 1000 x 20", "thousand.npy", (4,), (6, 1)),
}
OTHERS = ("start", "pss", "beside", "peak", "large-model", "ping", "floors")

OURS, REPLACED, TUNED, BAR = "ours", "replaced", "replaced, OMP_NUM_THREADS=1", "Starlette"


@dataclass(frozen=True)
class Goal:
    """One line of the verdict."""

    text: str
    holds: bool


class Results:
    """Numbers by what they are about and by server, one of each round."""

    def __init__(self) -> None:
        """Nothing is measured yet."""
        self._values: dict[str, dict[str, list[float]]] = {}
        self.failed: dict[str, int] = {}

    def add(self, what: str, server: str, value: float) -> None:
        """One more round's."""
        self._values.setdefault(what, {}).setdefault(server, []).append(value)

    def fail(self, server: str, requests: int) -> None:
        """Count requests that were not answered by 200."""
        if requests:
            self.failed[server] = self.failed.get(server, 0) + requests

    def of(self, what: str, server: str) -> list[float]:
        """All rounds'."""
        return self._values.get(what, {}).get(server, [])

    def median(self, what: str, server: str) -> float:
        """The median of the rounds."""
        return statistics.median(self.of(what, server))

    def best_replaced(self, what: str, higher: bool) -> str:
        """Which of the two ways of running the replaced stack did better at it."""
        there = [name for name in (REPLACED, TUNED) if self.of(what, name)]
        return (max if higher else min)(there, key=lambda name: self.median(what, name))

    def better(self, what: str, peer: str, higher: bool) -> list[float]:
        """How many times better ours was, round by round."""
        pairs = zip(self.of(what, OURS), self.of(what, peer))
        return [ours / max(other, 1e-9) if higher else other / max(ours, 1e-9) for ours, other in pairs]


class Benchmark:
    """The servers, what is posted to them, and how long."""

    def __init__(self, place: Place, variants: Mapping[str, Variant], folder: Path, rows: Sequence[str]) -> None:
        """Nothing is started yet."""
        self.place = place
        self.variants = variants
        self.rows = rows
        self.bodies = load.write_bodies(folder)
        self.folder = folder
        self.results = Results()
        self.expected: list[int] = []
        # Processors that neither a server nor a client used, during each load.
        self.others: list[float] = []

    @property
    def model(self) -> Path:
        """The folder of the small model."""
        return self.folder / "small"

    def prepare(self, python: str) -> None:
        """Make the models, by the interpreter that serves them."""
        size = LARGE_MODEL_BYTES if "large-model" in self.rows else 0
        self.expected = json.loads(self.place.run(python, scripts.PREPARE, str(self.folder), str(size)))

    def round(self, number: int, seconds: float) -> None:
        """Start every server alone, then all, and put each load on each of them in turn; who is first changes.

        Alone, since containers of one image share pages of its libraries, and each would count for a part of them only.
        Together, and idle when it is another one's turn, since on a machine with other work whole runs of the servers
        one after another differ by more than the servers do.
        """
        names = list(self.variants)
        first = number % len(names)
        names = names[first:] + names[:first]
        running: dict[str, Server] = {}
        for name in names:
            with self.place.serving(self.variants[name], self.model, WORKERS) as server:
                self.results.add("first", name, server.start.first)
                self.results.add("start", name, server.start.ready)
                self.warm_up(server)
                self.results.add("pss", name, processes.pss(server.root) / MB)
        if not any(row in self.rows for row in (*LOADS, "beside")):
            return
        with contextlib.ExitStack() as stack:
            for name in names:
                running[name] = stack.enter_context(self.place.serving(self.variants[name], self.model, WORKERS))
                self.check(name, running[name])
                self.warm_up(running[name])
            for key, row in LOADS.items():
                for connections in row.connections if key in self.rows else ():
                    for name in names:
                        self.load(name, running[name], f"{key} {connections}", row, connections, seconds)
            for name in names if "beside" in self.rows else ():
                self.beside(name, running[name], seconds)

    def check(self, name: str, server: Server) -> None:
        """All servers have to answer the same, or nothing is compared."""
        for body in self.bodies.values():
            client = load.Client(server.port)
            status, answer = client.ask("/invocations", body.read(), body.kind)
            client.close()
            try:
                found = json.loads(answer) if status == 200 else None
            except ValueError:
                found = None
            wanted = self.expected[: 1 if body.path.stem == "one" else None]
            if not isinstance(found, list) or found[: len(wanted)] != wanted:
                sys.exit(f"bench: {name} answers {body.path.name} with {status}: {answer[:300]!r}\n{server.log()}")

    def warm_up(self, server: Server) -> None:
        """So many requests that every worker had some."""
        load.open_loop(server.port, self.bodies["one.csv"], rate=200, seconds=0.5)

    def load(
        self,
        name: str,
        server: Server,
        what: str,
        row: Row,
        connections: int,
        seconds: float,
        paths: Sequence[str] = (load.INVOCATIONS,),
    ) -> None:
        """One closed loop on one server."""
        body, before, busy, begin = (
            self.bodies[row.body],
            server.cpu_s(),
            processes.foreign_cpu_s(),
            time.perf_counter(),
        )
        if row.by_wrk:
            seen = load.wrk(server.port, body, connections, seconds, self.folder, paths)
        else:
            seen = load.closed_loop(server.port, body, connections, 2 * seconds, paths)
        used = server.cpu_s() - before
        elapsed = time.perf_counter() - begin
        self.others.append(max(0.0, processes.foreign_cpu_s() - busy - used) / elapsed)
        self.results.fail(name, seen.failed)
        self.results.add(f"{what} rate", name, seen.rate)
        self.results.add(f"{what} p50", name, seen.p50)
        self.results.add(f"{what} p99", name, seen.p99)
        self.results.add(f"{what} cpu", name, used * 1000 / max(1, seen.answered))

    def beside(self, name: str, server: Server, seconds: float) -> None:
        """One-row requests at fixed times while others post large bodies."""
        with load.Background(server.port, self.bodies["large.csv"], BESIDE_CLIENTS) as others:
            begin = time.perf_counter()
            seen = load.open_loop(server.port, self.bodies["one.csv"], BESIDE_RATE, 2 * seconds)
            rate = len(others.answered) / (time.perf_counter() - begin)
        self.results.fail(name, seen.failed + others.failed)
        self.results.add("beside p50", name, seen.p50)
        self.results.add("beside p99", name, seen.p99)
        self.results.add("beside rate", name, rate)

    def print_others(self) -> None:
        """How busy the machine was; with much of it, believe ratios only."""
        if self.others:
            print(f"Processors used by anything else meanwhile: {spread(self.others)} of {os.cpu_count()}.")

    def peak(self) -> None:
        """Memory of one huge request, each server new; once, since it hardly differs and the replaced one is slow."""
        line = self.bodies["large.csv"].read()
        data = line * -(-HUGE_BODY_BYTES // len(line))
        replaced = REPLACED if REPLACED in self.variants else TUNED
        for name in (OURS, replaced):
            # Longer than any takes on a busy machine.
            longer = {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "240"}
            with self.place.serving(self.variants[name], self.model, WORKERS, longer) as server:
                self.warm_up(server)
                client = load.Client(server.port, timeout=240)
                begin = time.perf_counter()
                with processes.Peak(server.root) as peak:
                    status, _ = client.ask("/invocations", data, load.CSV)
                client.close()
                self.results.add("peak s", name, time.perf_counter() - begin)
                self.results.add("peak", name, peak.bytes / MB)
                self.results.fail(name, status != 200)

    def large_model(self) -> None:
        """Memory of ours with a large model and more workers, all of them used."""
        with self.place.serving(self.variants[OURS], self.folder / "large", LARGE_MODEL_WORKERS) as server:
            self.warm_up(server)
            seen = load.wrk(server.port, self.bodies["one.csv"], 4 * LARGE_MODEL_WORKERS, 1, self.folder)
            self.results.fail(OURS, seen.failed)
            self.results.add("large-model", OURS, processes.pss(server.root) / MB)

    def ping(self, seconds: float) -> None:
        """Pings to ours while every worker computes."""
        busy = dataclasses.replace(self.variants[OURS], script=scripts.BUSY_SCRIPT)
        with self.place.serving(busy, self.model, WORKERS) as server, contextlib.ExitStack() as stack:
            # More clients than workers: one that is done has the next request at once.
            stack.enter_context(load.Background(server.port, self.bodies["one.csv"], 3 * WORKERS))
            seen = load.open_loop(server.port, None, PING_RATE, 2 * seconds)
        self.results.fail(OURS, seen.failed)
        self.results.add("ping p50", OURS, seen.p50)
        self.results.add("ping p99", OURS, seen.p99)


# The report.


def number(value: float) -> str:
    """Three digits that matter."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(values: Sequence[float], unit: str = "") -> str:
    """Median and range."""
    if not values:
        return "-"
    if len(values) == 1:
        return f"{number(values[0])}{unit}"
    return f"{number(statistics.median(values))}{unit} ({number(min(values))} to {number(max(values))})"


def table(results: Results, names: Sequence[str], rows: Sequence[str]) -> None:
    """Print what was measured, medians of the rounds."""

    def line(title: str, cell: Callable[[str], str]) -> None:
        print(f"| {title} | " + " | ".join(cell(name) for name in names) + " |")

    def loaded(what: str) -> Callable[[str], str]:
        return lambda name: load_cell(results, what, name)

    print(f"| what | {' | '.join(names)} |\n|{' --- |' * (len(names) + 1)}")
    line("start to the first 200 on /ping", lambda name: spread(results.of("first", name), " s"))
    line("start until all workers have the model", lambda name: spread(results.of("start", name), " s"))
    for key, row in LOADS.items():
        for connections in row.connections if key in rows else ():
            line(f"{row.title}, {connections} connections", loaded(f"{key} {connections}"))
    if "beside" in rows:
        line(
            "CSV 1 row, 100/s, beside 2 clients posting 5 MB: p50 / p99",
            lambda name: " / ".join(number(results.median(f"beside {kind}", name)) for kind in ("p50", "p99")) + " ms",
        )
        line("the same: requests of 5 MB", lambda name: f"{number(results.median('beside rate', name))}/s")
    line(f"memory, {WORKERS} workers (PSS)", lambda name: spread(results.of("pss", name), " MB"))
    if "peak" in rows:
        line("peak memory of one 100 MB CSV request", lambda name: spread(results.of("peak", name), " MB"))
        line("the same: time to its answer", lambda name: spread(results.of("peak s", name), " s"))
    if "large-model" in rows:
        line(
            f"memory, {LARGE_MODEL_WORKERS} workers, model of 500 MB",
            lambda name: spread(results.of("large-model", name), " MB"),
        )
    if "ping" in rows:
        line("/ping while every worker computes: p50", lambda name: spread(results.of("ping p50", name), " ms"))
        line("the same: p99", lambda name: spread(results.of("ping p99", name), " ms"))
    print(LOADS_NOTE)


LOADS_NOTE = "\nLoads: requests per second, p50 / p99, processor time of the server per request; medians of the rounds."
_KINDS = ("rate", "p50", "p99", "cpu")


def load_cell(results: Results, what: str, name: str) -> str:
    """What a closed loop has shown of one server."""
    if not results.of(f"{what} rate", name):
        return "-"
    rate, p50, p99, cpu = (number(results.median(f"{what} {kind}", name)) for kind in _KINDS)
    return f"{rate}/s, {p50} / {p99} ms, {cpu} ms"


def judged(results: Results, what: str, title: str, goals: tuple[float, float | None], higher: bool) -> Iterator[Goal]:
    """How many times better ours is than the better way of running the replaced stack, and than Starlette."""
    replaced = results.best_replaced(what, higher)
    for peer, goal in ((replaced, goals[0]), (BAR, goals[1])):
        if goal is not None and results.of(what, peer):
            yield compared(results, what, title, peer, goal, higher)


def compared(results: Results, what: str, title: str, peer: str, goal: float, higher: bool) -> Goal:
    """How many times better ours is than one other server."""
    ratios = results.better(what, peer, higher)
    wanted = f"{goal:g} times better" if goal > 1 else "not worse"
    # No number, because nothing was answered, is below every goal.
    return Goal(f"{title}: {wanted} than {peer}: {spread(ratios)} times", statistics.median(ratios) >= goal)


def verdict(results: Results, rows: Sequence[str]) -> Iterator[Goal]:
    """The goals about what was measured."""
    if "start" in rows:
        yield from judged(results, "start", "start until all workers are ready", (START_GOAL, 1), higher=False)
    for key, row in LOADS.items():
        for connections in row.connections if key in rows else ():
            what = f"{key} {connections}"
            title = f"{row.title}, {connections} connections"
            yield from judged(results, f"{what} rate", f"{title}, requests/s", row.goals, higher=True)
            if connections == P99_CONNECTIONS:
                yield from judged(results, f"{what} p99", f"{title}, p99", (P99_GOAL, 1), higher=False)
    if "beside" in rows:
        yield from judged(results, "beside p99", "p99 of one row beside 5 MB", BESIDE_GOALS, higher=False)
    if "peak" in rows:
        yield from judged(results, "peak", "peak memory of 100 MB", (PEAK_GOAL, None), higher=False)
    if "pss" in rows:
        yield from judged(results, "pss", f"memory, {WORKERS} workers", (PSS_GOAL, PSS_GOAL), higher=False)
    if "large-model" in rows:
        used, limit = results.median("large-model", OURS), LARGE_MODEL_GOAL * LARGE_MODEL_BYTES / MB
        yield Goal(
            f"{LARGE_MODEL_WORKERS} workers with a model of 500 MB within {limit:.0f} MB: {used:.0f} MB", used <= limit
        )
    if "ping" in rows:
        slowest = results.median("ping p99", OURS)
        text = f"/ping within {PING_GOAL_MS:.0f} ms while every worker computes: p99 {number(slowest)} ms"
        yield Goal(text, slowest <= PING_GOAL_MS)
    failed = results.failed.get(OURS, 0)
    yield Goal(f"no request to ours without a 200: {failed}", failed == 0)


def ours_variant(chosen: argparse.Namespace) -> Variant:
    """Ours: `serve` of the image, or the command that was asked for."""
    folders = tuple(Path(folder).resolve() for folder in chosen.ours_path)
    default = "serve"
    if chosen.local:
        default = f"{shlex.quote(chosen.local)} -m sagemaker_sklearn_container.serving"
        folders = folders or (REPOSITORY / "src",)
    environment = {"PYTHONPATH": os.pathsep.join(map(str, folders))} if folders else {}
    command = tuple(shlex.split(chosen.ours_command or default))
    return Variant(OURS, command, scripts.USER_SCRIPT, environment, folders=folders)


def cache() -> Path:
    """The folder for what is made once."""
    chosen = os.environ.get("SKLEARN_IMAGES_CACHE")
    return Path(chosen or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "sklearn-images"), "bench")


def parser_of(description: str | None, every: Sequence[str]) -> argparse.ArgumentParser:
    """The arguments that measurements of serving share."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", choices=every, default=every, metavar="ROW", help=", ".join(every))
    parser.add_argument("--rounds", type=int, default=3, help="how often each server is started")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each load; twice as long for those with 5 MB")
    parser.add_argument(
        "--quick", action="store_true", help="one round, one second: shows that it works, proves little"
    )
    parser.add_argument("--image", default=training.IMAGE)
    parser.add_argument("--ours-command", help="start ours by this in place of `serve`; {port} and {workers} are known")
    parser.add_argument("--ours-path", nargs="+", default=[], help="folders that ours imports from, src for example")
    parser.add_argument(
        "--local", metavar="PYTHON", help="run all servers on the host: ours from the source tree by this CPython 3.8"
    )
    parser.add_argument("--peer-python", help="CPython 3.7 for the replaced stack")
    return parser


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = parser_of(__doc__, (*LOADS, *OTHERS))
    parser.add_argument("--peer-venv", type=Path, default=cache() / "peer", help="where it is kept")
    parser.add_argument("--bar-packages", type=Path, default=cache() / "starlette", help="where they are kept")
    return parser.parse_args()


def extent(chosen: argparse.Namespace) -> tuple[int, float]:
    """How many rounds, and seconds of each load."""
    return (1, 1.0) if chosen.quick else (max(1, chosen.rounds), max(1.0, chosen.seconds))


def check_machine() -> None:
    """Stop unless this is root and has what every measurement of serving needs."""
    if os.geteuid():
        sys.exit("bench: only root sees the memory of processes in containers: run it as root")
    if shutil.which("wrk") is None:
        sys.exit("bench: no wrk: apt-get install wrk")
    # So that what was started is ended then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: stopped"))


def main() -> int:
    """0 when every goal holds."""
    chosen = arguments()
    rounds, seconds = extent(chosen)
    check_machine()
    interpreter = training.peer_interpreter(chosen.peer_python)
    venv = training.peer_venv(interpreter, chosen.peer_venv.resolve())
    packages = servers.bar_packages(venv / "bin" / "pip", chosen.bar_packages.resolve())
    python = chosen.local or "python"
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name).resolve()
        # Servers may change to another user.
        folder.chmod(0o755)
        place = Place(None if chosen.local else chosen.image, folder)
        stack.callback(place.close)
        replaced = servers.replaced_variant(interpreter, venv, folder / "replaced")
        variants = {
            OURS: ours_variant(chosen),
            REPLACED: replaced,
            # Its threads for linear algebra spin, and take the processor from the other worker: so it does its best.
            TUNED: dataclasses.replace(
                replaced, name=TUNED, environment={**replaced.environment, "OMP_NUM_THREADS": "1"}
            ),
            BAR: servers.bar_variant(python, packages, folder / "starlette"),
        }
        if chosen.local:
            # Both ways have the same socket in /tmp: there is room for one, and this is the faster one.
            del variants[REPLACED]
        benchmark = Benchmark(place, variants, folder, chosen.rows)
        benchmark.prepare(python)
        if any(row in chosen.rows for row in (*LOADS, "start", "pss", "beside")):
            for round_number in range(rounds):
                print(f"bench: round {round_number + 1} of {rounds}", file=sys.stderr, flush=True)
                benchmark.round(round_number, seconds)
        if "peak" in chosen.rows:
            benchmark.peak()
        if "large-model" in chosen.rows:
            benchmark.large_model()
        if "ping" in chosen.rows:
            benchmark.ping(seconds)
        table(benchmark.results, list(variants), chosen.rows)
        benchmark.print_others()
        if "floors" in chosen.rows:
            path = [packages, *benchmark.variants[OURS].folders]
            found = json.loads(
                place.run(python, scripts.FLOORS, str(benchmark.model / "model.joblib"), str(folder), path=path)
            )
            print("\n| floor, one process, best of many | ms |\n| --- | --- |")
            for what, milliseconds in found:
                print(f"| {what} | {milliseconds:.3f} |")
    return conclude(benchmark.results, list(verdict(benchmark.results, chosen.rows)))


def conclude(results: Results, goals: Sequence[Goal]) -> int:
    """Print which goals hold; the exit code."""
    print()
    for goal in goals:
        print(f"{'holds ' if goal.holds else 'MISSED'}  {goal.text}")
    for server, requests in results.failed.items():
        print(f"bench: {server}: {requests} requests were not answered by 200", file=sys.stderr)
    return 0 if all(goal.holds for goal in goals) else 1


if __name__ == "__main__":
    sys.exit(main())
