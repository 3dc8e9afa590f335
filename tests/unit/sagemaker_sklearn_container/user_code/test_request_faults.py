"""Which exceptions of the script's functions are the request's fault."""

from __future__ import annotations

import json
import logging
from types import ModuleType, SimpleNamespace
from typing import Any, Callable

import numpy as np
import pytest

from sagemaker_sklearn_container.errors import DecodeError, EncodeError, RequestError
from sagemaker_sklearn_container.processes.application import Application
from sagemaker_sklearn_container.processes.messages import Request
from sagemaker_sklearn_container.processes.tasks import INVOKE
from sagemaker_sklearn_container.request_headers import RequestHeaders
from sagemaker_sklearn_container.user_code import handlers, request_faults

AUTOPILOT = "sagemaker_serve"


class _StatedError(RuntimeError):
    request_status: Any = 400


class _UntoldError(ValueError):
    def __str__(self) -> str:
        raise KeyError("no text")


def _raiser(error: BaseException) -> Callable[..., Any]:
    def function(*arguments: Any) -> Any:
        raise error

    return function


def _functions(name: str = "script", **functions: Any) -> handlers.Handlers:
    module = ModuleType(name)
    module.__dict__.update(functions)
    return handlers.resolve(module)


def _told(functions: handlers.Handlers, body: bytes = b"1\n", accept: str = "text/csv") -> tuple[int, str, str]:
    """Status, class and message that a client gets."""
    request = Request(INVOKE, "text/csv; charset=utf-8", accept, "id-1", RequestHeaders([]), body)
    status, _, content = Application(functions, None).answer(request)
    told = json.loads(content)
    return status, told["error"], told["error-message"]


@pytest.mark.parametrize(
    ("name", "mode", "expected"),
    [
        ("sagemaker_serve", None, True),
        ("candidate_data_processors.sagemaker_serve", None, True),
        ("inference", "feature-transform", True),
        ("inference", "", False),
        ("sagemaker_server", None, False),
    ],
)
def test_autopilots_scripts_are_told_by_name_or_variable(name: str, mode: str | None, expected: bool) -> None:
    """A-02."""
    environ = {} if mode is None else {"AUTOML_TRANSFORM_MODE": mode}
    assert request_faults.is_autopilots(ModuleType(name), environ) is expected


def test_without_a_script_the_variable_counts() -> None:
    """A-02."""
    assert not request_faults.is_autopilots(None, {})
    assert request_faults.is_autopilots(None, {"AUTOML_TRANSFORM_MODE": "feature-transform"})


@pytest.mark.parametrize("function", ["input_fn", "predict_fn", "output_fn"])
@pytest.mark.parametrize(("status", "expected"), [(400, 400), (413, 413), (503, 503), (200, 500), ("400", 500)])
def test_an_exception_may_say_its_status(function: str, status: Any, expected: int) -> None:
    """S-44, A-05: in every script, under its own name."""
    error = _StatedError("row 3 has 2 columns")
    error.request_status = status
    told = _told(_functions(**{**_passing(), function: _raiser(error)}))
    assert told == (expected, "_StatedError", "row 3 has 2 columns")


def _passing() -> dict[str, Any]:
    return {
        "input_fn": lambda body, content_type: body,
        "predict_fn": lambda data, model: data,
        "output_fn": lambda prediction, accept: prediction,
    }


@pytest.mark.parametrize("function", ["input_fn", "predict_fn"])
@pytest.mark.parametrize("name", ["script", AUTOPILOT])
@pytest.mark.parametrize(("body", "word"), [(b"", "empty"), (b"\r\n \n", "blank")])
def test_what_functions_raise_over_an_empty_body_is_its_fault(function: str, name: str, body: bytes, word: str) -> None:
    """S-42, A-05: in every script; the message has both."""
    told = _told(_functions(name, **{**_passing(), function: _raiser(IndexError("tuple index out of range"))}), body)
    assert told == (
        400,
        "RefusedDataError",
        f"The request's body is {word}, and {function} raised IndexError: tuple index out of range. Send at least one "
        "row of data.",
    )


def test_transform_fn_and_functions_with_a_context_are_no_others() -> None:
    """S-42, U-25, U-26."""
    functions = _functions(transform_fn=_raiser(EOFError("no data")))
    assert _told(functions, b"")[0] == 400
    assert "transform_fn raised EOFError: no data." in _told(functions, b"")[2]
    assert _told(functions, b"1")[:2] == (500, "EOFError")

    def predict_fn(data: Any, model: Any, context: Any) -> Any:
        return data[7]

    functions = _functions(AUTOPILOT, **{**_passing(), "predict_fn": predict_fn})
    assert "predict_fn raised IndexError" in _told(functions, b"1")[2]


@pytest.mark.parametrize(
    "error", [OSError("disk"), MemoryError("all"), RuntimeError("no"), AttributeError("x"), ImportError("y")]
)
@pytest.mark.parametrize("body", [b"", b"1"])
def test_what_is_not_raised_over_data_stays_the_scripts_fault(error: Exception, body: bytes) -> None:
    """S-44, S-49."""
    for name in ("script", AUTOPILOT):
        told = _told(_functions(name, **{**_passing(), "predict_fn": _raiser(error)}), body)
        assert told == (500, type(error).__name__, str(error))


@pytest.mark.parametrize("function", ["input_fn", "predict_fn"])
@pytest.mark.parametrize(
    "error",
    [ValueError("a"), IndexError("a"), KeyError("a"), TypeError("a"), AssertionError("a"), ZeroDivisionError("a")],
)
def test_over_rows_only_autopilots_scripts_are_believed(function: str, error: Exception) -> None:
    """S-44, A-05."""
    functions = {**_passing(), function: _raiser(error)}
    status, kind, message = _told(_functions(AUTOPILOT, **functions))
    assert (status, kind) == (400, "RefusedDataError")
    assert message.startswith(f"{function} raised {type(error).__name__}: {str(error)}. Send rows of text/csv without")
    assert _told(_functions(**functions)) == (500, type(error).__name__, str(error))


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("1,2\n3,abc\n", "(row 2, column 2 is 'abc')"),
        ("\ufeff1,2\r\n\r\nabc,3", "(row 2, column 1 is 'abc')"),
        ('1,"a\nb"\n3,"abc"\nabc,1\n', "(row 2, column 2 is 'abc')"),
    ],
)
def test_text_that_is_no_number_is_found_in_the_rows(body: str, place: str) -> None:
    """S-42, A-05: rows and columns from 1, blank lines not counted."""

    def predict_fn(data: Any, model: Any) -> Any:
        return np.array(["abc"], dtype=object).astype(float)

    functions = _functions(AUTOPILOT, **{**_passing(), "predict_fn": predict_fn})
    message = _told(functions, body.encode())[2]
    assert f"ValueError: could not convert string to float: 'abc' {place}. Send rows" in message


@pytest.mark.parametrize(
    "text", ["it's", 'say "so"', "\u00e4\\n", "x" * 1000, "two\nlines"], ids=["'", '"', "escapes", "long", "lines"]
)
def test_text_of_any_kind_is_found(text: str) -> None:
    """S-42, A-05."""
    body = ('1,"' + text.replace('"', '""') + '"\n').encode()
    functions = _functions(AUTOPILOT, **{**_passing(), "predict_fn": lambda data, model: float(text)})
    assert "(row 1, column 2 is " in _told(functions, body)[2]


def test_messages_of_scripts_that_look_like_it_are_told_without_a_place() -> None:
    """S-42, A-05."""
    message = "could not convert string to float: 'a' or 'b'"
    functions = _functions(AUTOPILOT, **{**_passing(), "predict_fn": _raiser(ValueError(message))})
    assert _told(functions, b"a,b\n")[2].startswith(f"predict_fn raised ValueError: {message}. Send rows")


@pytest.mark.parametrize("body", [b"1,2\n", b"\xff\xfe", b'"' + b"y" * 200_000])
def test_text_that_is_nowhere_is_told_without_a_place(body: bytes) -> None:
    """S-42, A-05: also in what is no CSV."""
    functions = _functions(AUTOPILOT, **{**_passing(), "predict_fn": lambda data, model: float("abc")})
    status, _, message = _told(functions, body)
    assert (status, "(row" in message) == (400, False)


def test_results_that_a_type_cannot_hold_are_the_accepts_fault() -> None:
    """S-41, A-05: in Autopilot's scripts only, which do nothing else there."""
    for error in (ValueError("all the input dimensions"), EncodeError("a cell is a sparse matrix")):
        functions = {**_passing(), "output_fn": _raiser(error)}
        status, kind, message = _told(_functions(AUTOPILOT, **functions))
        assert (status, kind) == (406, "RefusedResultError")
        assert f"cannot be written as text/csv: output_fn raised {type(error).__name__}: {error}" in message
        assert "application/x-recordio-protobuf" in message
        assert _told(_functions(**functions))[0] == 500


class _Model:
    """As far as names are concerned, the library's AutoMLTransformer."""

    def __init__(self, *names: str) -> None:
        self.header = SimpleNamespace(_column_name_indices=dict.fromkeys(names), target_column_name="sort")


@pytest.mark.parametrize("names", [("sort", "size, in m", "Größe"), ("size, in m", "sort", "Größe")])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("with_target", [False, True])
@pytest.mark.parametrize("end", ["", "\n", "\r\n1,2,3\n"])
def test_column_names_are_no_row(names: tuple[str, ...], mark: str, with_target: bool, end: str) -> None:
    """A-05, S-42: with or without the target, as CSV writers write them."""
    cells = [f'"{name}"' if "," in name else name for name in names if with_target or name != "sort"]
    body = (mark + ",".join(cells) + end).encode("utf-8")
    with pytest.raises(DecodeError, match="row 1 holds the names of the columns"):
        request_faults.refuse_header_line(_Model(*names), body, "text/csv; charset=utf-8")
    request_faults.refuse_header_line(_Model(*names), body, "application/json")
    request_faults.refuse_header_line(None, body, "text/csv")


@pytest.mark.parametrize("body", [b"", b"sort", b"a,b,c\n", b"a,sort\n", b"b,a\n", b"1,2\na,b\n", b"\xff,b\n", b'"a\n'])
def test_other_rows_may_hold_names(body: bytes) -> None:
    """A-08: cells can be anything."""
    for view in (body, memoryview(body)):
        request_faults.refuse_header_line(_Model("a", "b", "sort"), view, "text/csv")


def test_autopilots_models_refuse_column_names() -> None:
    """A-05, S-42: before the script sees them."""
    request = Request(INVOKE, "text/csv", "text/csv", "id-1", RequestHeaders([]), b"a,b\n1,2\n")
    for name, expected in ((AUTOPILOT, 400), ("script", 200)):
        application = Application(_functions(name, **_passing()), _Model("a", "b", "sort"))
        assert application.answer(request)[0] == expected


def test_errors_with_a_status_stay_as_they_are() -> None:
    """S-42, U-44."""
    for name in ("script", AUTOPILOT):
        functions = _functions(name, **{**_passing(), "input_fn": _raiser(DecodeError("no"))})
        assert _told(functions, b"") == (400, "DecodeError", "no")


def test_an_exception_without_a_text_stands() -> None:
    """S-44."""
    functions = _functions(AUTOPILOT, **{**_passing(), "predict_fn": _raiser(_UntoldError())})
    assert _told(functions) == (500, "_UntoldError", "(its text cannot be had: KeyError)")


def test_the_log_has_the_frames(caplog: pytest.LogCaptureFixture) -> None:
    """S-44: the script may be wrong after all."""
    functions = _functions(AUTOPILOT, **{**_passing(), "predict_fn": lambda data, model: float("abc")})
    with caplog.at_level(logging.WARNING):
        _told(functions)
    (record,) = (record for record in caplog.records if record.exc_info)
    assert record.levelno == logging.WARNING
    assert isinstance(record.exc_info, tuple)
    assert isinstance(record.exc_info[1], RequestError)
    assert isinstance(record.exc_info[1].__cause__, ValueError)
