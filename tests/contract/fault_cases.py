"""What becomes of a server whose user code leaks, blocks, or ends its own process.

Every case takes the fixture `platform`. There is one answer to each request, and the next one is served.
"""

from __future__ import annotations

import textwrap
import time
from typing import Any, Mapping

import pytest
import requests

from tests.support.platform import MlTree, Platform, Server
from tests.support.spy import SPY, marked, processes

PATIENCE_S = 60.0
MIB = 1024 * 1024

# Calls what the body names, in the function that it names: `predict_fn leave`.
FAULTY = """
import ctypes, faulthandler, os, resource, signal, sys, threading, time

def leave():
    os._exit(0)

def leave_loudly():
    os._exit(3)

def exit_well():
    sys.exit(0)

def exit_as_text():
    sys.exit("no more")

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

def terminate():
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)

def abort():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.abort()

def crash():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.string_at(0)

def interrupt():
    raise KeyboardInterrupt

def recurse():
    recurse()

def block():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Event().wait()

def block_for_good():
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    threading.Event().wait()

def compute():
    while True:
        pass

class Nameless(Exception):
    def __str__(self):
        raise ValueError("no text")

def raise_nameless():
    raise Nameless

def close_everything():
    os.closerange(3, 1024)

def nothing():
    return None

def _obey(name, order):
    function, _, command = order.partition(" ")
    if function == name:
        globals()[command]()

def model_fn(model_dir):
    return None

def input_fn(body, content_type):
    order = body if isinstance(body, str) else body.decode()
    _obey("input_fn", order)
    return order

def predict_fn(data, model):
    _obey("predict_fn", data)
    return data

def output_fn(prediction, accept):
    _obey("output_fn", prediction)
    return None if prediction == "output_fn nothing" else prediction
"""


def _tree(platform: Platform, script: str) -> MlTree:
    tree = platform.tree()
    (tree.root / "model").mkdir()
    tree.code(inference=textwrap.dedent(script))
    return tree


def _serve(platform: Platform, script: str, environ: Mapping[str, str] | None = None) -> Server:
    return platform.serve(_tree(platform, script), {"SAGEMAKER_PROGRAM": "inference.py", **(environ or {})})


def _post(server: Server, body: str) -> Any:
    headers = {"Content-Type": "text/csv", "Accept": "text/plain"}
    return requests.post(f"{server.base_url}/invocations", data=body, headers=headers, timeout=PATIENCE_S)


@pytest.mark.parametrize("function", ["input_fn", "predict_fn", "output_fn"])
def test_a_fault_in_any_function_has_one_answer_and_the_next_request_is_served(
    platform: Platform, function: str
) -> None:
    """S-44, S-46, U-31: one server meets every fault, one after the other."""
    faults = {
        "leave": (502, "WorkerLostError"),
        "leave_loudly": (502, "WorkerLostError"),
        "kill": (502, "WorkerLostError"),
        "terminate": (502, "WorkerLostError"),
        "abort": (502, "WorkerLostError"),
        "crash": (502, "WorkerLostError"),
        "close_everything": (502, "WorkerLostError"),
        "exit_well": (500, "SystemExit"),
        "exit_as_text": (500, "SystemExit"),
        "interrupt": (500, "KeyboardInterrupt"),
        "recurse": (500, "RecursionError"),
        "raise_nameless": (500, "Nameless"),
    }
    if function == "output_fn":
        faults["nothing"] = (500, "ResultError")
    with _serve(platform, FAULTY) as server:
        for fault, (status, error) in faults.items():
            answer = _post(server, f"{function} {fault}")
            assert (fault, answer.status_code, answer.json()["error"]) == (fault, status, error)
            assert _post(server, "word").text == "word"
        assert requests.get(f"{server.base_url}/ping", timeout=PATIENCE_S).status_code == 200


@pytest.mark.parametrize("fault", ["block", "block_for_good", "compute"])
def test_a_function_that_never_ends_is_given_up(platform: Platform, fault: str) -> None:
    """S-10, S-45: though it waits on a lock, takes no signals, or computes without end."""
    with _serve(platform, FAULTY, {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "1"}) as server:
        for function in ("input_fn", "predict_fn"):
            started = time.monotonic()
            answer = _post(server, f"{function} {fault}")
            assert (answer.status_code, answer.json()["error"]) == (504, "RequestTimeoutError")
            assert 1 <= time.monotonic() - started < 30
            assert _post(server, "word").text == "word"


@pytest.mark.parametrize(
    "script",
    ["def model_fn(model_dir):\n    sys.exit(0)\n", "sys.exit()", "def model_fn(model_dir):\n    sys.exit(3)\n"],
)
def test_a_script_that_exits_while_it_is_loaded_is_a_failure(platform: Platform, script: str) -> None:
    """S-06, U-32: never the exit code of a server that did its work; the log says where it was."""
    tree = _tree(platform, f"import sys\n{script}")
    failed = platform.fail_to_serve(tree, {"SAGEMAKER_PROGRAM": "inference.py"})
    assert failed.exit_code != 0
    assert "Serving cannot start" in failed.logs
    assert "inference.py" in failed.logs.partition("Traceback")[2]


LEAK = """
KEPT = []

def model_fn(model_dir):
    return None

def predict_fn(data, model):
    KEPT.append(b"x" * (8 << 20))
    return [len(KEPT)]
"""


def test_a_function_that_leaks_is_served_on(platform: Platform) -> None:
    """S-32: what a script keeps, it keeps; the worker is not taken away from it, and no other process grows."""
    with platform.serve(_tree(platform, LEAK + SPY), marked()) as server:
        before = processes(server)
        with requests.Session() as session:
            for number in range(1, 41):
                headers = {"Content-Type": "text/csv", "Accept": "application/json"}
                url = f"{server.base_url}/invocations"
                answer = session.post(url, data="1,2", headers=headers, timeout=PATIENCE_S)
                assert (answer.status_code, answer.json()) == (200, [number])
        after = processes(server)
    assert set(after) == set(before)
    grown = sorted(after[pid].peak_bytes - before[pid].peak_bytes for pid in after)
    assert 300 * MIB < grown.pop() < 500 * MIB
    assert sum(grown) < 50 * MIB


def test_sigterm_while_the_model_is_loaded_is_no_failure(platform: Platform) -> None:
    """S-07: the platform may change its mind before the first ping."""
    script = """
    import os, signal, time
    def model_fn(model_dir):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(50)
    """
    ended = platform.fail_to_serve(_tree(platform, script), {"SAGEMAKER_PROGRAM": "inference.py"})
    assert ended.exit_code == 0
    assert "Traceback" not in ended.logs
