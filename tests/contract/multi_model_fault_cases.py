"""What user code may do to the server of many models: nothing, beyond its own model and its own request.

Every case takes the fixture `platform`.
"""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Iterator

import pytest
import requests

from tests.support.many_models import PATIENCE_S, Models, path_of, refusal, serve_many
from tests.support.platform import Platform


@pytest.fixture()
def crowded(many: Models) -> Iterator[Models]:
    """A server with the model `other`, which whatever happens has nothing to do with: its process stays the same."""
    many.loaded("other")
    pid = many.says("other")["pid"]
    yield many
    assert many.says("other")["pid"] == pid


@pytest.mark.parametrize(
    ("what", "status", "kind", "message"),
    [
        ("raise the model is\tno model \u00e9", 500, "ValueError", "the model is\tno model \u00e9"),
        ("memory", 507, "MemoryError", "all gone"),
        ("exit", 500, "SystemExit", "0"),
        ("exit done", 500, "SystemExit", "done"),
        ("leave", 500, "WorkerLostError", "The process that loaded the model ended: exit code 3."),
        ("kill", 507, "OutOfMemoryError", "The process that loaded the model ended: killed by SIGKILL"),
    ],
)
def test_a_model_that_cannot_be_loaded(crowded: Models, what: str, status: int, kind: str, message: str) -> None:
    """M-07, M-08, M-15, M-31, D-8: whoever asks is told why; it is not there, and can be loaded when it is better."""
    url = crowded.make("one", load=what)
    for _ in range(2):
        answer = refusal(crowded.load("one", url))
        assert answer[:2] == (status, kind)
        assert answer[2].startswith(message)
        assert crowded.names() == ["other"]
        assert refusal(crowded.invoke("one"))[0] == 404
    crowded.loaded("one", load="")
    assert crowded.says("one")["value"] == "one"


def test_a_script_that_fails_in_more_ways(platform: Platform) -> None:
    """M-08, M-30: long and empty texts, lines, exceptions without a text."""
    script = """
class Strange(Exception):
    def __str__(self):
        raise RuntimeError("no")

def model_fn(model_dir):
    text = open(model_dir + "/value").read()
    if text == "strange":
        raise Strange
    if text == "group":
        raise KeyboardInterrupt
    raise ValueError({"long": "x" * 1_000_000, "lines": "a\\r\\nb\\n", "half": "\\ud800", "empty": ""}[text])
"""
    with serve_many(platform, script=script) as many:
        for name, kind, message in (
            ("strange", "Strange", "(its text cannot be had: RuntimeError)"),
            ("group", "KeyboardInterrupt", ""),
            ("long", "ValueError", "x" * 1000),
            ("lines", "ValueError", "a\r\nb\n"),
            ("half", "ValueError", "\ud800"),
            ("empty", "ValueError", ""),
        ):
            answer = refusal(many.load(name))
            assert answer[:2] == (500, kind)
            assert answer[2].startswith(message)
            assert len(answer[2]) < 10_000
        assert many.names() == []


def test_what_is_no_model(platform: Platform) -> None:
    """M-08, M-33, U-20: the defaults of the script-less server say what they look for."""
    with serve_many(platform, script=None) as many:
        many.tree.root.joinpath("models/empty").mkdir()
        status, _, message = refusal(many.load("empty", many.tree.inside("models/empty")))
        assert status == 500
        assert "model.joblib" in message or "model_fn" in message
        assert refusal(many.load("garbage", many.make("garbage", **{"model.joblib": "garbage"})))[0] == 500
        assert many.names() == []


@pytest.mark.parametrize(("what", "status"), [("kill", 502), ("leave", 502), ("raise no", 500), ("exit 3", 500)])
def test_a_failure_in_a_prediction_is_its_request_s_alone(crowded: Models, what: str, status: int) -> None:
    """M-17, M-31, S-44, S-46: the model is there again at once, under the same name."""
    crowded.loaded("one")
    pid = crowded.says("one")["pid"]
    for _ in range(3):
        answer = crowded.invoke("one", what, **{"X-Request-Id": "the-one"})
        assert refusal(answer)[0] == status
        assert answer.headers["X-Request-Id"] == "the-one"
        started = time.monotonic()
        assert (crowded.says("one")["pid"] == pid) == (status == 500)
        assert time.monotonic() - started < 10
    assert crowded.names() == ["one", "other"]


def test_no_memory_for_a_prediction(crowded: Models) -> None:
    """M-07, S-49: the platform is told so."""
    crowded.loaded("one")
    assert refusal(crowded.invoke("one", "memory")) == (507, "MemoryError", "all gone")
    assert crowded.says("one")["value"] == "one"


def test_a_model_that_cannot_come_back(crowded: Models) -> None:
    """M-18, M-30, M-31: each request has an answer; unloading and loading helps."""
    crowded.loaded("one")
    crowded.make("one", load="leave")
    assert refusal(crowded.invoke("one", "kill"))[0] == 502
    assert refusal(crowded.invoke("one"))[0] == 503
    assert crowded.names() == ["one", "other"]
    assert crowded.unload("one").status_code == 200
    crowded.loaded("one", load="")
    assert crowded.says("one")["value"] == "one"


def test_a_request_has_its_time(platform: Platform) -> None:
    """M-36, M-37, S-45: afterwards the model serves on."""
    with serve_many(platform, {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "2"}) as many, ThreadPoolExecutor(1) as pool:
        many.loaded("one", "other")
        slow = pool.submit(many.invoke, "one", "sleep 60")
        assert refusal(slow.result())[:2] == (504, "RequestTimeoutError")
        assert many.says("one")["value"] == "one"
        assert many.names() == ["one", "other"]


def test_the_time_limit_is_none_for_loading(platform: Platform) -> None:
    """M-03, M-37: which takes what it takes."""
    with serve_many(platform, {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "1"}) as many:
        many.loaded("one", load="sleep 2.5")
        assert many.says("one")["value"] == "one"


def test_a_full_queue_is_one_model_s_own(platform: Platform) -> None:
    """M-18, M-36, S-48: one request runs, two wait, the others are refused."""
    with serve_many(platform, {"SAGEMAKER_MODEL_JOB_QUEUE_SIZE": "2"}) as many, ThreadPoolExecutor(8) as pool:
        many.loaded("one", "other")
        slow = pool.submit(many.invoke, "one", "sleep 3")
        time.sleep(0.5)
        answers = list(pool.map(lambda _: many.invoke("one"), range(6)))
        assert slow.result().status_code == 200
        refused = [answer for answer in answers if answer.status_code != 200]
        assert [refusal(answer)[:2] for answer in refused] == [(503, "OverloadedError")] * 4
        assert many.says("other")["value"] == "other"


def test_a_model_that_blocks_keeps_nobody_waiting(crowded: Models) -> None:
    """M-30, M-31, M-40, S-05: neither other models nor pings, lists and loads."""
    crowded.loaded("one")
    with ThreadPoolExecutor(2) as pool:
        slow = [
            pool.submit(crowded.invoke, "one", "sleep 6"),
            pool.submit(crowded.load, "two", crowded.make("t", load="sleep 6")),
        ]
        time.sleep(0.5)
        begun = time.monotonic()
        for _ in range(3):
            assert crowded.ask("GET", "/ping").status_code == 200
            assert crowded.says("other")["value"] == "other"
            assert crowded.names() == ["one", "other"]
            assert crowded.describe("one").status_code == 200
            crowded.loaded("three")
            assert crowded.unload("three").status_code == 200
        took_s = time.monotonic() - begun
        assert not any(future.done() for future in slow) or took_s > 5
        assert [future.result().status_code for future in slow] == [200, 200]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ("1,2", {"Content-Type": ""}, 400),
        ("1,2", {"Content-Type": "no/such"}, 415),
        ("[[1]]", {"Content-Type": "application/json; charset=utf-8"}, 200),
        ("1", {"Content-Type": "text/csv", "Accept": "no/such"}, 406),
        ("1,2\n3", {"Content-Type": "text/csv"}, 400),
        ("", {"Content-Type": "application/x-npy"}, 400),
        ("3", {"Content-Type": "text/csv", "X-Amzn-SageMaker-Target-Model": "one.tar.gz"}, 200),
    ],
)
def test_every_request_ends(platform: Platform, body: str, headers: dict[str, str], status: int) -> None:
    """M-16, M-17, M-23, M-30, S-40 to S-42: with one answer, from the same process as before."""
    script = (
        "import os\ndef model_fn(d): return 0\ndef predict_fn(data, model): return [float(os.getpid())] * len(data)\n"
    )
    with serve_many(platform, script=script) as many:
        many.loaded("one")
        csv = {"Content-Type": "text/csv", "Accept": "application/json"}
        before = many.invoke("one", "1", **csv).json()
        answer = many.invoke("one", body, **headers)
        assert answer.status_code == status, answer.text
        if status != 200:
            refusal(answer)
        assert many.invoke("one", "1", **csv).json() == before


def test_connections_that_are_used_on(crowded: Models) -> None:
    """M-16, M-31, S-12: from model to model, across an unloading, and across the end of a process."""
    crowded.loaded("one")
    with requests.Session() as session:

        def ask(name: str, body: str = "word") -> requests.Response:
            url = f"{crowded.server.base_url}{path_of(name)}/invoke"
            return session.post(url, body, headers={"Content-Type": "a/b"}, timeout=PATIENCE_S)

        for _ in range(20):
            assert [ask("one").json()["value"] for _ in range(10)] == ["one"] * 10
            assert ask("other").json()["value"] == "other"
        for _ in range(10):
            assert ask("one").status_code == 200
        assert crowded.unload("one").status_code == 200
        assert ask("one").status_code == 404
        crowded.loaded("one")
        for _ in range(10):
            assert ask("one").status_code == 200
        assert ask("one", "kill").status_code == 502
        assert ask("one").json()["value"] == "one"


def test_models_end_if_the_gateway_does(many: Models) -> None:
    """S-08, M-31, M-42: and the models with it."""
    many.loaded("other")
    family = many.says("other", "family")
    gateway = sorted(map(int, family))[1]
    with pytest.raises(requests.RequestException):
        many.invoke("other", f"kill {gateway}")
    many.server.wait_for_log(f"The HTTP gateway ended: killed by {signal.SIGKILL.name}")
    assert many.server.stop() == 1
