"""`flask.request` in functions of the script; the Flask here is the real one."""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import Any

import flask
import pytest

from sagemaker_sklearn_container.user_code import handlers

HEADERS = {
    "Content-Type": "text/csv",
    "Content-Length": "3",
    "Accept": "text/csv",
    "X-Amzn-Sagemaker-Custom-Attributes": "c000b4f9",
    "Contenttype": "application/x-other",
}


def _functions(**functions: Any) -> handlers.Handlers:
    module = ModuleType("user_script")
    module.__dict__.update(functions)
    return handlers.resolve(module)


def test_headers_body_and_type_are_the_requests() -> None:
    """U-46, S-30: in all functions that answer a request."""

    def input_fn(body: str, content_type: str) -> Any:
        return [flask.request.headers["X-Amzn-SageMaker-Custom-Attributes"], flask.request.method, flask.request.path]

    def predict_fn(data: Any, model: Any) -> Any:
        return [*data, flask.request.data.decode(), flask.request.content_length]

    def output_fn(prediction: Any, accept: str) -> Any:
        mimetypes = [flask.request.content_type, str(flask.request.accept_mimetypes)]
        return flask.Response(repr([*prediction, *mimetypes]), status=201, headers={"X-One": "1"}, mimetype="a/b")

    functions = _functions(input_fn=input_fn, predict_fn=predict_fn, output_fn=output_fn)
    answer = functions.invoke(None, b"1,2", "text/csv", "text/csv", HEADERS)
    seen = ["c000b4f9", "POST", "/invocations", "1,2", 3, "text/csv", "text/csv"]
    assert (answer.body.decode(), answer.status, answer.content_type) == (repr(seen), 201, "a/b")
    assert answer.headers == (("X-One", "1"),)
    assert not flask.has_request_context()


def test_types_are_those_that_the_functions_get() -> None:
    """U-46, S-23, S-26: also where the request names none."""

    def transform_fn(model: Any, body: Any, content_type: str, accept: str) -> Any:
        return repr([flask.request.content_type, flask.request.headers["Accept"], flask.request.get_json()])

    functions = _functions(transform_fn=transform_fn)
    assert functions.invoke(None, b"[1]", "application/json", "a/b").body == b"['application/json', 'a/b', [1]]"


@pytest.mark.parametrize("body", [b"1,2\n3,4", b"", b"1" * 100_000])
def test_the_body_is_read_from_a_view(body: bytes) -> None:
    """U-46: when a function asks for it, and not before."""

    def predict_fn(data: Any, model: Any) -> Any:
        request = flask.request
        return [request.content_length, request.stream.read(3).decode(), request.get_data(as_text=True)]

    def late_fn(data: Any, model: Any) -> Any:
        return [flask.request.get_data(as_text=True), flask.request.get_data(as_text=True)]

    length = len(body)
    for function, expected in ((predict_fn, [length, body[:3], body[3:]]), (late_fn, [body, body])):
        functions = _functions(input_fn=lambda body, content_type: None, predict_fn=function)
        answer = functions.invoke(None, memoryview(bytearray(body)).toreadonly(), "text/csv", "application/json")
        assert json.loads(answer.body) == [part.decode() if isinstance(part, bytes) else part for part in expected]


def test_the_request_is_gone_after_an_error() -> None:
    """U-46."""

    def predict_fn(data: Any, model: Any) -> Any:
        raise KeyError(flask.request.path)

    with pytest.raises(KeyError, match="/invocations"):
        _functions(predict_fn=predict_fn).invoke(None, b"1", "text/csv", "text/csv", HEADERS)
    assert not flask.has_request_context()


def test_flask_is_left_alone_unless_the_script_imported_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """U-46."""
    monkeypatch.delitem(sys.modules, "flask")

    def predict_fn(data: Any, model: Any) -> Any:
        return [flask.has_request_context(), "flask" in sys.modules]

    answer = _functions(predict_fn=predict_fn).invoke(None, b"1", "text/csv", "application/json", HEADERS)
    assert answer.body == b"[false, false]"
