"""What servers owe each other in an inference pipeline: one's answer is the next one's request.

Every case takes the fixture `platform`. The platform posts the body of one container's answer to the next, with the
answer's content type as the request's.
"""

from __future__ import annotations

import io
from typing import Any, Mapping

import joblib
import numpy as np
import pytest
import requests
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.contract.training_cases import example
from tests.support.platform import MlTree, Platform, Server, Together
from tests.support.spy import SPY, marked, processes

TIMEOUT_S = 60

TRANSFORMER = """
import os
import joblib

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))

def predict_fn(data, model):
    return model.transform(data)
"""

# As the official example does it; its Response says `text/csv; charset=utf-8`.
OWN_OUTPUT = (
    TRANSFORMER
    + """
from sagemaker_containers.beta.framework import encoders, worker

def output_fn(prediction, accept):
    return worker.Response(encoders.encode(prediction, accept), mimetype=accept)
"""
)


def _flowers() -> tuple[np.ndarray[Any, Any], list[str]]:
    lines = [line.split(",") for line in example("iris/iris.csv").split()]
    rows = [line for line in lines if line[0][:1].isdigit()]
    return np.array([row[:4] for row in rows], dtype=float), [row[4] for row in rows]


def _fitted() -> Pipeline:
    scaler = ColumnTransformer([("scaled", StandardScaler(), [0, 2, 3])], remainder="passthrough")
    return make_pipeline(scaler, LogisticRegression(max_iter=500)).fit(*_flowers())


def _tree(platform: Platform, model: Any, script: str = "") -> MlTree:
    tree = platform.tree()
    file = io.BytesIO()
    joblib.dump(model, file)
    tree.write("model/model.joblib", file.getvalue())
    if script:
        tree.code(inference=script)
    return tree


def _pipeline(platform: Platform, model: Pipeline, script: str, between: str) -> Together:
    """Two servers: one with `script` that answers with type `between`, one without any code."""
    return platform.serve_together(
        (
            _tree(platform, model.steps[0][1], script),
            {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": between},
        ),
        (_tree(platform, model.steps[1][1]), {}),
    )


def _post(server: Server, body: Any, content_type: str, headers: Mapping[str, str | None]) -> Any:
    sent = {"Content-Type": content_type, **headers}
    answer = requests.post(f"{server.base_url}/invocations", data=body, headers=sent, timeout=TIMEOUT_S)
    assert answer.status_code == 200, answer.text
    return answer


def _through(together: Together, body: Any, content_type: str, inner: Mapping[str, str | None]) -> tuple[str, Any]:
    """What lies between the servers, and what the second one predicts; the client's Accept is for the last one only."""
    first, second = together.servers
    answer = _post(first, body, content_type, inner)
    between = answer.headers["Content-Type"]
    return between, _post(second, answer.content, between, {"Accept": "application/json"}).json()


def _csv(rows: np.ndarray[Any, Any]) -> str:
    return "".join(",".join(map(repr, row)) + "\n" for row in rows.tolist())


# None sends no header at all, where a client library would send one of its own.
@pytest.mark.parametrize(
    ("script", "accept", "between", "seen"),
    [
        (TRANSFORMER, None, "text/csv", "text/csv"),
        (OWN_OUTPUT, "*/*", "text/csv", "text/csv; charset=utf-8"),
        (TRANSFORMER, "*/*", "application/json", "application/json"),
        (TRANSFORMER, "", "application/x-npy", "application/x-npy"),
    ],
    ids=["csv", "csv-with-charset", "json", "npy"],
)
def test_a_pipeline_of_two_servers_predicts_as_scikit_learns_does(
    platform: Platform, script: str, accept: str | None, between: str, seen: str
) -> None:
    """P-01, P-02, P-03, P-05, S-24, S-26: many rows and one, which still is a row."""
    rows, _ = _flowers()
    model = _fitted()
    expected = model.predict(rows).tolist()
    assert len(set(expected)) == 3
    with _pipeline(platform, model, script, between) as together:
        assert _through(together, _csv(rows), "text/csv", {"Accept": accept}) == (seen, expected)
        for number in (0, 75, 149):
            one = _csv(rows[number : number + 1])
            assert _through(together, one, "text/csv", {"Accept": accept}) == (seen, expected[number : number + 1])
        # Without a line end, and as the client of an endpoint may label it.
        one = _csv(rows[:1]).rstrip("\n")
        assert _through(together, one, "text/csv; charset=utf-8", {"Accept": accept}) == (seen, expected[:1])


def test_the_header_that_names_a_container_is_ignored(platform: Platform) -> None:
    """P-07: direct invocation, of either container."""
    rows, _ = _flowers()
    model = _fitted()
    with _pipeline(platform, model, TRANSFORMER, "text/csv") as together:
        first, second = together.servers
        for name in ("featurizer", "", "a" * 1000, "../../invocations"):
            direct = {"X-Amzn-SageMaker-Target-Container-Hostname": name}
            scaled = _post(first, _csv(rows[:2]), "text/csv", {**direct, "Accept": "application/json"}).json()
            np.testing.assert_allclose(scaled, model.steps[0][1].transform(rows[:2]), rtol=1e-4, atol=1e-5)
            answer = _post(second, _csv(model.steps[0][1].transform(rows[:2])), "text/csv", direct)
            assert answer.json() == model.predict(rows[:2]).tolist()


SUM = """
def model_fn(model_dir):
    return None

def predict_fn(data, model):
    return data.sum(axis=1)
"""


def test_servers_of_one_host_keep_to_themselves(platform: Platform) -> None:
    """P-01, P-06, S-01, S-11, S-14, S-17: six at once, with as many workers as each was told, on one port each."""
    workers = [1, 1, 1, 1, 1, 3]
    tree = platform.tree()
    (tree.root / "model").mkdir()
    tree.code(inference=SUM + SPY)
    environs = [marked(SAGEMAKER_MODEL_SERVER_WORKERS=str(count)) for count in workers]
    with platform.serve_together(*((tree, environ) for environ in environs)) as together:
        assert len(set(together.ports)) == len(workers)
        found = [processes(server) for server in together.servers]
        for number, server in enumerate(together.servers):
            body = _csv(np.array([[number, 0.5]]))
            assert _post(server, body, "text/csv", {"Accept": "application/json"}).json() == [number + 0.5]
    for port, its in zip(together.ports, found):
        assert {each for process in its.values() for each in process.ports} == {port}
        assert [name for process in its.values() for name in process.names] == []
    assert [len(its) - len(found[0]) for its in found] == [count - 1 for count in workers]


def test_one_server_of_a_host_ends_without_the_others(platform: Platform) -> None:
    """S-07, S-17: nothing that the others need is removed or signalled."""
    tree = platform.tree()
    (tree.root / "model").mkdir()
    tree.code(inference=SUM + SPY)
    with platform.serve_together((tree, marked()), (tree, marked())) as together:
        staying, leaving = together.servers
        before = processes(staying)
        assert leaving.stop() == 0
        assert set(processes(staying)) == set(before)
        assert _post(staying, "1,2", "text/csv", {"Accept": "application/json"}).json() == [3.0]
