"""Whose code serves a model of many: the script of all, the model's own, its requirements; and what it sees.

Every case takes the fixture `platform`.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import requests

from tests.support.many_models import PATIENCE_S, Models, refusal, serve_many
from tests.support.many_models import SCRIPT as OBEDIENT
from tests.support.platform import Platform
from tests.support.wheels import build_wheel

SCRIPT = """
import helper

def model_fn(model_dir):
    return open(model_dir + "/value").read()

def predict_fn(data, model):
    return [f"{helper.WHOSE} {model}"]
"""

# Says which version of a library there is.
LIBRARY = """

def model_fn(model_dir):
    try:
        import far_pad
    except ImportError:
        return "none"
    return far_pad.VERSION

def predict_fn(data, model):
    return [model]
"""


def _says(many: Models, name: str, body: str = "[1]") -> Any:
    answer = many.invoke(name, body, **{"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_a_model_sees(platform: Platform) -> None:
    """M-05, M-32, M-38, K-23: model_fn the url as it is, predictions the model's directory and one thread."""
    tree = platform.tree()
    tree.write("elsewhere/train.py", OBEDIENT)
    environ = {
        "SAGEMAKER_PROGRAM": "train.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": tree.inside("elsewhere"),
        "SAGEMAKER_REGION": "eu-west-1",
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
    }
    with serve_many(platform, environ, tree=tree, script=None) as many:
        url = many.make("one")
        assert many.load("one", url).status_code == 200
        told = many.says("one")
        assert (told["directory"], told["cwd"], told["threads"]) == (url, url, "1")
    with serve_many(platform, {"OMP_NUM_THREADS": "3"}) as many:
        many.loaded("one")
        assert many.says("one")["threads"] == "3"


def test_a_script_that_cannot_be_loaded_ends_the_server(platform: Platform) -> None:
    """M-32, S-06: it is the script of all models."""
    tree = platform.tree()
    tree.code(inference="raise ValueError('broken script')")
    ended = platform.fail_to_serve(tree, {"SAGEMAKER_MULTI_MODEL": "true"})
    assert ended.exit_code == 1
    assert "ValueError: broken script" in ended.logs


def test_a_model_s_own_code_comes_first(platform: Platform) -> None:
    """M-34: with helpers of its own, though another model's and the shared script's have the same name."""
    tree = platform.tree()
    tree.code(helper="WHOSE = 'everybody'")
    with serve_many(platform, tree=tree, script=SCRIPT) as many:
        own = {"code/inference.py": SCRIPT.replace('f"', 'f"own '), "code/helper.py": "WHOSE = 'mine'"}
        many.loaded("plain")
        many.loaded("first", **own)
        many.loaded("second", **{**own, "code/helper.py": "WHOSE = 'yours'"})
        many.loaded("helpless", **{"code/helper.py": "WHOSE = 'nobody'"})
        expected = {
            "plain": ["everybody plain"],
            "first": ["own mine first"],
            "second": ["own yours second"],
            "helpless": ["everybody helpless"],
        }
        for _ in range(2):
            assert {name: _says(many, name) for name in expected} == expected
        status, kind, message = refusal(many.load("broken", many.make("broken", **{"code/inference.py": "1 +"})))
        assert (status, kind) == (500, "SyntaxError")
        assert _says(many, "first") == expected["first"]


def test_own_code_needs_no_shared_code(platform: Platform) -> None:
    """M-33, M-34: in the file that SAGEMAKER_PROGRAM names, or inference.py; a model without has the defaults."""
    script = "def model_fn(model_dir): return model_dir\ndef predict_fn(data, model): return [model]\n"
    for environ, program in (({}, "inference.py"), ({"SAGEMAKER_PROGRAM": "entry.py"}, "entry.py")):
        with serve_many(platform, environ, script=None) as many:
            many.loaded("one", **{f"code/{program}": script})
            assert _says(many, "one") == [many.tree.inside("models/one/model")]
            assert refusal(many.load("two"))[0] == 500


def test_requirements_of_a_model_are_its_own(platform: Platform) -> None:
    """M-34: another model has another version, a third one none; the shared script serves them all."""
    tree = platform.tree()
    for version in ("1.0", "2.0"):
        build_wheel(tree.root / "wheels", "far_pad", {"far_pad.py": f"VERSION = {version!r}\n"}, version=version)
    environ = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": tree.inside("wheels")}
    with serve_many(platform, environ, tree=tree, script=LIBRARY) as many:
        many.loaded("old", **{"code/requirements.txt": "far-pad==1.0\n"})
        many.loaded("new", **{"code/requirements.txt": "far-pad\n"})
        many.loaded("none")
        assert [_says(many, name) for name in ("old", "new", "none")] == [["1.0"], ["2.0"], ["none"]]
        status, kind, message = refusal(many.load("no", many.make("no", **{"code/requirements.txt": "no-such\n"})))
        assert (status, kind) == (500, "InstallError")
        assert many.names() == ["new", "none", "old"]


def test_requirements_of_all_models(platform: Platform) -> None:
    """M-35: in the code directory beside the models, installed when the server starts."""
    tree = platform.tree()
    build_wheel(tree.root / "wheels", "far_pad", {"far_pad.py": "VERSION = 'shared'\n"})
    tree.write("models/code/requirements.txt", "far-pad\n")
    environ = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": tree.inside("wheels")}
    with serve_many(platform, environ, tree=tree, script=LIBRARY) as many:
        many.loaded("one")
        assert _says(many, "one") == ["shared"]


def test_what_a_model_prints_bears_its_name(platform: Platform) -> None:
    """M-38: lines, records of logs, and frames; to the streams as scripts use them."""
    script = """
import logging, sys
logging.getLogger("mine").info("while shared")
def model_fn(model_dir):
    print("printed while", "loading")
    sys.stderr.write("half ")
    sys.stderr.write("a line\\n")
    sys.stdout.reconfigure(line_buffering=True)
    sys.stdout.buffer.write("bytes \\u00e9\\n".encode())
    assert sys.stdout.encoding.lower() == "utf-8" and not sys.stdout.isatty() and sys.stdout.fileno() == 1
    logging.getLogger("mine").warning("a record of %s", "mine")
    return 0
def predict_fn(data, model):
    print("two\\nlines", flush=True)
    print("\\u2603 \\ud800")
    print("no end", end="")
    raise ValueError("in a prediction")
"""
    with serve_many(platform, script=script) as many:
        many.loaded("m 1\n%s")
        assert refusal(many.invoke("m 1\n%s", "[1]", **{"Content-Type": "application/json"}))[0] == 500
        log = many.server.wait_for_log("ValueError: in a prediction")
        many.server.wait_for_log("no end")
        lines = many.server.logs().splitlines()
        name = "[m 1?%s] "
        for line in (
            "printed while loading",
            "half a line",
            "bytes \u00e9",
            "no end",
            "two",
            "lines",
            "\u2603 \\ud800",
        ):
            assert name + line in lines, (line, log)
        assert any(re.search(r" WARNING " + re.escape(name) + r"mine: a record of mine$", line) for line in lines), log
        assert any(name in line and "the user's code raised an exception" in line for line in lines), log
        assert not any(line.startswith("%s") for line in lines), log


def test_headers_reach_the_model_and_come_back(platform: Platform) -> None:
    """M-23, S-30, S-31, U-26: what the platform adds."""
    script = """
import json
from sagemaker_containers.beta.framework import worker

def model_fn(model_dir):
    return 0

def predict_fn(data, model, context):
    names = ("X-Amzn-SageMaker-Target-Model", "X-Amzn-SageMaker-Custom-Attributes")
    return [context.get_request_header(0, name) for name in names]

def output_fn(prediction, accept):
    headers = {"X-Amzn-SageMaker-Custom-Attributes": prediction[1]}
    return worker.Response(json.dumps(prediction), accept, headers=headers)
"""
    with serve_many(platform, script=script) as many:
        many.loaded("one")
        sent = {"X-Amzn-SageMaker-Target-Model": "one.tar.gz", "X-Amzn-SageMaker-Custom-Attributes": "c=d;"}
        answer = many.invoke("one", "[1]", **{"Content-Type": "application/json", **sent})
        assert (answer.status_code, answer.json()) == (200, list(sent.values())), answer.text
        assert answer.headers["X-Amzn-SageMaker-Custom-Attributes"] == "c=d;"


SAME = """
import json
from sagemaker_containers.beta.framework import worker

def model_fn(model_dir):
    return 3

def predict_fn(data, model):
    return data * model

def output_fn(prediction, accept):
    if prediction.size == 1:
        return worker.Response("one", "text/one", status=299)
    if prediction.ndim == 1:
        return json.dumps([prediction.shape, prediction.tolist()])
    return json.dumps([prediction.shape, prediction.tolist()]), accept
"""


def test_a_script_does_the_same_for_one_and_for_many(platform: Platform) -> None:
    """U-30, M-16, M-43: bodies of every type, one dimension and two, responses of its own."""
    tree = platform.tree()
    (tree.root / "model").mkdir()
    tree.code(inference=SAME)
    bodies = [
        ("1,2\n3,4", "text/csv"),
        ("1,2", "text/csv"),
        ("7", "text/csv"),
        ("[1, 2]", "application/json"),
        ("[[1, 2]]", "application/json; charset=utf-8"),
        ("[[1, 2], [3", "application/json"),
        ("x", "no/such"),
    ]
    one, two = [], []
    with platform.serve(tree) as server:
        for body, kind in bodies:
            headers = {"Content-Type": kind, "Accept": "application/x-own"}
            one.append(requests.post(f"{server.base_url}/invocations", body, headers=headers, timeout=PATIENCE_S))
    with serve_many(platform, script=SAME) as many:
        many.loaded("one")
        for body, kind in bodies:
            two.append(many.invoke("one", body, **{"Content-Type": kind, "Accept": "application/x-own"}))
    for first, second in zip(one, two):
        assert first.status_code == second.status_code
        if first.status_code < 400:
            assert first.headers["Content-Type"] == second.headers["Content-Type"]
            assert first.content == second.content
        else:
            assert first.json()["error-message"] == second.json()["message"]
    assert [answer.status_code for answer in one] == [200, 200, 299, 200, 200, 400, 415]


@pytest.mark.parametrize(
    ("body", "shape"), [("[1, 2]", [1, 2]), ("[3]", [1, 1]), ("[[1], [2]]", [2, 1]), ("[[[1]]]", [1, 1, 1])]
)
def test_one_dimension_is_one_row(platform: Platform, body: str, shape: list[int]) -> None:
    """M-43."""
    script = "def model_fn(d): return 0\ndef predict_fn(data, model): return list(map(float, data.shape))\n"
    with serve_many(platform, script=script) as many:
        many.loaded("one")
        assert _says(many, "one", body) == shape


def test_the_platform_names_the_port(platform: Platform) -> None:
    """P-04, S-01, M-01: as for containers of a pipeline."""
    first, second = platform.tree(), platform.tree()
    for tree in (first, second):
        (tree.root / "models/one").mkdir(parents=True)
        tree.code(inference="def model_fn(model_dir): return 0\ndef predict_fn(data, model): return data\n")
    environ = {"SAGEMAKER_MULTI_MODEL": "true"}
    with platform.serve_together((first, environ), (second, environ)) as together:
        for tree, server in zip((first, second), together.servers):
            body = json.dumps({"model_name": "one", "url": tree.inside("models/one")})
            assert requests.post(f"{server.base_url}/models", body, timeout=PATIENCE_S).status_code == 200
            answer = requests.post(f"{server.base_url}/models/one/invoke", "[1]", timeout=PATIENCE_S)
            assert (answer.status_code, answer.json()) == (200, [[1.0]])
