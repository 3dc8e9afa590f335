"""The service of generated code: how soon it is ready, and what one row costs beside the transform alone.

Models are fitted by the replaced stack's interpreter, since what old libraries wrote the newer ones read.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Sequence

from bench.autopilot_support import interpreter
from bench.serving_support import load, processes
from bench.serving_support.servers import Place, Server, Variant

TIMEOUT_S = 300
WORKERS = 2
# Requests and transforms take turns of so many seconds, as few as wrk takes.
TURN_S = 1
# Text, dates, categories and numbers, as most tables of Autopilot's users have; and numbers alone.
MIXED, NUMERIC = "text and dates", "numbers"
MODELS = {MIXED: "mixed", NUMERIC: "numeric"}

# The container of the features, as the platform configures it.
ENVIRONMENT = {
    "AUTOML_TRANSFORM_MODE": "feature-transform",
    "AUTOML_SPARSE_ENCODE_RECORDIO_PROTOBUF": "1",
    "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "application/x-recordio-protobuf",
}

# What a generated script does with a request of this mode, by the same imports.
SCRIPT = """
import http.client
import io
import json
import logging
import os

import numpy as np
from joblib import load
from scipy import sparse

from sagemaker_containers.beta.framework import encoders, worker
from sagemaker_sklearn_extension.externals import read_csv_data


def model_fn(model_dir):
    return load(os.path.join(model_dir, "model.joblib"))


def input_fn(body, content_type):
    return read_csv_data(source=body.encode() if isinstance(body, str) else body)


def predict_fn(rows, model):
    try:
        return model.transform(rows)
    except ValueError as error:
        return worker.Response(response=str(error), status=400, mimetype="text/plain")


def output_fn(features, accept):
    if isinstance(features, worker.Response):
        return features
    if not sparse.issparse(features) and os.environ.get("AUTOML_SPARSE_ENCODE_RECORDIO_PROTOBUF") == "1":
        features = sparse.csr_matrix(features)
    body = encoders.array_to_recordio_protobuf(features.astype("float32"))
    return worker.Response(response=body, status=200, mimetype=accept)
"""

# Arguments: folder to write to. Prints a row for each model.
PREPARE = """
import json
import os
import random
import sys
from datetime import datetime, timedelta

import numpy as np
from joblib import dump
from sagemaker_sklearn_extension.externals import AutoMLTransformer, Header
from sagemaker_sklearn_extension.feature_extraction.date_time import DateTimeVectorizer
from sagemaker_sklearn_extension.feature_extraction.text import MultiColumnTfidfVectorizer
from sagemaker_sklearn_extension.impute import RobustImputer, RobustMissingIndicator
from sagemaker_sklearn_extension.preprocessing import (
    QuantileExtremeValuesTransformer,
    RobustLabelEncoder,
    RobustStandardScaler,
    ThresholdOneHotEncoder,
)
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

ROWS, WORDS, NUMBERS, CATEGORIES = 3000, 400, 8, 5
chance = random.Random(0)


def number():
    return "" if chance.random() < 0.02 else "%.4f" % chance.gauss(0, 1)


def numeric_steps():
    union = FeatureUnion([("imputer", RobustImputer()), ("indicator", RobustMissingIndicator())])
    return Pipeline([("union", union), ("extremes", QuantileExtremeValuesTransformer())])


def write(name, rows, transformers):
    columns = ["c%d" % place for place in range(len(rows[0]))] + ["label"]
    transformer = AutoMLTransformer(
        Header(column_names=columns, target_column_name="label"),
        Pipeline([("columns", ColumnTransformer(transformers)), ("scaler", RobustStandardScaler())]),
        RobustLabelEncoder(labels=["no", "yes"]),
    )
    labels = np.array([chance.choice(["no", "yes"]) for _ in rows], dtype=object)
    transformer.fit(np.array(rows, dtype=object), labels)
    os.makedirs(os.path.join(sys.argv[1], name))
    dump(transformer, os.path.join(sys.argv[1], name, "model.joblib"))
    return ",".join(rows[1]) + "\\n"


words = ["word%d" % place for place in range(WORDS)]
begin = datetime(2020, 1, 1)
mixed = [
    [
        " ".join(chance.choices(words, k=12)),
        " ".join(chance.choices(words, k=4)),
        (begin + timedelta(hours=chance.randrange(30000))).strftime("%Y-%m-%d %H:%M:%S"),
        *("kind%d" % chance.randrange(12) for _ in range(CATEGORIES)),
        *(number() for _ in range(NUMBERS)),
    ]
    for _ in range(ROWS)
]
first_number = 3 + CATEGORIES
lines = [
    write(
        "mixed",
        mixed,
        [
            ("text", MultiColumnTfidfVectorizer(max_df=0.99, min_df=0.001, max_features=500), [0, 1]),
            ("dates", Pipeline([("dates", DateTimeVectorizer(mode="ordinal")), ("imputer", RobustImputer())]), [2]),
            ("categories", ThresholdOneHotEncoder(threshold=5), list(range(3, first_number))),
            ("numbers", numeric_steps(), list(range(first_number, first_number + NUMBERS))),
        ],
    ),
    write(
        "numeric",
        [[number() for _ in range(20)] for _ in range(ROWS)],
        [("numbers", numeric_steps(), list(range(20)))],
    ),
]
print(json.dumps(lines))
"""

# Arguments: file of the model, a row. For each line of standard input, a number of seconds, prints what each transform
# took, and the processor time of all, in seconds.
ALONE = """
import json
import sys
import time

from joblib import load
from sagemaker_sklearn_extension.externals import read_csv_data

model = load(sys.argv[1])
rows = read_csv_data(source=sys.argv[2].encode())
for _ in range(20):
    model.transform(rows)
for line in sys.stdin:
    times, begin, used = [], time.perf_counter(), time.process_time()
    while time.perf_counter() < begin + float(line):
        start = time.perf_counter()
        model.transform(rows)
        times.append(time.perf_counter() - start)
    print(json.dumps([times, time.process_time() - used]), flush=True)
"""


@dataclass(frozen=True)
class Cost:
    """What one row costs, in seconds: median of wall clock, mean of processor time."""

    wall: float
    cpu: float


class Service:
    """The models and the two servers."""

    def __init__(self, place: Place, ours: Variant, replaced: Variant, python: str, mlio: Path) -> None:
        """Fit the models.

        Args:
            place: Where the servers run.
            ours: Without script and variables.
            replaced: The same.
            python: Command of this machine that is the interpreter of ours.
            mlio: The package that stands for mlio, for the replaced stack.
        """
        self._place = place
        self._python = python
        self._folder = place.folder
        peer = replaced.command[0]
        # Beside the replaced framework module: of the tree it must see nothing else.
        beside = Path(replaced.environment["PYTHONPATH"].partition(":")[0])
        shutil.copytree(mlio, beside / "mlio", ignore=shutil.ignore_patterns("__pycache__"))
        _finished([peer, "-m", "compileall", "-q", str(beside)])
        lines = _finished([peer, "-c", PREPARE, str(self._folder)], {"PYTHONPATH": str(beside)})
        self.rows: Mapping[str, str] = dict(zip(MODELS, json.loads(lines.splitlines()[-1])))
        self._variants = [_configured(ours), _configured(replaced)]

    def starts(self, first: int) -> dict[str, float]:
        """Seconds from the start of each server to its first 200 on /ping; `first` says who begins.

        Each has to answer the row with the same features.
        """
        order = self._variants if first % 2 == 0 else self._variants[::-1]
        found, answers = {}, {}
        for variant in order:
            with self._place.serving(variant, self._folder / MODELS[MIXED], WORKERS) as server:
                found[variant.name] = server.start.first
                answers[variant.name] = _answer(variant.name, server, self.rows[MIXED].encode())
        if len(set(answers.values())) > 1:
            shown = {name: (len(body), body[:80]) for name, body in answers.items()}
            sys.exit(f"bench: the servers answer the row differently: {shown}")
        return found

    def rows_of(self, kind: str, rounds: int, seconds: float) -> list[tuple[Cost, Cost]]:
        """What a row costs as a request to ours, and the transform alone; they take short turns."""
        found = []
        row = load.Body(load.CSV, self._folder / f"{MODELS[kind]}.csv")
        row.path.write_text(self.rows[kind], encoding="utf-8")
        with contextlib.ExitStack() as stack:
            model = self._folder / MODELS[kind]
            server = stack.enter_context(self._place.serving(self._variants[0], model, WORKERS))
            alone = stack.enter_context(self._alone(kind))
            _posted(server, row, self._folder)
            for _ in range(rounds):
                turns = [
                    (_posted(server, row, self._folder), _transformed(alone)) for _ in range(max(1, round(seconds)))
                ]
                request, transform = (_median(one) for one in zip(*turns))
                found.append((request, transform))
        return found

    def _alone(self, kind: str) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
        path = os.pathsep.join(map(str, self._variants[0].folders))
        model = self._folder / MODELS[kind] / "model.joblib"
        return interpreter.kept(self._python, ALONE, str(model), self.rows[kind], path=path)


def _configured(variant: Variant) -> Variant:
    return Variant(
        name=variant.name,
        command=variant.command,
        script=SCRIPT,
        environment={**variant.environment, **ENVIRONMENT},
        # The first 200 is what counts.
        loads=0,
        folders=variant.folders,
        files=variant.files,
    )


def _answer(name: str, server: Server, row: bytes) -> bytes:
    client = load.Client(server.port)
    status, body = client.ask(load.INVOCATIONS, row, load.CSV)
    client.close()
    if status != 200:
        sys.exit(f"bench: {name} answers a row with {status}: {body[:300]!r}\n{server.log()}")
    return body


def _posted(server: Server, row: load.Body, folder: Path) -> Cost:
    """One client, one connection, one request after another; by wrk, which leaves the processors' caches alone."""
    used = processes.cpu_s(server.root)
    found = load.wrk(server.port, row, 1, TURN_S, folder)
    if found.failed:
        sys.exit(f"bench: ours does not answer {found.failed} rows with 200\n{server.log()}")
    return Cost(found.p50 / 1000, (processes.cpu_s(server.root) - used) / found.answered)


def _transformed(alone: subprocess.Popen[str]) -> Cost:
    assert alone.stdin
    assert alone.stdout
    alone.stdin.write(f"{TURN_S}\n")
    alone.stdin.flush()
    line = alone.stdout.readline()
    if not line:
        sys.exit("bench: the transform alone failed; its own words are above")
    times, used = json.loads(line)
    return Cost(statistics.median(times), used / len(times))


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(statistics.median(cost.wall for cost in costs), statistics.median(cost.cpu for cost in costs))


def _finished(command: Sequence[str], variables: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        env={**os.environ, **(variables or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=TIMEOUT_S,
    )
    if done.returncode:
        sys.exit(f"bench: {' '.join(command[:2])} failed:\n{done.stderr}")
    return done.stdout
