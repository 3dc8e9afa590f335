"""The response object that scripts make."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sagemaker_containers.beta.framework import worker
from sagemaker_sklearn_container.user_code import results


@pytest.mark.parametrize(
    ("mimetype", "content_type"),
    [
        (None, "application/json"),
        ("application/json", "application/json"),
        ("application/x-npy", "application/x-npy"),
        ("application/x-recordio-protobuf", "application/x-recordio-protobuf"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("application/xml", "application/xml; charset=utf-8"),
        ("image/svg+xml", "image/svg+xml; charset=utf-8"),
        # Werkzeug adds a second charset here, which no client can want.
        ("text/csv; charset=utf-8", "text/csv; charset=utf-8"),
    ],
)
def test_content_type_is_what_werkzeug_makes_of_the_mimetype(mimetype: str | None, content_type: str) -> None:
    """U-41, D-3, C-24."""
    response = worker.Response("x", mimetype=mimetype)
    assert response.content_type == response.headers["content-type"] == content_type
    assert response.mimetype == content_type.partition(";")[0]


def test_accept_is_ignored_with_a_warning() -> None:
    """U-41: `worker.Response(body, accept, mimetype=accept)` is what old scripts write."""
    with pytest.warns(DeprecationWarning, match="accept") as warned:
        response = worker.Response(b"1,2\n", "text/csv", mimetype="text/csv")
    assert warned[0].filename == __file__
    assert (response.data, response.status_code, response.mimetype) == (b"1,2\n", 200, "text/csv")


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (None, b""),
        ("\u00e4", b"\xc3\xa4"),
        (b"\x00", b"\x00"),
        (bytearray(b"ab"), b"ab"),
        (["a", b"b"], b"ab"),
        ((text for text in "ab"), b"ab"),
    ],
)
def test_bodies_are_text_bytes_or_pieces(body: Any, data: bytes) -> None:
    """U-41."""
    response = worker.Response(body)
    assert (response.data, response.get_data(), response.content_length) == (data, data, len(data))
    assert b"".join(response.response) == data


@pytest.mark.parametrize("body", [5, {"a": 1}, [1.0], object()])
def test_other_bodies_are_refused_with_the_next_step(body: Any) -> None:
    """U-41: a dictionary would be sent as its keys."""
    with pytest.raises(TypeError, match=rf"type {type(body).__name__}; it must be str or bytes.*json\.dumps"):
        worker.Response(body)


@pytest.mark.parametrize(
    ("status", "code", "line"),
    [
        (200, 200, "200 OK"),
        (204, 204, "204 NO CONTENT"),
        (500, 500, "500 INTERNAL SERVER ERROR"),
        (599, 599, "599 UNKNOWN"),
        ("404 Not here", 404, "404 Not here"),
        ("404", 404, "404"),
        (None, 200, "200 OK"),
    ],
)
def test_status(status: int | str | None, code: int, line: str) -> None:
    """U-41."""
    response = worker.Response("x", status=status)
    assert (response.status_code, response.status) == (code, line)


def test_a_status_without_number_is_refused() -> None:
    """U-41."""
    with pytest.raises(ValueError, match="'Nope'; it must be a number"):
        worker.Response(status="Nope")


def test_every_part_can_be_set_afterwards() -> None:
    """U-41."""
    response = worker.Response("a")
    response.data = b"bcd"
    response.status_code = 500
    response.mimetype = "text/csv"
    response.headers["X-Model"] = 1
    assert (response.status, response.get_data(as_text=True)) == ("500 INTERNAL SERVER ERROR", "bcd")
    assert list(response.headers) == [
        ("Content-Type", "text/csv; charset=utf-8"),
        ("Content-Length", "3"),
        ("X-Model", "1"),
    ]
    response.set_data("\u00e4")
    response.content_type = "a/b"
    response.status = "404 Nope"
    assert (response.mimetype, response.headers.get("Content-Length"), response.status_code) == ("a/b", "2", 404)
    assert repr(response) == "<Response 2 bytes [404 Nope]>"


def test_headers_are_found_in_any_case_and_keep_their_order() -> None:
    """U-41."""
    headers = worker.Response(headers=[("A", "1"), ("B", "2"), ("a", "3")]).headers
    assert list(headers.items()) == [("A", "1"), ("B", "2"), ("a", "3"), ("Content-Type", "application/json")]
    assert ("b" in headers, headers.get("b"), headers["a"], headers.getlist("A")) == (True, "2", "1", ["1", "3"])
    headers.set("a", "4")
    headers.add("B", "5")
    del headers["content-type"]
    assert (list(headers.keys()), list(headers.values()), len(headers)) == (["a", "B", "B"], ["4", "2", "5"], 3)
    assert (headers.get("C"), headers.get("C", "d"), "C" in headers) == (None, "d", False)
    with pytest.raises(KeyError, match="C"):
        headers["C"]


def test_a_header_cannot_bring_another_one() -> None:
    """U-41: a value from a request must not split the answer."""
    with pytest.raises(ValueError, match="line break"):
        worker.Response(headers={"X": "1\r\nY: 2"})


def test_a_content_type_among_the_headers_stays_unless_a_mimetype_is_given() -> None:
    """U-41."""
    given = {"Content-Type": "a/b"}
    assert worker.Response("x", headers=given).content_type == "a/b"
    assert list(worker.Response(headers=given, mimetype="text/csv").headers) == [
        ("Content-Type", "text/csv; charset=utf-8")
    ]


def test_json_bodies_can_be_read_back() -> None:
    """U-41."""
    response = worker.Response(json.dumps({"a": [1]}))
    assert (response.is_json, response.json, response.get_json()) == (True, {"a": [1]}, {"a": [1]})
    other = worker.Response("[1]", mimetype="text/csv")
    assert (other.is_json, other.json, other.get_json(force=True)) == (False, None, [1])
    assert worker.Response("1", mimetype="application/problem+json").is_json


def test_the_container_sends_it() -> None:
    """U-28, U-41: body, status, type and further headers arrive; the length is the server's."""
    response = worker.Response("1\n", status=202, mimetype="text/csv", headers={"X": "y"})
    assert results.is_response(response)
    assert results.from_output(response, "application/json") == results.Response(
        b"1\n", "text/csv; charset=utf-8", 202, (("X", "y"),)
    )
    assert results.from_output(worker.default_healthcheck_fn(), "*/*") == results.Response(b"", "application/json")
