"""What a model answers, called without a server."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

import mlio
from mlio.integ.numpy import as_numpy
from sagemaker_sklearn_container.processes.application import Application
from sagemaker_sklearn_container.processes.messages import Request
from sagemaker_sklearn_container.processes.tasks import EXECUTION_PARAMETERS, INVOKE
from sagemaker_sklearn_container.request_headers import RequestHeaders
from sagemaker_sklearn_container.user_code.handlers import Handlers
from sagemaker_sklearn_container.user_code.results import Response


def _answer(application: Application, kind: int = INVOKE, body: bytes = b"1") -> Any:
    """Status, headers by name, and body of one request."""
    request = Request(kind, "text/csv", "application/json", "id-1", RequestHeaders([]), body)
    status, head, content = application.answer(request)
    status_line, *lines = head.decode("latin-1").split("\r\n")[:-1]
    assert status_line.startswith(f"HTTP/1.1 {status} ")
    return status, dict(line.split(": ", 1) for line in lines), content


def _application(**functions: Any) -> Application:
    return Application(Handlers(**functions), None)


def _raise(error: BaseException) -> Any:
    raise error


class _UntoldError(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("line 1\nline 2"), "line 1\nline 2"),
        (MemoryError("no"), "no"),
        (SystemExit(3), "3"),
        (KeyboardInterrupt(), ""),
        (_UntoldError(), "(its text cannot be had: ValueError)"),
    ],
)
def test_errors_of_user_code_become_json(error: BaseException, message: str) -> None:
    """S-44, S-49: never in the reason phrase."""
    status, headers, body = _answer(_application(predict_fn=lambda data, model: _raise(error)))
    assert (status, headers["Content-Type"], headers["X-Request-Id"]) == (500, "application/json", "id-1")
    assert json.loads(body) == {"error": type(error).__name__, "error-message": message}


def test_an_error_is_one_record_with_the_request_id(caplog: pytest.LogCaptureFixture) -> None:
    """S-44: the traceback is in the log only."""
    with caplog.at_level(logging.WARNING):
        _answer(_application(predict_fn=lambda data, model: _raise(ValueError("no"))))
    assert [record.getMessage() for record in caplog.records] == ["Request id-1: the user's code raised an exception"]
    assert "in _raise" in caplog.text


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (b"1,2\n3\n", "InvalidInstanceError", "row 2 has 1 columns"),
        (b'1,"2\n', "DataReaderError", "a quote is opened but never closed"),
        (b"1,\xff\n", "InvalidTextError", "row 1, column 2 has the byte 0xff, which is no UTF-8"),
    ],
)
def test_a_library_can_blame_the_request(
    body: bytes, kind: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A-03, S-42: what mlio cannot read out of a body is the client's mistake, told in one line."""

    def input_fn(_body: str, content_type: str) -> Any:
        params = mlio.DataReaderParams([mlio.InMemoryStore(body)], 10, warn_bad_instances=False)
        csv = mlio.CsvParams(default_data_type=mlio.DataType.STRING, header_row_index=None, allow_quoted_new_lines=True)
        return [as_numpy(column) for example in mlio.CsvReader(params, csv) for column in example]

    application = _application(input_fn=input_fn, predict_fn=lambda data, model: len(data))
    status, _, answer = _answer(application)
    assert status == 400
    assert json.loads(answer)["error"] == kind
    assert message in json.loads(answer)["error-message"]
    [record] = caplog.records
    assert (record.levelno, record.exc_info) == (logging.WARNING, None)


def test_a_response_of_user_code_keeps_status_and_headers() -> None:
    """U-28."""
    response = Response(b"x", "a/b", 299, (("X-One", "1"),))
    status, headers, body = _answer(_application(predict_fn=lambda data, model: response))
    assert (status, headers["Content-Type"], headers["X-One"], body) == (299, "a/b", "1", b"x")


@pytest.mark.parametrize("status", [100, 0, 600, "200"])
def test_a_status_that_is_none_is_an_error(status: Any) -> None:
    """U-28."""
    response = Response(b"x", "a/b", status)
    answered, _, body = _answer(_application(predict_fn=lambda data, model: response))
    assert (answered, json.loads(body)["error"]) == (500, "ResultError")


def test_a_status_without_body_has_none() -> None:
    """U-28."""
    response = Response(b"x", None, 204)
    status, headers, body = _answer(_application(predict_fn=lambda data, model: response))
    assert (status, body) == (204, b"")
    assert "Content-Length" not in headers


def test_headers_without_measure_are_an_error() -> None:
    """S-30."""
    response = Response(b"x", None, 200, (("X-Long", "a" * 100_000),))
    assert _answer(_application(predict_fn=lambda data, model: response))[0] == 500


def test_execution_parameters() -> None:
    """S-33, B-04: the user's, else the defaults of a batch job, else none."""
    defaults = {"MaxPayloadInMB": 6}
    theirs = Application(Handlers(execution_parameters_fn=lambda: {"MaxPayloadInMB": 1}), None, defaults)
    assert json.loads(_answer(theirs, EXECUTION_PARAMETERS)[2]) == {"MaxPayloadInMB": 1}
    assert json.loads(_answer(Application(Handlers(), None, defaults), EXECUTION_PARAMETERS)[2]) == defaults
    assert _answer(_application(), EXECUTION_PARAMETERS)[0] == 404


def test_the_server_chooses_how_errors_look() -> None:
    """M-17, M-22: and its headers are those of every answer."""
    own = (("Pragma", "no-cache"),)
    handlers = Handlers(predict_fn=lambda data, model: Response(b"x", "a/b", 200, (("X-One", "1"),)))
    status, headers, _ = _answer(Application(handlers, None, headers=own))
    assert (status, headers["Pragma"], headers["X-One"]) == (200, "no-cache", "1")
    failing = Handlers(predict_fn=lambda data, model: _raise(ValueError("no")))
    application = Application(failing, None, None, lambda *told: repr(told).encode(), own)
    status, headers, body = _answer(application)
    assert (status, headers["Pragma"], body) == (500, "no-cache", b"(500, 'ValueError', 'no')")
