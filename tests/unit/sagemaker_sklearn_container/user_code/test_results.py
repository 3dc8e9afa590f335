"""What the user's functions return."""

from __future__ import annotations

from typing import Any

import flask
import pytest

from sagemaker_containers.beta.framework import worker
from sagemaker_sklearn_container.errors import ResultError
from sagemaker_sklearn_container.user_code.results import Response, from_execution_parameters, from_output


class FlaskLike:
    """A response object of a web framework."""

    status_code = 406
    headers = {"Content-Type": "a/b; x=y", "Content-Length": "99", "X-One": "1"}

    def get_data(self) -> bytes:
        """The body."""
        return b"data"


@pytest.mark.parametrize(
    ("result", "accept", "response"),
    [
        ("\u00e4", "text/csv", Response("\u00e4".encode(), "text/csv")),
        (b"x", "text/csv, */*", Response(b"x", "text/csv")),
        (bytearray(b"x"), "text/*", Response(b"x", "application/json")),
        (("x", "a/b; c=d"), "text/csv", Response(b"x", "a/b; c=d")),
        (Response(b"x", None, 204), "text/csv", Response(b"x", None, 204)),
        (FlaskLike(), "text/csv", Response(b"data", "a/b; x=y", 406, (("X-One", "1"),))),
    ],
)
def test_output_fn_results(result: Any, accept: str, response: Response) -> None:
    """U-28, U-29."""
    assert from_output(result, accept) == response


def test_response_objects_of_old_scripts_and_of_flask() -> None:
    """U-28, U-41: status, type and headers go out as they are; the length is the server's."""
    old = worker.Response(b"x", status=413, headers={"X-One": "1"}, mimetype="text/csv")
    assert from_output(old, "a/b") == Response(b"x", "text/csv; charset=utf-8", 413, (("X-One", "1"),))
    with pytest.warns(DeprecationWarning, match="argument accept"):
        positional = worker.Response("x", "text/csv", mimetype="application/x-npy")
    assert from_output(positional, "a/b") == Response(b"x", "application/x-npy")
    new = flask.Response("\u00e4", status=201, content_type="a/b")
    new.headers.add("Set-Cookie", "a=1")
    new.headers.add("Set-Cookie", "b=2")
    cookies = (("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))
    assert from_output(new, "c/d") == Response("\u00e4".encode(), "a/b", 201, cookies)
    assert from_output(flask.Response(iter([b"a", b"b"]), mimetype="a/b"), "c/d") == Response(b"ab", "a/b")


def test_a_response_object_with_a_header_that_cannot_be_sent_is_an_error() -> None:
    """U-28, M-30: it would end the connection without an answer."""

    class Broken(FlaskLike):
        headers = {"X-One": "a\r\nX-Two: b"}

    with pytest.raises(ResultError, match="cannot be sent. Setting the response header X-One: .* line break"):
        from_output(Broken(), "text/csv")


@pytest.mark.parametrize(
    ("result", "name"),
    [(None, "None"), ({}, "type dict"), ((1, "a/b"), "type tuple"), (("x", 200), "type tuple"), (("x",), "type tuple")],
)
def test_other_results_are_errors(result: Any, name: str) -> None:
    """U-31."""
    with pytest.raises(ResultError, match=f"output_fn returned .*{name}; it must return str, bytes") as caught:
        from_output(result, "text/csv")
    assert caught.value.status == 500


@pytest.mark.parametrize(
    ("result", "response"),
    [
        ({"MaxPayloadInMB": 6}, Response(b'{"MaxPayloadInMB": 6}', "application/json")),
        ("{}", Response(b"{}", "application/json")),
        (("{}", 404), Response(b"{}", "application/json", 404)),
        (FlaskLike(), Response(b"data", "a/b; x=y", 406, (("X-One", "1"),))),
    ],
)
def test_execution_parameters_results(result: Any, response: Response) -> None:
    """U-24, S-33."""
    assert from_execution_parameters(result) == response


@pytest.mark.parametrize("result", [None, 3, ("{}", "200")])
def test_other_execution_parameters_are_errors(result: Any) -> None:
    """U-24."""
    with pytest.raises(ResultError, match="execution_parameters_fn returned"):
        from_execution_parameters(result)
