"""What only a container shows of serving: few CPUs, little memory, a root that cannot be written."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Iterator

import joblib
import numpy as np
import pytest
import requests
from sklearn.ensemble import RandomForestClassifier

from tests.support.container_platform import ContainerPlatform
from tests.support.engine import Image
from tests.support.platform import MlTree, Platform, Server
from tests.support.spy import SPY, marked, processes

_TIMEOUT_S = 120
_CPU = 1_000_000_000
_LEAST = {"mem_limit": "1g", "memswap_limit": "1g"}
_SERVERLESS = {
    **_LEAST,
    "user": "54321:54321",
    "read_only": True,
    "tmpfs": {"/tmp": "mode=1777"},
    "cap_drop": ["ALL"],
    "nano_cpus": _CPU,
}


@pytest.fixture()
def servers(image: Image, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[ContainerPlatform]:
    """`docker run` with the options that the test is parametrized with."""
    platform = ContainerPlatform(image, tmp_path, **getattr(request, "param", {}))
    yield platform
    platform.close()


def _tree(platform: Platform, script: str) -> MlTree:
    tree = platform.tree()
    (tree.root / "model").mkdir()
    tree.code(inference=script)
    return tree


def _post(server: Server, body: Any, content_type: str = "text/csv") -> Any:
    headers = {"Content-Type": content_type, "Accept": "application/json"}
    return requests.post(f"{server.base_url}/invocations", body, headers=headers, timeout=_TIMEOUT_S)


@pytest.mark.parametrize("servers", [_SERVERLESS], indirect=True)
def test_a_serverless_container_serves(servers: ContainerPlatform) -> None:
    """K-24, L-06, S-11: one CPU makes one worker; the smallest size; nothing to write to but /tmp; 4 MB at once."""
    data = np.random.default_rng(0).random((500, 8))
    model = RandomForestClassifier(20, random_state=0).fit(data, data[:, 0] > 0.5)
    file, body = io.BytesIO(), io.BytesIO()
    joblib.dump(model, file)
    rows = np.tile(data, (132, 1))
    np.save(body, rows)
    tree = _tree(servers, SPY)
    tree.write("model/model.joblib", file.getvalue())
    with servers.serve(tree, marked(SAGEMAKER_MODEL_SERVER_WORKERS="")) as server, ThreadPoolExecutor(4) as pool:
        of_one_cpu = len(processes(server))
        for answer in pool.map(lambda _: _post(server, body.getvalue(), "application/x-npy"), range(4)):
            assert (answer.status_code, answer.json()) == (200, model.predict(rows).tolist())
    with servers.serve(tree, marked(SAGEMAKER_MODEL_SERVER_WORKERS="1")) as server:
        assert len(processes(server)) == of_one_cpu


_LEAK = """
KEPT = []

def model_fn(model_dir):
    return None

def predict_fn(data, model):
    if data[0, 0]:
        KEPT.append(b"x" * (32 << 20))
    return [float(len(KEPT))]
"""


@pytest.mark.parametrize("servers", [{"mem_limit": "400m", "memswap_limit": "400m"}], indirect=True)
def test_a_worker_that_leaks_until_the_kernel_ends_it_is_replaced(servers: ContainerPlatform) -> None:
    """S-46, S-49, K-24: its request has an answer, the next ones are served, and PID 1 stays."""
    with servers.serve(_tree(servers, _LEAK + SPY), marked()) as server:
        before = processes(server)
        for _ in range(2):
            statuses: list[int] = []
            while not statuses or statuses[-1] == 200:
                answer = _post(server, "1,2")
                statuses.append(answer.status_code)
                assert len(statuses) < 50
            assert statuses[-1] in (500, 502)
            assert _post(server, "0,2").json() == [0.0]
        after = processes(server)
    assert len(after) == len(before)
    assert len(set(after) & set(before)) == len(before) - 1
