"""Measures what Autopilot's generated code needs of the extension image, beside what the replaced images had.

    python3 bench/autopilot.py [--quick] [--rows reading recordio start row] [--rounds 3] [--seconds 2]

Reading CSV, writing RecordIO-protobuf, the start of the service for features, and one row through it. What is compared
takes turns, several rounds. Prints tables, and which goals hold; the exit code is 1 when one is missed. Needs root, the
extension image, an engine on this machine (or --local PYTHON), Debian's `nginx-light` and `wrk`, a CPython 3.7, and for
the first run a package index and a C compiler; takes about five minutes on two cores.
"""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Iterator, Sequence

REPOSITORY = Path(__file__).resolve().parent.parent
# A script sees its own folder; the benchmarks import each other from the root, as the type checker sees them.
sys.path.insert(0, str(REPOSITORY))

from bench import serving, training  # noqa: E402
from bench.autopilot_support import interpreter, replaced  # noqa: E402
from bench.autopilot_support.service import MIXED, MODELS, Service  # noqa: E402
from bench.serving import OURS, REPLACED, Goal, Results, compared, number, spread  # noqa: E402
from bench.serving_support import servers  # noqa: E402
from bench.serving_support.servers import Place, Variant  # noqa: E402

IMAGE = "preprod-sklearn-extension:0.2-1-cpu-py3"
ROWS = ("reading", "recordio", "start", "row")

START_GOAL = 3.0
ROW_GOAL = 1.5
RECORDIO_GOAL = 10.0
READING_GOAL = 2.0
MEMORY_GOAL = 1.5
# The model of text and dates is the one that the goal is judged by.
JUDGED = MIXED


def measure_service(service: Service, rows: Sequence[str], rounds: int, seconds: float, results: Results) -> None:
    """Starts and rows."""
    for place in range(rounds if "start" in rows else 0):
        print(f"bench: start, round {place + 1} of {rounds}", file=sys.stderr, flush=True)
        for name, taken in service.starts(place).items():
            results.add("start", name, taken)
    for kind in MODELS if "row" in rows else ():
        print(f"bench: one row, {kind}", file=sys.stderr, flush=True)
        for request, alone in service.rows_of(kind, rounds, seconds):
            for what, ours, transform in (("wall", request.wall, alone.wall), ("cpu", request.cpu, alone.cpu)):
                results.add(f"{kind} {what}", "request", ours * 1000)
                results.add(f"{kind} {what}", "transform", transform * 1000)


def ratios(results: Results, what: str) -> list[float]:
    """How many times the transform a request costs, round by round."""
    return [one / other for one, other in zip(results.of(what, "request"), results.of(what, "transform"))]


def table(results: Results, rows: Sequence[str]) -> None:
    """Print what was measured of the service."""
    if "start" in rows:
        print(f"| start to the first 200 on /ping, {MIXED} | {OURS} | {REPLACED} |\n| --- | --- | --- |")
        print(f"| seconds | {' | '.join(spread(results.of('start', name)) for name in (OURS, REPLACED))} |\n")
    if "row" in rows:
        print("| one row, ms | request | transform alone | times |\n| --- | --- | --- | --- |")
        for kind in MODELS:
            for what, title in (("wall", "wall clock"), ("cpu", "processor time")):
                cells = [spread(results.of(f"{kind} {what}", one)) for one in ("request", "transform")]
                print(f"| {kind}, {title} | {' | '.join(cells)} | {spread(ratios(results, f'{kind} {what}'))} |")
        print()


def verdict(results: Results, rows: Sequence[str]) -> Iterator[Goal]:
    """The goals about the service."""
    if "start" in rows:
        yield compared(results, "start", "service for features ready", REPLACED, START_GOAL, higher=False)
    for what, title in (("wall", "wall clock"), ("cpu", "processor time")) if "row" in rows else ():
        found = ratios(results, f"{JUDGED} {what}")
        text = f"one row, {JUDGED}, {title}: at most {ROW_GOAL:g} times model.transform alone: {spread(found)} times"
        yield Goal(text, statistics.median(found) <= ROW_GOAL)


def reading_goals(python: str, ours: Variant, rounds: int, folder: Path) -> Iterator[Goal]:
    """Measure the reader, print its table."""
    from bench.autopilot_support import csv_reading

    print("bench: reading", file=sys.stderr, flush=True)
    # The processes inherit where they import from; a table in this folder is seen by those in containers, too.
    before = os.environ.get("PYTHONPATH", ""), tempfile.tempdir
    os.environ["PYTHONPATH"], tempfile.tempdir = os.pathsep.join(map(str, ours.folders)), str(folder)
    try:
        found = csv_reading.measure(python, csv_reading.ROWS, rounds)
    finally:
        os.environ["PYTHONPATH"], tempfile.tempdir = before
    print("| reading | s | peak, MB | result, MB |\n| --- | --- | --- | --- |")
    for name, one in found.readings.items():
        print(f"| {name} | {one.seconds:.2f} | {one.peak_mb:.0f} | {one.result_mb:.0f} |")
    print()
    yield Goal(
        f"read_csv_data: {READING_GOAL:g} times faster than the csv module: {number(found.faster)} times",
        found.faster >= READING_GOAL,
    )
    yield Goal(
        f"read_csv_data: peak of the process within {MEMORY_GOAL:g} times the result: {number(found.memory)} times",
        found.memory <= MEMORY_GOAL,
    )


def recordio_goals(python: str, rounds: int) -> Iterator[Goal]:
    """Measure the encoder, print its table."""
    from bench.autopilot_support import recordio

    print("bench: recordio", file=sys.stderr, flush=True)
    found = recordio.measure(rounds, python)
    print("| RecordIO-protobuf of 10,000 x 200 | ours, ms | replaced, ms | times faster |\n| --- | --- | --- | --- |")
    for one in found:
        times = number(one.times_faster)
        print(f"| {one.case} | {one.ours_s * 1000:.1f} | {one.replaced_s * 1000:.0f} | {times} |")
    print()
    # Generated code writes nothing else.
    for one in (one for one in found if "float32" in one.case):
        yield Goal(
            f"recordio, {one.case}: {RECORDIO_GOAL:g} times faster than {REPLACED}: {number(one.times_faster)} times",
            one.times_faster >= RECORDIO_GOAL,
        )


def main() -> int:
    """0 when every goal holds."""
    parser = serving.parser_of(__doc__, ROWS)
    parser.set_defaults(image=IMAGE)
    parser.add_argument("--peer-venv", type=Path, default=serving.cache() / "peer-autopilot", help="where it is kept")
    parser.add_argument("--mlio", type=Path, default=REPOSITORY / "src" / "mlio", help="for the replaced stack")
    chosen = parser.parse_args()
    rounds, seconds = serving.extent(chosen)
    if os.geteuid():
        sys.exit("bench: only root may bring the replaced stack into a container: run it as root")
    # So that what was started is ended then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: stopped"))
    results, goals = Results(), []
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name).resolve()
        # Servers may change to another user.
        folder.chmod(0o755)
        place = Place(None if chosen.local else chosen.image, folder)
        stack.callback(place.close)
        python = chosen.local or interpreter.of_image(place, REPOSITORY)
        if "reading" in chosen.rows:
            goals += list(reading_goals(python, serving.ours_variant(chosen), rounds, folder))
        if "recordio" in chosen.rows:
            goals += list(recordio_goals(python, rounds))
        if "start" in chosen.rows or "row" in chosen.rows:
            peer = training.peer_interpreter(chosen.peer_python)
            venv = training.peer_venv(peer, chosen.peer_venv.resolve(), replaced.STEPS)
            service = Service(
                place,
                serving.ours_variant(chosen),
                servers.replaced_variant(peer, venv, folder / "replaced"),
                python,
                chosen.mlio.resolve(),
            )
            measure_service(service, chosen.rows, rounds, seconds, results)
            table(results, chosen.rows)
            goals += list(verdict(results, chosen.rows))
        print(f"Load of the machine in the last minute: {os.getloadavg()[0]:.1f} of {os.cpu_count()} processors.")
    return serving.conclude(results, goals)


if __name__ == "__main__":
    sys.exit(main())
