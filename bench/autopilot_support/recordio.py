"""Measures `encoders.array_to_recordio_protobuf` beside the encoder that it replaces, on tables of 10,000 x 200.

Both run in processes of their own and take turns: ours from the source tree on an interpreter with the image's
libraries, the replaced one, `sagemaker-containers` 2.8.6.post2 with its old NumPy, SciPy and protobuf, on CPython 3.7.
Both are asked once before, and must give the same bytes.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import serving, training
from bench.autopilot_support import interpreter

REPOSITORY = Path(__file__).resolve().parent.parent.parent
# By name: layout, dtype, and dtype of the labels. Integers come below zero as well, or as counts.
CASES = {
    "dense float32": ("dense", "float32", None),
    "dense float32, labels": ("dense", "float32", "float32"),
    "dense float64": ("dense", "float64", None),
    "dense float64, labels": ("dense", "float64", "float32"),
    "dense counts": ("counts", "int64", None),
    "dense integers, half below 0": ("dense", "int64", None),
    "sparse float32": ("sparse", "float32", None),
    "sparse float32, labels": ("sparse", "float32", "float32"),
    "sparse float64": ("sparse", "float64", None),
    "sparse integers": ("sparse", "int64", None),
}

# Either one's: both have this module. One case per line of standard input, one answer per line; the first of a case
# says what the bytes are.
PROGRAM = """
import hashlib, json, sys, time
import numpy as np
from scipy import sparse
from sagemaker_containers.beta.framework import encoders

ROWS, COLUMNS, FILLED = 10000, 200, 0.1
random = np.random.RandomState(0)
table = random.standard_normal((ROWS, COLUMNS))
filled = np.where(random.uniform(size=(ROWS, COLUMNS)) < FILLED, table, 0)
layouts = {
    "dense": lambda dtype: (table * 100).astype(dtype),
    "counts": lambda dtype: np.abs(table * 40).astype(dtype),
    "sparse": lambda dtype: sparse.csr_matrix(np.ceil(np.abs(filled) * 100).astype(dtype)),
}
made = {}
for line in sys.stdin:
    layout, dtype, label_dtype = key = tuple(json.loads(line))
    is_first = key not in made
    if is_first:
        labels = None if label_dtype is None else (np.arange(ROWS) % 2).astype(label_dtype)
        made[key] = layouts[layout](dtype), labels
    begin = time.perf_counter()
    body = encoders.array_to_recordio_protobuf(*made[key])
    seconds = time.perf_counter() - begin
    print(json.dumps([seconds, hashlib.sha256(body).hexdigest() if is_first else len(body)]), flush=True)
"""


@dataclass(frozen=True)
class Result:
    """One case: median seconds of ours and of the replaced encoder, and the median of their ratios."""

    case: str
    ours_s: float
    replaced_s: float
    times_faster: float


def measure(rounds: int = 5, python: str = sys.executable, venv: Path | None = None) -> list[Result]:
    """Every case.

    Args:
        rounds: How often each encoder encodes each table.
        python: CPython 3.8 with the image's libraries.
        venv: The replaced toolkit's, made if need be; None for the one in the cache.
    """
    peer = training.peer_venv(training.peer_interpreter(None), venv or serving.cache() / "peer") / "bin" / "python"
    ours_path = str(REPOSITORY / "src")
    with interpreter.kept(python, PROGRAM, path=ours_path) as ours, interpreter.kept(
        str(peer), PROGRAM, path=""
    ) as replaced:
        results = []
        for name, case in CASES.items():
            if _asked(ours, case)[1] != _asked(replaced, case)[1]:
                sys.exit(f"bench: {name}: the two encoders give different bytes")
            turns = [(_asked(ours, case)[0], _asked(replaced, case)[0]) for _ in range(rounds)]
            ours_s, replaced_s = map(statistics.median, zip(*turns))
            ratio = statistics.median(theirs / own for own, theirs in turns)
            results.append(Result(name, ours_s, replaced_s, ratio))
    return results


def _asked(process: subprocess.Popen[str], case: tuple[str, str, str | None]) -> tuple[float, Any]:
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(case) + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        sys.exit(f"bench: the encoder ended with {process.wait()}; its own words are above")
    seconds, found = json.loads(answer)
    return float(seconds), found
