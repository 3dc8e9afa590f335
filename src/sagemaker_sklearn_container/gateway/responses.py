"""Responses as bytes: heads that no header value can break out of, and errors as JSON."""

from __future__ import annotations

import http
import json
import re
import time
from typing import Iterable

from sagemaker_sklearn_container import contract

# Who may set them: the server alone, for they are about the connection or the message's length (RFC 9110, 7.6.1).
_OWN_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "proxy-authenticate",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-request-id",
    }
)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]+")
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in http.HTTPStatus}
# Statuses whose responses have no body, whatever the user's code gave.
BODILESS = frozenset({204, 304})


class _Clock:
    """The Date header, made once a second."""

    def __init__(self) -> None:
        self._second = -1
        self._line = ""

    def line(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second = second
            stamp = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(second))
            self._line = f"Date: {stamp}\r\n"
        return self._line


_clock = _Clock()


def head(
    status: int,
    content_type: str | None,
    body_length: int,
    request_id: str,
    headers: Iterable[tuple[str, str]] = (),
) -> bytes:
    """Status line and headers of a response, each with its line's end, without the empty line.

    Args:
        status: 200 to 599.
        content_type: Value of that header; None sends none.
        body_length: Bytes.
        request_id: Value of X-Request-Id: printable ASCII.
        headers: Further names and values. Names that are none, and those of the server's own headers, are left out;
            in values control characters, line ends among them, become spaces.

    Source: contract S-30, S-32.
    """
    line = _STATUS_LINES.get(status) or f"HTTP/1.1 {status} Status {status}\r\n"
    length = "" if status == 204 else f"Content-Length: {body_length}\r\n"
    kind = "" if content_type is None else f"Content-Type: {_value(content_type)}\r\n"
    text = f"{line}{_clock.line()}{length}{kind}X-Request-Id: {request_id}\r\n"
    for name, value in headers:
        if _TOKEN.fullmatch(name) and name.lower() not in _OWN_HEADERS:
            text += f"{name}: {_value(value)}\r\n"
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8")


def error(status: int, kind: str, message: str) -> bytes:
    """The body of the answer to a request that failed: JSON with the class and the message, never frames (S-44)."""
    return json.dumps({"error": kind, "error-message": message}).encode("utf-8")


def error_head(status: int, body_length: int, request_id: str, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """The head that goes with an `error` body."""
    return head(status, contract.JSON, body_length, request_id, headers)


def _value(text: str) -> str:
    if text.isprintable():
        return text
    return _CONTROL_CHARACTERS.sub(" ", text)
