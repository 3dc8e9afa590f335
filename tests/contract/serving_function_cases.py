"""What `serve` owes the functions of the user's script: how they are called, and what becomes of their results.

Every case takes the fixture `platform`.
"""

from __future__ import annotations

import io
import textwrap
from typing import Any

import joblib
import numpy as np
import pytest
import requests
from sklearn.dummy import DummyRegressor

from tests.support.platform import MlTree, Platform, Server

TIMEOUT_S = 30
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
NO_MODEL = "def model_fn(model_dir):\n    return None\n"


def _tree(platform: Platform, *parts: str) -> MlTree:
    tree = platform.tree()
    (tree.root / "model").mkdir()
    tree.code(inference="\n".join(textwrap.dedent(part) for part in parts))
    return tree


def _serve(platform: Platform, *parts: str) -> Server:
    return platform.serve(_tree(platform, *parts), {"SAGEMAKER_PROGRAM": "inference.py"})


def _fail(platform: Platform, *parts: str) -> str:
    """The log of a server that ended by itself, with an error message and no traceback."""
    failed = platform.fail_to_serve(_tree(platform, *parts), {"SAGEMAKER_PROGRAM": "inference.py"})
    assert failed.exit_code != 0
    assert "Traceback" not in failed.logs
    return failed.logs


def _invoke(server: Server, body: Any, content_type: str = "text/csv", accept: str = "", **headers: str) -> Any:
    values = {"Content-Type": content_type, "Accept": accept, **headers}
    return requests.post(f"{server.base_url}/invocations", data=body, headers=values, timeout=TIMEOUT_S)


# Model loading


def test_without_any_code_the_only_model_file_is_served(platform: Platform) -> None:
    """U-03, U-20 to U-23: nothing is set, and there is no script."""
    tree = platform.tree()
    model = io.BytesIO()
    joblib.dump(DummyRegressor(strategy="constant", constant=2.5).fit([[0]], [0]), model)
    tree.write("model/any.joblib", model.getvalue())
    with platform.serve(tree) as server:
        assert _invoke(server, "1\n2\n").json() == [2.5, 2.5]


def test_a_skops_file_is_refused_with_what_to_do(platform: Platform) -> None:
    """U-20: the container does not have skops."""
    tree = _tree(platform, "")
    tree.write("model/any.skops", b"")
    failed = platform.fail_to_serve(tree, {"SAGEMAKER_PROGRAM": "inference.py"})
    assert failed.exit_code != 0
    assert "any.skops: reading it needs the package skops" in failed.logs
    assert "Add skops to the requirements.txt" in failed.logs


def test_a_program_that_is_nowhere_is_named_with_the_places_looked_at(platform: Platform) -> None:
    """U-03."""
    tree = platform.tree()
    tree.write("model/code/owm.py", "")
    failed = platform.fail_to_serve(tree, {"SAGEMAKER_PROGRAM": "own.py"})
    assert failed.exit_code != 0
    assert "'own.py' is not in any of the places looked at: " in failed.logs
    assert f"{tree.inside('code')} (no files); {tree.inside('model/code')} (owm.py); " in failed.logs
    assert "Nearest: 'owm.py'" in failed.logs
    assert "Traceback" not in failed.logs


def test_hooks_run_around_model_fn(platform: Platform) -> None:
    """U-26, U-27: each with or without a context, which knows the model."""
    script = """
    CALLS = []
    def pre_model_fn(model_dir, context):
        CALLS.append(["before", model_dir, context.system_properties["model_dir"], context.model_name])
    def model_fn(model_dir):
        CALLS.append(["load", model_dir])
        return "model"
    def model_warmup_fn(model_dir, model):
        CALLS.append(["after", model_dir, model])
    def predict_fn(data, model):
        return CALLS
    """
    tree = _tree(platform, script)
    with platform.serve(tree, {"SAGEMAKER_PROGRAM": "inference.py"}) as server:
        model_dir = tree.inside("model")
        assert _invoke(server, "1").json() == [
            ["before", model_dir, model_dir, "model"],
            ["load", model_dir],
            ["after", model_dir, "model"],
        ]


# Forms of functions


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        ("def input_fn(body, content_type): return np.array([[len(body), 1.0]])", "[11.0]"),
        ("def predict_fn(data, model): return model.predict(data) * 10", "[30.0, 70.0]"),
        ("def output_fn(prediction, accept): return accept + repr(prediction.tolist())", "application/json[3.0, 7.0]"),
        ("def predict_fn(data, model): pass\ndef output_fn(prediction, accept): return repr(prediction)", "None"),
    ],
    ids=["input", "predict", "output", "predict-and-output"],
)
def test_a_function_of_the_script_works_among_the_defaults(platform: Platform, function: str, answer: str) -> None:
    """U-21, U-22, U-23: each gets what the default before it makes, and gives what the one behind it takes."""
    script = """
    import numpy as np
    class Sum:
        def predict(self, data):
            return data.sum(axis=1)
    def model_fn(model_dir):
        return Sum()
    """
    with _serve(platform, script, function) as server:
        assert _invoke(server, "1,2.0\r\n3,4").text == answer


def test_a_context_shows_the_request_and_shapes_the_answer(platform: Platform) -> None:
    """U-26, S-30, S-31: every request has its own."""
    script = """
    NAMES = ["Target-Model", "Target-Variant", "Target-Container-Hostname", "Inference-Id", "Session-Id"]
    def input_fn(body, content_type, context):
        attributes = context.get_request_header(0, "X-Amzn-SageMaker-Custom-Attributes")
        if attributes:
            context.set_response_header(0, "X-Amzn-SageMaker-Custom-Attributes", attributes + "!")
            context.set_response_status(202)
            context.set_response_content_type(0, "application/x-own")
        return [context.request_headers.get("X-Amzn-SageMaker-" + name) for name in NAMES]
    def predict_fn(data, model):
        return data
    """
    names = ("Target-Model", "Target-Variant", "Target-Container-Hostname", "Inference-Id", "Session-Id")
    with _serve(platform, NO_MODEL, script) as server:
        sent = {f"X-Amzn-SageMaker-{name}": name for name in names}
        answer = _invoke(server, "1", **{ATTRIBUTES: "c000b4f9 a=b"}, **sent)
        assert (answer.status_code, answer.headers["Content-Type"]) == (202, "application/x-own")
        assert (answer.json(), answer.headers[ATTRIBUTES]) == (list(names), "c000b4f9 a=b!")
        answer = _invoke(server, "1")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
        assert (answer.json(), ATTRIBUTES in answer.headers) == ([None] * 5, False)


@pytest.mark.parametrize("last", ["accept", "accept, context", "accept, *, context", "accept, context=None"])
def test_transform_fn_replaces_three_functions(platform: Platform, last: str) -> None:
    """U-25, U-26, S-25, U-28."""
    script = f"""
    def transform_fn(model, body, content_type, {last}):
        return repr([model, body, content_type, accept, "context" in dir()])
    """
    with _serve(platform, NO_MODEL, script) as server:
        seen = "context" in last
        answer = _invoke(server, "1,2", accept="text/plain")
        assert answer.text == repr([None, "1,2", "text/csv", "text/plain", seen])
        assert answer.headers["Content-Type"] == "text/plain"
        answer = _invoke(server, "1,2", "text/csv; charset=utf-8", accept="text/plain")
        assert answer.text == repr([None, b"1,2", "text/csv; charset=utf-8", "text/plain", seen])


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "def transform_fn(model, body, content_type, accept): pass\ndef output_fn(prediction, accept): pass\n",
            "The script defines transform_fn and output_fn.",
        ),
        ("def predict_fn(data): pass\n", "The script defines predict_fn(data); the container calls predict_fn(data, "),
        ("def execution_parameters_fn(a, b): pass\n", "The script defines execution_parameters_fn(a, b); the "),
        ("def model_warmup_fn(): pass\n", "the container calls model_warmup_fn(model_dir, model), or "),
    ],
)
def test_functions_that_cannot_be_called_end_the_server(platform: Platform, script: str, message: str) -> None:
    """U-25, U-26: before anything is loaded."""
    assert message in _fail(platform, "def model_fn(model_dir):\n    raise RuntimeError('called')\n", script)


def test_execution_parameters_as_a_response_object(platform: Platform) -> None:
    """U-24, U-41: as Autopilot's code gives them; `def execution_parameters_fn(context)` works, too."""
    script = """
    from sagemaker_containers.beta.framework import worker
    def execution_parameters_fn(context):
        return worker.Response(response='{"MaxPayloadInMB":1}', status=200, mimetype="application/json")
    """
    with _serve(platform, NO_MODEL, script) as server:
        answer = requests.get(f"{server.base_url}/execution-parameters", timeout=TIMEOUT_S)
    assert (answer.status_code, answer.json()) == (200, {"MaxPayloadInMB": 1})


# Results


def test_a_response_from_input_fn_reaches_the_client(platform: Platform) -> None:
    """U-28, U-29, U-41: with the functions passing it on, as Autopilot's do, and with the defaults."""
    early = """
    from sagemaker_containers.beta.framework import worker
    def input_fn(body, content_type):
        return worker.Response(response="no " + content_type, status=415, headers={"X-One": "1"}, mimetype="a/b")
    """
    passing = """
    def predict_fn(data, model):
        return data if isinstance(data, worker.Response) else None
    def output_fn(prediction, accept):
        return prediction if isinstance(prediction, worker.Response) else None
    """
    for parts in ((NO_MODEL, early), (NO_MODEL, early, passing)):
        with _serve(platform, *parts) as server:
            answer = _invoke(server, "1")
        assert (answer.status_code, answer.text, answer.headers["X-One"]) == (415, "no text/csv", "1")
        assert answer.headers["Content-Type"] == "a/b"


@pytest.mark.parametrize("result", ["None", '("body", 200)', "{}", "Broken()"])
def test_results_that_are_no_answer_are_500(platform: Platform, result: str) -> None:
    """U-28, U-31, M-30: the request ends, and the next one works."""
    script = f"""
    class Broken:
        status_code, headers = 200, {{"X-One": "a\\nb"}}
        def get_data(self):
            return b""
    def transform_fn(model, body, content_type, accept):
        return {result} if body == "bad" else body
    """
    with _serve(platform, NO_MODEL, script) as server:
        answer = _invoke(server, "bad")
        assert (answer.status_code, answer.json()["error"]) == (500, "ResultError")
        assert _invoke(server, "good").text == "good"


FUNCTIONS_WITH_A_STATUS = """
from sagemaker_containers.beta.framework import encoders
from sagemaker_inference import decoder, encoder, errors
def input_fn(body, content_type):
    if content_type == "x/own":
        raise errors.GenericInferenceToolkitError(422, "not today")
    return (decoder if content_type == "x/new" else encoders).decode(body, content_type)
def predict_fn(data, model):
    return data
def output_fn(prediction, accept):
    return encoders.encode(prediction, accept), accept
"""


def test_errors_of_encoders_and_of_the_script_have_their_status(platform: Platform) -> None:
    """S-40, S-41, S-43, S-44, U-42, U-44: also where the script calls the encoders itself; nothing is unpickled."""
    pickled = io.BytesIO()
    np.save(pickled, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with _serve(platform, NO_MODEL, FUNCTIONS_WITH_A_STATUS) as server:
        for body, content_type, accept, status, error in (
            ("[1]", "application/json", "application/json", 200, None),
            ("<x/>", "text/xml", "application/json", 415, "UnsupportedFormatError"),
            ("<x/>", "x/new", "application/json", 415, "UnsupportedFormatError"),
            ("[1]", "application/json", "text/html", 406, "UnsupportedFormatError"),
            (pickled.getvalue(), "application/x-npy", "application/json", 400, "DecodeError"),
            ("1", "x/own", "application/json", 422, "GenericInferenceToolkitError"),
        ):
            answer = _invoke(server, body, content_type, accept)
            assert answer.status_code == status, answer.text
            assert error is None or answer.json()["error"] == error
        assert answer.json()["error-message"] == "not today"


# Import surface


def test_default_functions_can_be_imported_and_called(platform: Platform) -> None:
    """U-40, U-44, U-45, L-18: lines that scripts have at their top."""
    script = """
    from sagemaker_containers.beta.framework import content_types, encoders, env, modules, transformer, worker
    from sagemaker_inference import content_types, decoder, default_inference_handler, encoder, errors
    from sagemaker_sklearn_container import handler_service, serving
    from sagemaker_sklearn_container.serving import default_input_fn, default_output_fn, default_predict_fn

    handler = handler_service.HandlerService().DefaultSKLearnUserModuleInferenceHandler()

    class Shape:
        def predict(self, data):
            return list(data.shape)
    def model_fn(model_dir):
        return Shape()
    def input_fn(body, content_type):
        if body.startswith("0"):
            return default_input_fn(body, content_type)
        return handler.default_input_fn(body, content_type)
    def predict_fn(data, model):
        return default_predict_fn(data, model)
    def output_fn(prediction, accept):
        return default_output_fn(prediction, accept)
    """
    with _serve(platform, script) as server:
        assert _invoke(server, "0,1,2").json() == [3]
        assert _invoke(server, "1,2,3").json() == [1, 3]


def test_flask_request_is_there_if_the_script_imports_flask(platform: Platform) -> None:
    """U-46, S-30: Flask is what lies beside the script, here with as much as shows the calls."""
    flask = """
    import contextlib
    seen = []
    class Flask:
        def __init__(self, name):
            pass
        @contextlib.contextmanager
        def test_request_context(self, path, method, input_stream, content_length, content_type, headers):
            seen.append([path, method, input_stream.read(content_length).decode(), content_type, dict(headers)])
            yield
            seen.append("left")
    """
    script = """
    import flask
    def transform_fn(model, body, content_type, accept):
        import json
        return json.dumps(flask.seen)
    """
    tree = _tree(platform, NO_MODEL, script)
    tree.code(flask=textwrap.dedent(flask))
    with platform.serve(tree, {"SAGEMAKER_PROGRAM": "inference.py"}) as server:
        _invoke(server, "1")
        first, left, second = _invoke(server, "2", **{ATTRIBUTES: "c"}).json()
    assert (first[:4], left) == (["/invocations", "POST", "1", "text/csv"], "left")
    assert second[:4] == ["/invocations", "POST", "2", "text/csv"]
    assert {name.lower(): value for name, value in second[4].items()}[ATTRIBUTES.lower()] == "c"
