"""Responses as bytes."""

from __future__ import annotations

import json

import pytest

from sagemaker_sklearn_container.gateway import responses


def _lines(head: bytes) -> list[bytes]:
    return [line for line in head.split(b"\r\n") if not line.startswith(b"Date: ")]


def test_a_head() -> None:
    """S-32."""
    assert _lines(responses.head(200, "text/csv", 3, "id", [("X-A", "b")])) == [
        b"HTTP/1.1 200 OK",
        b"Content-Length: 3",
        b"Content-Type: text/csv",
        b"X-Request-Id: id",
        b"X-A: b",
        b"",
    ]
    assert _lines(responses.head(299, None, 0, "id"))[0] == b"HTTP/1.1 299 Status 299"


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("X-A", "b\r\nX-Evil: 1", b"X-A: b X-Evil: 1"),
        ("X-A", "b\0\x7fc\td", b"X-A: b c\td"),
        ("X-A", "\u00e9", b"X-A: \xe9"),
        ("X-A", "\u20ac", b"X-A: \xe2\x82\xac"),
        ("X A", "b", None),
        ("X-A\r\nX-Evil", "b", None),
        ("", "b", None),
        ("Content-Length", "7", None),
        ("connection", "close", None),
        ("Transfer-Encoding", "chunked", None),
    ],
)
def test_no_header_breaks_out(name: str, value: str, line: bytes | None) -> None:
    """S-30."""
    lines = _lines(responses.head(200, None, 0, "id", [(name, value)]))
    assert lines[3:] == [*([] if line is None else [line]), b""]
    content_type = _lines(responses.head(200, value, 0, "id"))[2]
    assert b"\r" not in content_type
    assert b"\n" not in content_type


def test_an_error() -> None:
    """S-44."""
    assert json.loads(responses.error(500, "KeyError", "a\nb")) == {"error": "KeyError", "error-message": "a\nb"}
