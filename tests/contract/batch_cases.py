"""What `serve` owes a batch transform job, on the platform and in the SDK's local mode.

Every case takes the fixture `platform`.
"""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Mapping

import numpy as np
import pytest
import requests

from tests.support.local_transform import LocalTransform
from tests.support.platform import MlTree, Platform, Server
from tests.support.spy import SPY, marked, processes

TIMEOUT_S = 60
MIB = 1024 * 1024

# One prediction per row: its sum. It insists on rows, as every estimator does.
ROW_SUMS = """
def model_fn(model_dir):
    return None

def predict_fn(data, model):
    assert data.ndim == 2, data.shape
    return data.sum(axis=1)
"""

STRATEGY = """
def execution_parameters_fn():
    return {"BatchStrategy": "SingleRecord", "MaxPayloadInMB": 1, "MaxConcurrentTransforms": 7}
"""


def _tree(platform: Platform, script: str = ROW_SUMS) -> MlTree:
    tree = platform.tree()
    (tree.root / "model").mkdir()
    tree.code(inference=script)
    return tree


def _serve(platform: Platform, environ: Mapping[str, str], script: str = ROW_SUMS) -> Server:
    return platform.serve(_tree(platform, script), {"SAGEMAKER_PROGRAM": "inference.py", **environ})


def _post(server: Server, body: Any, content_type: str = "text/csv", accept: str = "text/csv") -> Any:
    headers = {"Content-Type": content_type, "Accept": accept}
    answer = requests.post(f"{server.base_url}/invocations", data=body, headers=headers, timeout=TIMEOUT_S)
    assert answer.status_code == 200, answer.text
    return answer


def _lines(count: int, width: int = 3) -> tuple[str, bytes]:
    """Rows of CSV, each different, and the predictions for them."""
    rows = np.arange(count * width, dtype=float).reshape(count, width)
    text = "".join(",".join(map(repr, row)) + "\n" for row in rows.tolist())
    return text, "".join(f"{value!r}\n" for value in rows.sum(axis=1).tolist()).encode()


# The SDK's local mode


@pytest.mark.parametrize(
    ("job", "requests_sent"),
    [
        (LocalTransform("text/csv", accept="text/csv"), 1),
        (LocalTransform("text/csv", accept="text/csv", batch_strategy="MultiRecord"), 1),
        (LocalTransform("text/csv", accept="text/csv", batch_strategy="SingleRecord"), 40),
        (LocalTransform("text/csv", accept="text/csv", max_payload_mb=0), 1),
        (LocalTransform("text/csv", accept="text/csv", split_type=None), 1),
        (LocalTransform("text/csv", accept="text/csv", split_type=None, batch_strategy="SingleRecord"), 1),
    ],
    ids=["defaults", "multi-record", "single-record", "any-size", "whole-file", "whole-file-single"],
)
@pytest.mark.parametrize("last_line_end", ["\n", ""])
def test_a_local_transform_writes_one_line_per_line(
    platform: Platform, job: LocalTransform, requests_sent: int, last_line_end: str
) -> None:
    """B-01, B-02, B-03, B-05, B-06, B-10, K-12: whatever the job says or leaves to the server and to the SDK."""
    text, expected = _lines(40)
    job.sent.clear()
    with _serve(platform, job.environ()) as server:
        assert job.run(server, text.rstrip("\n") + last_line_end) == expected
    assert len(job.sent) == requests_sent


def test_a_local_transform_fills_requests_up_to_the_payload(platform: Platform) -> None:
    """B-05, K-12: several batches, put together in order."""
    text, expected = _lines(60_000, width=8)
    job = LocalTransform("text/csv", accept="text/csv", max_payload_mb=1)
    with _serve(platform, job.environ()) as server:
        assert job.run(server, text) == expected
    assert len(job.sent) == -(-len(text) // MIB)
    assert MIB // 2 < max(map(len, job.sent)) < MIB


def test_what_the_script_tells_a_local_transform_applies_unless_the_job_says_so(platform: Platform) -> None:
    """B-02, B-03, K-12: of the three parameters, those that the SDK reads."""
    text, expected = _lines(5)
    for given, requests_sent in ((None, 5), ("MultiRecord", 1)):
        job = LocalTransform("text/csv", accept="text/csv", batch_strategy=given)
        with _serve(platform, job.environ(), ROW_SUMS + STRATEGY) as server:
            assert job.run(server, text) == expected
        assert len(job.sent) == requests_sent


@pytest.mark.parametrize("environ", [{"SAGEMAKER_BATCH": "True"}, {"SAGEMAKER_BATCH": "true"}, {}])
def test_execution_parameters_are_json_or_not_there(platform: Platform, environ: dict[str, str]) -> None:
    """B-02, B-03, B-04: the SDK reads whatever comes with 200 as an object, and takes each word in it at its value."""
    with _serve(platform, environ) as server:
        answer = requests.get(f"{server.base_url}/execution-parameters", timeout=TIMEOUT_S)
    assert answer.status_code == (200 if environ else 404)
    if environ:
        told = json.loads(answer.content.decode("utf-8"))
        kinds = {"MaxConcurrentTransforms": int, "MaxPayloadInMB": int}
        if told.pop("BatchStrategy", None) is not None:
            assert environ["SAGEMAKER_BATCH"] == "true"
        assert {name: type(value) for name, value in told.items()} == kinds


def test_json_lines_keep_their_order(platform: Platform) -> None:
    """B-05, C-09, K-12: one record per line, many to a request."""
    text = "".join(f"[{number}, 0.5]\n" for number in range(30))
    job = LocalTransform("application/jsonlines", accept="application/jsonlines")
    with _serve(platform, job.environ()) as server:
        out = job.run(server, text)
    assert [json.loads(line) for line in out.splitlines()] == [number + 0.5 for number in range(30)]
    assert len(job.sent) == 1


# The platform


def test_a_batch_server_is_pinged_as_every_other(platform: Platform) -> None:
    """B-09, S-03: 200 and empty, and not before the model is there."""
    script = """
import os, time

def model_fn(model_dir):
    time.sleep(2)
    open(os.path.join(os.path.dirname(model_dir), "loaded"), "w").close()
    return None
"""
    tree = _tree(platform, script)
    with platform.serve(tree, {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_BATCH": "true"}) as server:
        assert (tree.root / "loaded").exists()
        answer = requests.get(f"{server.base_url}/ping", timeout=TIMEOUT_S)
        assert (answer.status_code, answer.content) == (200, b"")
        assert requests.head(f"{server.base_url}/ping", timeout=TIMEOUT_S).status_code == 200


@pytest.mark.parametrize("body", ["1,2.5", "1,2.5\n", "1,2.5\r\n", b"1,2.5"])
def test_a_single_record_is_a_row_with_or_without_a_line_end(platform: Platform, body: str | bytes) -> None:
    """B-10."""
    environ = {"SAGEMAKER_BATCH": "true", "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD"}
    with _serve(platform, environ) as server:
        assert _post(server, body).text == "3.5\n"
        assert _post(server, "7").text == "7.0\n"


def test_settings_of_a_job_are_taken_in_every_form(platform: Platform) -> None:
    """B-01, B-08: all of them, and the longest time a job may give a request."""
    environ = {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "100",
        "SAGEMAKER_BATCH_STRATEGY": "MULTI_RECORD",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "16",
        "SAGEMAKER_MODEL_SERVER_TIMEOUT": "3600",
    }
    for variables in (environ, {**dict.fromkeys(environ, ""), "SAGEMAKER_BATCH": "True"}):
        with _serve(platform, variables) as server:
            assert _post(server, "1,2\n3,4\n").text == "3.0\n7.0\n"


def test_whole_files_are_bodies_of_any_length(platform: Platform) -> None:
    """B-06: SplitType None with a payload of 0, which is sent in chunks; 30 MB, over every default limit."""
    text, expected = _lines(400_000, width=8)
    assert len(text) > 30_000_000
    piece = 1_000_003
    with _serve(platform, {"SAGEMAKER_BATCH": "true", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "0"}) as server:
        body = (text[start : start + piece].encode() for start in range(0, len(text), piece))
        assert _post(server, body).content == expected


def test_parallel_requests_of_a_job_fit_into_memory(platform: Platform) -> None:
    """B-07: 100 MB at once are taken, twice; no process ever holds more than that."""
    parallel, rows = 4, 25 * MIB // 64
    file = io.BytesIO()
    np.save(file, np.ones((rows, 8)))
    body = file.getvalue()
    tree = _tree(platform, ROW_SUMS.replace("data.sum(axis=1)", "[float(data.sum())]") + SPY)
    environ = marked(
        SAGEMAKER_BATCH="true", SAGEMAKER_MAX_CONCURRENT_TRANSFORMS=str(parallel), SAGEMAKER_MODEL_SERVER_WORKERS="2"
    )
    with platform.serve(tree, environ) as server, ThreadPoolExecutor(parallel) as pool:
        before = processes(server)
        answers = list(pool.map(lambda _: _post(server, body, "application/x-npy"), range(2 * parallel)))
        after = processes(server)
    assert {answer.text for answer in answers} == {f"{8.0 * rows!r}\n"}
    assert set(after) == set(before)
    grown = {pid: after[pid].peak_bytes - before[pid].peak_bytes for pid in after}
    assert max(grown.values()) < parallel * len(body)
    assert sum(grown.values()) < 2 * parallel * len(body)
