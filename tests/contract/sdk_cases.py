"""What `serve` owes the SageMaker Python SDK's models and predictors, hosted and in local mode.

Every case takes the fixture `platform`.
"""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any, Iterator

import joblib
import numpy as np
import pytest
import requests
from sklearn.linear_model import LogisticRegression

from tests.contract.training_code_cases import tar_gz
from tests.support.loopback import Bucket
from tests.support.platform import MlTree, Platform, Server
from tests.support.spy import SPY, marked, processes
from tests.support.wheels import build_wheel

TIMEOUT_S = 60
MIB = 1024 * 1024
NPY = "application/x-npy"
# NumPy ships no types for this module.
_FORMAT: Any = np.lib.format

SCRIPT = """
import os
import joblib

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))
"""

ROWS = np.array([[0.0, 1.0], [1.0, 0.0], [3.0, 2.0], [2.0, 3.0]])


def _model() -> LogisticRegression:
    return LogisticRegression().fit(ROWS, [0, 1, 1, 0])


def _tree(platform: Platform) -> MlTree:
    """A tree with a model, and no code yet."""
    tree = platform.tree()
    file = io.BytesIO()
    joblib.dump(_model(), file)
    tree.write("model/model.joblib", file.getvalue())
    return tree


def _predict(server: Server, rows: Any) -> Any:
    """What SKLearnPredictor does: NPY there and back."""
    body = io.BytesIO()
    np.save(body, np.array(rows))
    headers = {"Content-Type": NPY, "Accept": NPY}
    answer = requests.post(f"{server.base_url}/invocations", body.getvalue(), headers=headers, timeout=TIMEOUT_S)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == NPY
    return np.load(io.BytesIO(answer.content), allow_pickle=False)


def test_code_inside_the_model_is_served(platform: Platform) -> None:
    """K-07, K-10, K-20, U-02, U-06: as the SDK sets it up with network isolation; and nothing is left in the model."""
    tree = _tree(platform)
    tree.write("model/code/entry.py", SCRIPT + "from helper import *\n")
    tree.write("model/code/helper.py", "def predict_fn(data, model):\n    return model.predict(data) + 10\n")
    before = sorted((tree.root / "model").rglob("*"))
    environ = {
        "SAGEMAKER_PROGRAM": "entry.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": tree.inside("model/code"),
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
        "SAGEMAKER_REGION": "eu-west-1",
    }
    with platform.serve(tree, environ) as server:
        assert _predict(server, ROWS).tolist() == [10, 11, 11, 10]
    assert sorted((tree.root / "model").rglob("*")) == before


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_S3", "S3_ENDPOINT_URL"])
def test_code_in_s3_is_served(platform: Platform, bucket: Bucket, variable: str) -> None:
    """K-07, U-02: with the endpoint as either SDK names it."""
    address = bucket.put("model/sourcedir.tar.gz", tar_gz({"entry.py": SCRIPT}))
    environ = {
        **{name: value for name, value in bucket.environ.items() if name != "AWS_ENDPOINT_URL_S3"},
        variable: bucket.endpoint_url,
        "SAGEMAKER_PROGRAM": "entry.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": address,
    }
    with platform.serve(_tree(platform), environ, loopback=True) as server:
        assert _predict(server, ROWS).tolist() == [0, 1, 1, 0]


def test_empty_settings_serve_the_model_file(platform: Platform) -> None:
    """K-07, U-03: the SDK sends an empty string where there is no entry point, or nothing to say."""
    names = ("PROGRAM", "SUBMIT_DIRECTORY", "CONTAINER_LOG_LEVEL", "REGION", "MODEL_SERVER_WORKERS")
    with platform.serve(_tree(platform), {f"SAGEMAKER_{name}": "" for name in names}) as server:
        assert _predict(server, ROWS).tolist() == [0, 1, 1, 0]


def test_requirements_are_there_when_the_first_ping_is_answered(platform: Platform, tmp_path: Path) -> None:
    """K-08, U-05, S-03: and long before the SDK gives up, after two minutes."""
    wheel = build_wheel(tmp_path / "wheels", "adds_a_lot", {"adds_a_lot.py": "MUCH = 1000\n"})
    tree = _tree(platform)
    tree.write(
        "code/entry.py", SCRIPT + "import adds_a_lot\ndef predict_fn(data, model):\n    return adds_a_lot.MUCH\n"
    )
    tree.write(f"code/{wheel.name}", wheel.read_bytes())
    tree.write("code/requirements.txt", f"{tree.inside(f'code/{wheel.name}')}\n")
    started = time.monotonic()
    with platform.serve(tree, {"SAGEMAKER_PROGRAM": "entry.py"}) as server:
        assert time.monotonic() - started < 60
        assert _predict(server, ROWS).item() == 1000


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_the_default_predictor_gets_an_estimators_answer(platform: Platform, dtype: str) -> None:
    """C-05, C-06, K-09, K-21: with rows in the order of columns, too; what is no header of HTTP's does no harm."""
    headers = {
        "X-Amzn-SageMaker-Custom-Attributes": "c=1",
        "X-Amzn-SageMaker-Target-Model": "m.tar.gz",
        "X-Amzn-SageMaker-Target-Variant": "v",
        "X-Amzn-SageMaker-Inference-Id": "i",
    }
    rows = ROWS.astype(dtype)
    with platform.serve(_tree(platform)) as server:
        for given in (rows, np.asfortranarray(rows), rows[:1]):
            result = _predict(server, given)
            expected = _model().predict(given)
            assert (result.tolist(), result.dtype) == (expected.tolist(), expected.dtype)
        body = io.BytesIO()
        np.save(body, rows)
        sent = {"Content-type": NPY, "Accept": "application/json", **headers}
        answer = requests.post(f"{server.base_url}/invocations", body.getvalue(), headers=sent, timeout=TIMEOUT_S)
        assert (answer.status_code, answer.json()) == (200, _model().predict(rows).tolist())


SIZE = """
def model_fn(model_dir):
    return None

def predict_fn(data, model):
    return [float(data.shape[0]), float(data.shape[1]), float(data[::1000].sum())]
"""


def _array_in_pieces(rows: int, columns: int) -> Iterator[bytes]:
    """NPY of an array of ones, about 1 MiB at a time."""
    head = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (rows, columns)}
    _FORMAT.write_array_header_1_0(head, header)
    yield head.getvalue()
    step = MIB // (8 * columns)
    piece = np.ones((step, columns)).tobytes()
    for start in range(0, rows, step):
        yield piece if start + step <= rows else piece[: 8 * columns * (rows - start)]


def test_a_body_of_300_mib_arrives_in_chunks(platform: Platform) -> None:
    """K-25, S-10, S-28, S-29: asynchronous requests; held three times at most: received, as bytes, and as an array."""
    rows, columns = 300 * 1024, 128
    body_bytes = 8 * rows * columns
    tree = platform.tree()
    (tree.root / "model").mkdir()
    tree.code(inference=SIZE + SPY)
    with platform.serve(tree, marked(SAGEMAKER_MODEL_SERVER_TIMEOUT="3600")) as server:
        before = processes(server)
        answer = requests.post(
            f"{server.base_url}/invocations",
            data=_array_in_pieces(rows, columns),
            headers={"Content-Type": NPY, "Accept": "application/json"},
            timeout=5 * TIMEOUT_S,
        )
        assert answer.status_code == 200, f"{answer.text}\n{server.logs()}"
        after = processes(server)
    assert answer.json() == [rows, columns, columns * -(-rows // 1000)]
    grown = {pid: after[pid].peak_bytes - before[pid].peak_bytes for pid in before}
    assert sum(grown.values()) < 3.5 * body_bytes
