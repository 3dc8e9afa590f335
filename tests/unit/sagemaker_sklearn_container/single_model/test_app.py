"""The application of one model, called as PEP 3333 has it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from sagemaker_sklearn_container.single_model.app import Application
from sagemaker_sklearn_container.single_model.timeout import InvocationTimeout
from sagemaker_sklearn_container.user_code.handlers import Handlers
from sagemaker_sklearn_container.user_code.results import Response


def _call(application: Application, path: str, method: str = "POST", body: bytes = b"1", **environ: str) -> Any:
    """Status, headers and body of one request."""
    answer: list[Any] = []
    chunks = application(
        {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            **environ,
        },
        lambda status, headers: answer.extend((status, dict(headers))),
    )
    return (*answer, b"".join(chunks))


def _application(**functions: Any) -> Application:
    return Application(Handlers(**functions), None, "application/json", 10)


def _raise(error: BaseException) -> Any:
    raise error


def test_ping_has_no_body_and_a_length() -> None:
    """S-03, S-32."""
    status, headers, body = _call(_application(), "/ping", "GET", b"")
    assert (status, headers["Content-Length"], body) == ("200 OK", "0", b"")


def test_the_clients_request_id_is_repeated_and_an_unsafe_one_is_not() -> None:
    """S-22."""
    assert _call(_application(), "/ping", "GET", HTTP_X_REQUEST_ID="id-1")[1]["X-Request-Id"] == "id-1"
    assert len(_call(_application(), "/ping", "GET", HTTP_X_REQUEST_ID="a b\r\n")[1]["X-Request-Id"]) == 36


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("line 1\nline 2"), "500 Internal Server Error"),
        (MemoryError("no"), "500 Internal Server Error"),
        (SystemExit(3), "500 Internal Server Error"),
        (InvocationTimeout("late"), "504 Gateway Timeout"),
    ],
)
def test_errors_of_user_code_become_json(error: BaseException, status: str) -> None:
    """S-44, S-45, S-49: never in the reason phrase."""
    answer = _call(_application(predict_fn=lambda data, model: _raise(error)), "/invocations")
    assert answer[0] == status
    assert answer[1]["Content-Type"] == "application/json"
    assert json.loads(answer[2]) == {"error": type(error).__name__, "error-message": str(error)}


def test_a_response_of_user_code_keeps_status_and_headers() -> None:
    """U-28."""
    response = Response(b"x", "a/b", 299, (("X-One", "1"),))
    status, headers, _ = _call(_application(predict_fn=lambda data, model: response), "/invocations")
    assert (status, headers["Content-Type"], headers["X-One"]) == ("299 Status 299", "a/b", "1")


def test_functions_see_the_requests_headers() -> None:
    """S-30, S-31: types and length too, and nothing else of the server's environment."""

    def predict_fn(data: Any, model: Any, context: Any) -> Any:
        return dict(context.request_headers)

    _, _, body = _call(
        _application(predict_fn=predict_fn),
        "/invocations",
        HTTP_X_AMZN_SAGEMAKER_INFERENCE_ID="i",
        CONTENT_TYPE="application/json",
        SERVER_NAME="s",
    )
    assert json.loads(body) == {
        "X-Amzn-Sagemaker-Inference-Id": "i",
        "Content-Type": "application/json",
        "Content-Length": "1",
    }


def test_a_wrong_method_names_the_right_ones() -> None:
    """S-21."""
    status, headers, body = _call(_application(), "/invocations", "GET")
    assert (status, headers["Allow"]) == ("405 Method Not Allowed", "POST, OPTIONS")
    assert json.loads(body)["error-message"] == "/invocations does not answer GET; methods: POST."


def test_a_body_that_ends_early_is_a_client_error() -> None:
    """S-42."""
    assert _call(_application(), "/invocations", body=b"1", CONTENT_LENGTH="2")[0] == "400 Bad Request"


def test_a_long_body_is_refused() -> None:
    """S-47."""
    assert _call(_application(), "/invocations", body=b"1" * 11)[0].startswith("413 ")
    assert _call(_application(), "/invocations", body=b"1" * 11, CONTENT_LENGTH="")[0].startswith("413 ")
