"""Measures reading CSV as Autopilot's trainer does, beside the csv module and pandas.

    PYTHON bench/autopilot_support/csv_reading.py [--rows 1000000] [--runs 3]

PYTHON is one with the extension image's libraries and `src` on its path. Each reading is a process of its own, so that
its peak of memory is its own; the readers take turns, so that all see the same machine. What `mlio` has to do is at
least to be twice as fast as the csv module and to need at most half as much memory again as the result has.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Mapping

ROWS = 1_000_000
RUNS = 3
SEED = 23
FASTER_GOAL = 2.0
MEMORY_GOAL = 1.5
ROW_GOAL_US = 30.0
TARGET = 5
READERS = ("mlio", "csv", "pandas")
# No single reading takes nearly as long.
TIMEOUT_S = 600
MB = 1_000_000
# What the allocator gives an object is a multiple of this.
_GRAIN = 16

_COLOURS = ("red", "green", "blue", "yellow", "violet", "cyan", "magenta", "black")
_CITIES = tuple(f"city {number}" for number in range(200))


@dataclass(frozen=True)
class Reading:
    """What one reader needs.

    Attributes:
        seconds: Median of all runs, imports and start of the interpreter not included.
        peak_mb: Largest resident size of the process, median.
        base_mb: The same before reading, median.
        result_mb: Size of the array with its strings, each counted once.
    """

    seconds: float
    peak_mb: float
    base_mb: float
    result_mb: float


@dataclass(frozen=True)
class Result:
    """All measurements.

    Attributes:
        readings: By reader.
        row_us: Microseconds to read one row of 20 columns from memory, parameters and reader made anew.
    """

    readings: Mapping[str, Reading]
    row_us: float

    @property
    def faster(self) -> float:
        """How many times faster than the csv module mlio is."""
        return self.readings["csv"].seconds / self.readings["mlio"].seconds

    @property
    def memory(self) -> float:
        """Peak of the process that reads with mlio, by the size of its result."""
        return self.readings["mlio"].peak_mb / self.readings["mlio"].result_mb

    @property
    def missed(self) -> list[str]:
        """The goals that do not hold."""
        goals = {
            f"{FASTER_GOAL:g} times faster than the csv module": self.faster >= FASTER_GOAL,
            f"peak of memory at most {MEMORY_GOAL:g} times the result": self.memory <= MEMORY_GOAL,
            f"one row within {ROW_GOAL_US:g} us": self.row_us <= ROW_GOAL_US,
        }
        return [goal for goal, holds in goals.items() if not holds]


def measure(python: str = sys.executable, rows: int = ROWS, runs: int = RUNS) -> Result:
    """Measure all readers.

    Args:
        python: An interpreter that can import mlio and the extension library.
        rows: Of the table.
        runs: Of each reader.
    """
    with tempfile.TemporaryDirectory() as folder:
        write_table(Path(folder, "part-0.csv"), rows)
        found: dict[str, list[dict[str, float]]] = {reader: [] for reader in READERS}
        for _ in range(runs):
            for reader in READERS:
                found[reader].append(_run(python, reader, folder))
    readings = {
        reader: Reading(**{name: statistics.median(run[name] for run in runs_) for name in runs_[0]})
        for reader, runs_ in found.items()
    }
    return Result(readings, _run(python, "row", "")["row_us"])


def report(result: Result) -> str:
    """The measurements as a table, and the goals that are missed."""
    lines = [
        f"{'reader':10}{'seconds':>10}{'times mlio':>12}{'peak MB':>10}{'before':>8}{'result':>8}{'peak/result':>13}"
    ]
    for name, reading in result.readings.items():
        times = reading.seconds / result.readings["mlio"].seconds
        lines.append(
            f"{name:10}{reading.seconds:10.2f}{times:12.2f}{reading.peak_mb:10.0f}{reading.base_mb:8.0f}"
            f"{reading.result_mb:8.0f}{reading.peak_mb / reading.result_mb:13.2f}"
        )
    lines.append(f"one row of 20 columns from memory: {result.row_us:.1f} us")
    lines += [f"missed: {goal}" for goal in result.missed]
    return "\n".join(lines)


def write_table(path: Path, rows: int) -> None:
    """A table of 20 columns: numbers, categories, short texts, dates, some quoted; always the same."""
    chance = random.Random(SEED)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for number in range(rows):
            writer.writerow(_row(chance, number))


def _row(chance: random.Random, number: int) -> list[Any]:
    colour = chance.choice(_COLOURS)
    date = f"2020-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
    return [
        number,
        f"{chance.gauss(0, 1):.6f}",
        f"{chance.random() * 1000:.2f}",
        chance.randrange(100),
        chance.randrange(10),
        colour,
        chance.choice(_CITIES),
        chance.choice("ABC"),
        chance.choice(("yes", "no", "")),
        date,
        f"{date} {chance.randrange(24):02}:{chance.randrange(60):02}:00",
        " ".join(chance.choice(_COLOURS) for _ in range(4)),
        f"{colour}, {chance.choice(_COLOURS)}",
        f"{chance.random():.4e}",
        f"{chance.gauss(10, 3):.3f}",
        chance.randrange(1_000_000),
        chance.choice("01"),
        f'say "{colour}"' if chance.random() < 0.1 else colour,
        chance.choice("MF"),
        f"{chance.random() * 50:.1f}",
    ]


def _run(python: str, reader: str, folder: str) -> dict[str, float]:
    command = [python, __file__, "--reader", reader, "--folder", folder]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=TIMEOUT_S, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _with_mlio(folder: str) -> list[Any]:
    from sagemaker_sklearn_extension.externals import read_csv_data

    return list(read_csv_data(source=folder, target_column_index=TARGET, output_dtype="O"))


def _with_csv(folder: str) -> list[Any]:
    import numpy as np

    with open(f"{folder}/part-0.csv", newline="") as file:
        return [np.array(list(csv.reader(file)), dtype=object)]


def _with_pandas(folder: str) -> list[Any]:
    import pandas as pd

    table = pd.read_csv(f"{folder}/part-0.csv", dtype=str, header=None, keep_default_na=False)
    return [table.to_numpy(object)]


def _import_all(reader: str) -> None:
    if reader == "mlio":
        import sagemaker_sklearn_extension.externals  # noqa: F401
    elif reader == "pandas":
        import pandas  # noqa: F401
    else:
        import numpy  # noqa: F401


def _measure_here(reader: str, folder: str) -> dict[str, float]:
    if reader == "row":
        return {"row_us": _row_us()}
    functions: dict[str, Callable[[str], list[Any]]] = {"mlio": _with_mlio, "csv": _with_csv, "pandas": _with_pandas}
    _import_all(reader)
    base = _peak_mb()
    start = time.perf_counter()
    arrays = functions[reader](folder)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "peak_mb": _peak_mb(), "base_mb": base, "result_mb": _size_mb(arrays)}


def _row_us() -> float:
    import mlio
    from mlio.integ.numpy import as_numpy

    body = b",".join(b"%d.5" % number for number in range(20)) + b"\n"

    def read() -> None:
        params = mlio.DataReaderParams([mlio.InMemoryStore(body)], batch_size=1000, warn_bad_instances=False)
        text = mlio.DataType.STRING
        csv_params = mlio.CsvParams(default_data_type=text, header_row_index=None, allow_quoted_new_lines=True)
        for example in mlio.CsvReader(data_reader_params=params, csv_params=csv_params):
            as_numpy(example[0])

    read()
    return min(timeit.repeat(read, number=2000, repeat=7)) / 2000 * 1e6


def _peak_mb() -> float:
    """Largest resident size so far."""
    # Not getrusage's: that begins with the size of the process that started this one.
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / MB
    raise OSError("/proc/self/status has no VmHWM.")


def _size_mb(arrays: list[Any]) -> float:
    total = sum(array.nbytes for array in arrays)
    seen: set[int] = set()
    for array in arrays:
        for cell in array.ravel():
            if id(cell) not in seen:
                seen.add(id(cell))
                total += -(-sys.getsizeof(cell) // _GRAIN) * _GRAIN
    return float(total) / MB


def main() -> int:
    """Measure, print, and say whether all goals hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--reader", choices=(*READERS, "row"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.reader:
        print(json.dumps(_measure_here(options.reader, options.folder)))
        return 0
    result = measure(rows=options.rows, runs=options.runs)
    print(report(result))
    return 1 if result.missed else 0


if __name__ == "__main__":
    sys.exit(main())
