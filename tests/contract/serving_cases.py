"""What `serve` owes the platform, its clients and the user's script.

Every case takes the fixture `platform`. The models here are arithmetic in the script, so that answers are known
exactly; the iris example stands for real ones.
"""

from __future__ import annotations

import io
import json
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterator

import numpy as np
import pytest
import requests

from tests.contract.training_cases import example
from tests.support.platform import MlTree, Platform, Server

# Predicts the sum of each row.
SUM_MODEL = """
import numpy as np

class Sum:
    def predict(self, data):
        return np.asarray(data).sum(axis=1)

def model_fn(model_dir):
    return Sum()
"""

TIMEOUT_S = 30


def _tree(platform: Platform, script: str) -> MlTree:
    tree = platform.tree()
    (tree.root / "model").mkdir()
    tree.code(inference=textwrap.dedent(script))
    return tree


def _serve(platform: Platform, script: str, **environ: str) -> Server:
    return platform.serve(_tree(platform, script), {"SAGEMAKER_PROGRAM": "inference.py", **environ})


def _invoke(server: Server, body: Any, content_type: str = "text/csv", accept: str = "", **headers: str) -> Any:
    values = {"Content-Type": content_type, "Accept": accept, **headers}
    return requests.post(f"{server.base_url}/invocations", data=body, headers=values, timeout=TIMEOUT_S)


def _error(answer: Any) -> dict[str, str]:
    """The error object of an answer, which must be JSON of the agreed shape, on one line, without frames."""
    assert answer.headers["Content-Type"] == "application/json"
    error = answer.json()
    assert set(error) == {"error", "error-message"}
    assert "Traceback" not in answer.text
    return dict(error)


@pytest.fixture()
def sum_server(platform: Platform) -> Iterator[Server]:
    """A server that predicts the sum of each row."""
    with _serve(platform, SUM_MODEL) as server:
        yield server


# Life cycle


def test_ping_is_200_and_empty(sum_server: Server) -> None:
    """S-01, S-03."""
    answer = requests.get(f"{sum_server.base_url}/ping", timeout=TIMEOUT_S)
    assert (answer.status_code, answer.content) == (200, b"")
    assert requests.head(f"{sum_server.base_url}/ping", timeout=TIMEOUT_S).status_code == 200


def test_the_model_is_loaded_once_before_the_first_ping(platform: Platform) -> None:
    """S-03, S-04, U-20: with several workers too, and with the model's directory as argument."""
    script = (
        SUM_MODEL
        + "\n_load = model_fn\ndef model_fn(model_dir):\n    print('LOAD', model_dir)\n    return _load(model_dir)\n"
    )
    tree = _tree(platform, script)
    environ = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_MODEL_SERVER_WORKERS": "3"}
    with platform.serve(tree, environ) as server:
        assert server.wait_for_log(f"LOAD {tree.inside('model')}\n").count("LOAD") == 1
        assert {_invoke(server, "1,2").text for _ in range(6)} == {"[3.0]"}
        assert server.logs().count("LOAD") == 1


def test_requests_run_in_as_many_workers_as_asked_for(platform: Platform) -> None:
    """S-11, S-12: two requests meet in two processes; one process could not serve both."""
    script = """
    import os, time
    def model_fn(model_dir):
        return None
    def input_fn(body, content_type):
        return body
    def predict_fn(data, model):
        mine, other = data.split()
        open(mine, "w").close()
        deadline = time.monotonic() + 20
        while not os.path.exists(other) and time.monotonic() < deadline:
            time.sleep(0.01)
        return [os.path.exists(other), os.getpid()]
    """
    tree = _tree(platform, script)
    (tree.root / "meet").mkdir()
    one, two = tree.inside("meet/one"), tree.inside("meet/two")
    environ = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_MODEL_SERVER_WORKERS": "2"}
    with platform.serve(tree, environ) as server, ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda body: _invoke(server, body).json(), [f"{one} {two}", f"{two} {one}"]))
    assert [met for met, _ in answers] == [True, True]
    assert len({pid for _, pid in answers}) == 2


def test_a_model_that_does_not_load_ends_the_server_with_the_users_traceback(platform: Platform) -> None:
    """S-06."""
    script = "def model_fn(model_dir):\n    raise RuntimeError('no weights here')\n"
    failed = platform.fail_to_serve(_tree(platform, script), {"SAGEMAKER_PROGRAM": "inference.py"})
    assert failed.exit_code != 0
    assert "in model_fn\n" in failed.logs
    assert failed.logs.count("RuntimeError: no weights here") == 1


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"SAGEMAKER_MULTI_MODEL": "maybe"}, "SAGEMAKER_MULTI_MODEL is 'maybe'"),
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "two"}, "SAGEMAKER_MODEL_SERVER_WORKERS is 'two'"),
        ({"SAGEMAKER_PROGRAM": "missing.py"}, "'missing.py' is not in"),
    ],
)
def test_a_wrong_setting_ends_the_server_with_its_name(
    platform: Platform, environ: dict[str, str], message: str
) -> None:
    """S-02, S-11, U-01."""
    failed = platform.fail_to_serve(_tree(platform, SUM_MODEL), {"SAGEMAKER_PROGRAM": "inference.py", **environ})
    assert failed.exit_code != 0
    assert message in failed.logs
    assert "Traceback" not in failed.logs


@pytest.mark.parametrize("value", ["false", "0", ""])
def test_multi_model_mode_is_off_for_words_that_say_so(platform: Platform, value: str) -> None:
    """S-02."""
    with _serve(platform, SUM_MODEL, SAGEMAKER_MULTI_MODEL=value) as server:
        assert _invoke(server, "1,2").text == "[3.0]"


def test_sigterm_ends_an_idle_server_soon_with_exit_code_0(platform: Platform) -> None:
    """S-07."""
    server = _serve(platform, SUM_MODEL)
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < 2


def test_sigterm_lets_a_request_finish(platform: Platform) -> None:
    """S-07."""
    script = SUM_MODEL + textwrap.dedent(
        """
    import time
    def predict_fn(data, model):
        print("predicting", flush=True)
        time.sleep(3)
        return model.predict(data)
    """
    )
    server = _serve(platform, script)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(_invoke, server, "1,2")
        while "predicting" not in server.logs():
            assert not answer.done()
        server.terminate()
        assert answer.result().text == "[3.0]"
    assert server.stop() == 0


def test_a_request_out_of_time_is_504_and_the_next_one_works(platform: Platform) -> None:
    """S-10, S-45, S-46."""
    script = SUM_MODEL + textwrap.dedent(
        """
    import time
    def predict_fn(data, model):
        time.sleep(60 if data[0, 0] == 0 else 0)
        return model.predict(data)
    """
    )
    with _serve(platform, script, SAGEMAKER_MODEL_SERVER_TIMEOUT="1") as server:
        answer = _invoke(server, "0,0")
        assert answer.status_code == 504
        assert "SAGEMAKER_MODEL_SERVER_TIMEOUT" in _error(answer)["error-message"]
        assert _invoke(server, "1,2").text == "[3.0]"


def test_a_prediction_in_model_fn_does_not_stall_the_workers(platform: Platform) -> None:
    """S-04: GNU OpenMP does not survive a fork after a parallel region."""
    script = """
    import numpy as np
    from sklearn.experimental import enable_hist_gradient_boosting
    from sklearn.ensemble import HistGradientBoostingRegressor

    def model_fn(model_dir):
        data = np.arange(2000.0).reshape(-1, 2)
        model = HistGradientBoostingRegressor(max_iter=2).fit(data, data[:, 0])
        model.predict(data)
        return model
    """
    with _serve(platform, script) as server:
        assert _invoke(server, "1,2\n3,4\n").status_code == 200


# HTTP surface


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/ping", 405),
        ("GET", "/invocations", 405),
        ("OPTIONS", "/invocations", 200),
        ("OPTIONS", "/ping", 200),
        ("POST", "/invocations/", 404),
        ("GET", "/pingx", 404),
        ("GET", "/", 404),
        ("GET", "/execution-parameters", 404),
    ],
)
def test_paths_and_methods(sum_server: Server, method: str, path: str, status: int) -> None:
    """S-21, S-33."""
    answer = requests.request(method, sum_server.base_url + path, timeout=TIMEOUT_S)
    assert answer.status_code == status
    if status >= 400:
        _error(answer)


def test_query_strings_and_unknown_headers_are_ignored(sum_server: Server) -> None:
    """S-20, S-22."""
    headers = {"Content-Type": "text/csv", "X-Amzn-SageMaker-Something-New": "1"}
    answer = requests.post(f"{sum_server.base_url}/invocations?a=b", data="1,2", headers=headers, timeout=TIMEOUT_S)
    assert answer.text == "[3.0]"


ECHO = """
def model_fn(model_dir):
    return None
def input_fn(body, content_type):
    return [type(body).__name__, content_type]
def predict_fn(data, model):
    return data
def output_fn(prediction, accept):
    import json
    return json.dumps([*prediction, accept]), "application/json"
"""


@pytest.fixture()
def echo_server(platform: Platform) -> Iterator[Server]:
    """A server that answers what its functions were given."""
    with _serve(platform, ECHO, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/csv") as server:
        yield server


@pytest.mark.parametrize(
    ("headers", "seen"),
    [
        ({"Content-Type": "text/csv"}, ["str", "text/csv", "text/csv"]),
        ({"Content-Type": "application/json", "Accept": "application/json"}, ["str"] + ["application/json"] * 2),
        ({"Content-Type": "text/csv; charset=utf-8"}, ["bytes", "text/csv; charset=utf-8", "text/csv"]),
        ({"Content-Type": "x/y", "Accept": "a/b;q=0.5, c/d"}, ["bytes", "x/y", "a/b;q=0.5, c/d"]),
        ({"Content-Type": "x/y", "ContentType": "text/csv", "Accept": "*/*"}, ["str", "text/csv", "text/csv"]),
        ({"Accept": ""}, ["str", "application/json", "text/csv"]),
    ],
)
def test_user_functions_get_raw_headers_and_text_or_bytes(
    echo_server: Server, headers: dict[str, str], seen: list[str]
) -> None:
    """S-23, S-25, S-26."""
    answer = requests.post(f"{echo_server.base_url}/invocations", data=b"1", headers=headers, timeout=TIMEOUT_S)
    assert answer.json() == seen


def test_chunked_requests_work(sum_server: Server) -> None:
    """S-28."""
    assert _invoke(sum_server, iter([b"1,2\n3", b",4\n"])).text == "[3.0, 7.0]"


def test_bodies_over_the_limit_are_413(platform: Platform) -> None:
    """S-29, S-47: sent with a length or chunked."""
    with _serve(platform, SUM_MODEL, MAX_CONTENT_LENGTH="8") as server:
        assert _invoke(server, "1,2\n3,4\n").text == "[3.0, 7.0]"
        for body in ("1,2\n3,4\n5", iter([b"1,2\n3,4\n", b"5"])):
            answer = _invoke(server, body)
            assert answer.status_code == 413
            assert _error(answer)["error"] == "PayloadTooLargeError"


# Status mapping


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status", "error"),
    [
        ("<x/>", "text/xml", "", 415, "UnsupportedContentTypeError"),
        ("1,2", "text/csv", "text/html", 406, "UnsupportedAcceptError"),
        ("1,2\n3", "text/csv", "", 400, "DecodeError"),
        ("a,b\n1,2", "text/csv", "", 400, "DecodeError"),
        ("", "text/csv", "", 400, "DecodeError"),
        ("[1,", "application/json", "", 400, "DecodeError"),
        ("junk", "application/x-npy", "", 400, "DecodeError"),
        ("[[1, 2], [3]]", "application/json", "", 400, "DecodeError"),
    ],
)
def test_requests_that_cannot_be_answered(
    sum_server: Server, body: str, content_type: str, accept: str, status: int, error: str
) -> None:
    """S-40, S-41, S-42."""
    answer = _invoke(sum_server, body, content_type, accept)
    assert answer.status_code == status
    assert _error(answer)["error"] == error


def test_a_pickle_in_npy_is_refused_and_not_run(platform: Platform) -> None:
    """S-43, C-08."""
    body = io.BytesIO()
    np.save(body, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with _serve(platform, SUM_MODEL) as server:
        answer = _invoke(server, body.getvalue(), "application/x-npy")
    assert answer.status_code == 400
    assert "pickled objects" in _error(answer)["error-message"]


@pytest.mark.parametrize("statement", ["raise KeyError('colour\\nline 2')", "import sys; sys.exit(3)"])
def test_an_exception_in_user_code_is_500_and_logged_once(platform: Platform, statement: str) -> None:
    """S-44, M-30: the client gets type and message, the log the traceback; the server lives on."""
    script = SUM_MODEL + f"\ndef predict_fn(data, model):\n    {statement}\n"
    with _serve(platform, script) as server:
        answer = _invoke(server, "1,2")
        assert answer.status_code == 500
        assert _error(answer)["error"] in ("KeyError", "SystemExit")
        assert server.wait_for_log("in predict_fn\n").count("in predict_fn\n") == 1
        assert requests.get(f"{server.base_url}/ping", timeout=TIMEOUT_S).status_code == 200


def test_none_as_result_is_a_clear_error(platform: Platform) -> None:
    """U-31."""
    with _serve(platform, SUM_MODEL + "\ndef predict_fn(data, model):\n    pass\n") as server:
        answer = _invoke(server, "1,2")
    assert answer.status_code == 500
    assert _error(answer)["error-message"] == "predict_fn returned None; it must return the prediction."


# Codecs over HTTP


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "answer"),
    [
        ('1,2\r\n3,"4"', "TEXT/CSV; charset=utf-8", "application/json", "[3.0, 7.0]"),
        ("1,2", "text/csv", "text/csv", "3.0\n"),
        ("[1, 2]", "application/json", "text/*", "3.0\n"),
        ('[[1, "2"], [3, 4]]', "application/json; charset=utf-8", "text/html, text/csv;q=0.1", "3.0\n7.0\n"),
        ("1,\n3,4\n", "text/csv", "application/json", "[null, 7.0]"),
    ],
)
def test_default_functions_read_and_write(
    sum_server: Server, body: str, content_type: str, accept: str, answer: str
) -> None:
    """S-24, S-27, C-01 to C-04, C-20 to C-22, P-05."""
    response = _invoke(sum_server, body, content_type, accept)
    assert response.text == answer
    assert response.headers["Content-Type"] == ("text/csv" if answer.endswith("\n") else "application/json")


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_npy_goes_both_ways(sum_server: Server, dtype: str) -> None:
    """C-05, C-06, C-23, K-21: what the SDK's default predictor does."""
    body = io.BytesIO()
    np.save(body, np.array([[1, 2], [3, 4]], dtype=dtype))
    answer = _invoke(sum_server, body.getvalue(), "application/x-npy", "application/x-npy")
    assert answer.headers["Content-Type"] == "application/x-npy"
    result = np.load(io.BytesIO(answer.content), allow_pickle=False)
    assert (result.tolist(), result.dtype) == ([3, 7], np.dtype(dtype))


# User code


@pytest.mark.parametrize("where", ["directory", "archive", "file"])
def test_serving_code_is_taken_from_where_it_is_said_to_be(platform: Platform, where: str) -> None:
    """U-01, U-02: program names work without .py."""
    tree = platform.tree()
    tree.write("model/code/sagemaker_serve.py", SUM_MODEL)
    tree.write("model/sagemaker_serve.py", SUM_MODEL)
    tree.write_archive("model/code.tar.gz", {"sagemaker_serve.py": SUM_MODEL})
    sources = {"directory": "model/code", "archive": "model/code.tar.gz", "file": "model/sagemaker_serve.py"}
    environ = {"SAGEMAKER_PROGRAM": "sagemaker_serve", "SAGEMAKER_SUBMIT_DIRECTORY": tree.inside(sources[where])}
    with platform.serve(tree, environ) as server:
        assert _invoke(server, "1,2").text == "[3.0]"


@pytest.mark.parametrize("path", ["model/code/inference.py", "model/inference.py"])
def test_serving_code_is_found_in_the_model_without_settings(platform: Platform, path: str) -> None:
    """U-03, K-07: empty settings are as good as none."""
    tree = platform.tree()
    tree.write(path, SUM_MODEL)
    with platform.serve(tree, {"SAGEMAKER_PROGRAM": "", "SAGEMAKER_SUBMIT_DIRECTORY": ""}) as server:
        assert _invoke(server, "1,2").text == "[3.0]"


def test_siblings_import_and_data_files_are_readable(platform: Platform) -> None:
    """U-04, U-08: and nothing is written beside the user's files."""
    tree = _tree(
        platform,
        """
    import os
    from helpers.text import read
    def model_fn(model_dir):
        return read(os.path.join(os.path.dirname(__file__), "data.txt"))
    def predict_fn(data, model):
        from late_sibling import VALUE
        return [model, VALUE]
    """,
    )
    tree.write("code/helpers/text.py", "def read(path):\n    return open(path).read()\n")
    tree.write("code/late_sibling.py", "VALUE = 4\n")
    tree.write("code/data.txt", "text")
    before = sorted(tree.root.joinpath("code").rglob("*"))
    with platform.serve(tree, {"SAGEMAKER_PROGRAM": "inference.py"}) as server:
        assert _invoke(server, "1").json() == ["text", 4]
    assert sorted(tree.root.joinpath("code").rglob("*")) == before


def test_requirements_that_cannot_be_installed_end_the_server(platform: Platform) -> None:
    """U-05."""
    tree = _tree(platform, SUM_MODEL)
    tree.write("code/requirements.txt", "./no-such-directory\n")
    failed = platform.fail_to_serve(tree, {"SAGEMAKER_PROGRAM": "inference.py"})
    assert failed.exit_code != 0
    assert "Installing the user's requirements.txt failed" in failed.logs


RESPONSES = {
    "'plain'": (200, "text/x-any", "plain"),
    "b'raw'": (200, "text/x-any", "raw"),
    "('body', 'a/b')": (200, "a/b", "body"),
    "Response()": (413, "text/x-own", "own"),
}


@pytest.mark.parametrize("expression", list(RESPONSES))
def test_output_fn_may_return(platform: Platform, expression: str) -> None:
    """U-28: a bare body goes out as the accepted type; a response object as it is."""
    script = SUM_MODEL + textwrap.dedent(
        f"""
    class Response:
        status_code, headers = 413, {{"Content-Type": "text/x-own", "X-Amzn-SageMaker-Custom-Attributes": "c"}}
        def get_data(self):
            return b"own"
    def output_fn(prediction, accept):
        return {expression}
    """
    )
    with _serve(platform, script) as server:
        answer = _invoke(server, "1,2", accept="text/x-any")
    assert (answer.status_code, answer.headers["Content-Type"], answer.text) == RESPONSES[expression]
    assert answer.headers.get("X-Amzn-SageMaker-Custom-Attributes") == ("c" if "Resp" in expression else None)


@pytest.mark.parametrize(
    "expression", ['{"MaxPayloadInMB": 1}', "'{\"MaxPayloadInMB\": 1}'", '({"MaxPayloadInMB": 1}, 200)']
)
def test_execution_parameters_are_the_users(platform: Platform, expression: str) -> None:
    """U-24, S-33."""
    script = SUM_MODEL + f"\ndef execution_parameters_fn():\n    return {expression}\n"
    with _serve(platform, script) as server:
        answer = requests.get(f"{server.base_url}/execution-parameters", timeout=TIMEOUT_S)
    assert (answer.status_code, answer.json()) == (200, {"MaxPayloadInMB": 1})
    assert answer.headers["Content-Type"] == "application/json"


def test_a_model_pickled_by_the_script_as_a_program_loads(platform: Platform) -> None:
    """U-20, U-32, U-33: class and function are looked up in __main__; training under the guard does not run again."""
    script = """
    import os, joblib
    class Doubler:
        def predict(self, data):
            return (2 * data[:, 0]).tolist()
    if __name__ == "__main__":
        joblib.dump(Doubler(), os.path.join(os.environ["SM_MODEL_DIR"], "any.joblib"))
    """
    tree = platform.tree()
    tree.code(train=textwrap.dedent(script))
    tree.hyperparameters(sagemaker_program="train.py")
    assert platform.train(tree).exit_code == 0
    with platform.serve(tree, {"SAGEMAKER_PROGRAM": "train.py"}) as server:
        assert _invoke(server, "21").json() == [42.0]


def test_without_model_fn_there_must_be_one_model_file(platform: Platform) -> None:
    """U-20."""
    failed = platform.fail_to_serve(_tree(platform, ""), {"SAGEMAKER_PROGRAM": "inference.py"})
    assert failed.exit_code != 0
    assert "found: none. Define model_fn(model_dir)" in failed.logs


def test_the_iris_example_trains_and_serves(platform: Platform) -> None:
    """T-57, S-20: one script, both jobs; CSV, JSON and NPY give the same species."""
    tree = platform.tree()
    tree.code(train=example("iris/train.py"))
    tree.channel("train", iris_csv=example("iris/iris.csv"))
    tree.hyperparameters(sagemaker_program="train.py")
    assert platform.train(tree).exit_code == 0
    rows = [[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]]
    npy = io.BytesIO()
    np.save(npy, np.array(rows))
    with platform.serve(tree, {"SAGEMAKER_PROGRAM": "train.py"}) as server:
        assert _invoke(server, "5.1,3.5,1.4,0.2\n6.3,3.3,6.0,2.5\n", accept="text/csv").text == "setosa\nvirginica\n"
        assert _invoke(server, json.dumps(rows), "application/json").json() == ["setosa", "virginica"]
        answer = _invoke(server, npy.getvalue(), "application/x-npy", "application/x-npy")
    assert np.load(io.BytesIO(answer.content)).tolist() == ["setosa", "virginica"]
