"""One HTTP request, as far as inference needs to know it."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any, Mapping

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.errors import DecodeError, PayloadTooLargeError

# What may be repeated in a response header and a log line.
_SAFE_ID = re.compile(r"[\x21-\x7e]{1,128}")


@dataclass(frozen=True)
class Request:
    """One HTTP request.

    Attributes:
        method: Such as POST.
        path: Without the query string.
        content_type: Raw value; the `ContentType` header, else `Content-Type`, else application/json (S-23).
        accept: Raw value; the server's default if missing, empty or `*/*` (S-26).
        request_id: The client's X-Request-Id, or a new one.
    """

    method: str
    path: str
    content_type: str
    accept: str
    request_id: str


def parse(environ: Mapping[str, Any], default_accept: str) -> Request:
    """The request in a WSGI environment.

    Source: contract S-20, S-22, S-23, S-26.
    """
    accept = environ.get("HTTP_ACCEPT", "")
    request_id = environ.get("HTTP_X_REQUEST_ID", "")
    return Request(
        method=environ["REQUEST_METHOD"],
        path=environ.get("PATH_INFO", ""),
        content_type=environ.get("HTTP_CONTENTTYPE") or environ.get("CONTENT_TYPE") or contract.JSON,
        accept=default_accept if accept.strip() in ("", contract.ANY) else accept,
        request_id=request_id if _SAFE_ID.fullmatch(request_id) else str(uuid.uuid4()),
    )


def read_body(environ: Mapping[str, Any], max_bytes: int | None) -> bytes:
    """The request body, sent with a length or chunked.

    Args:
        environ: WSGI environment.
        max_bytes: Longest body to accept, None for no limit.

    Raises:
        PayloadTooLargeError: it is longer (status 413).
        DecodeError: the connection ended before the promised length (status 400).

    Source: contract S-28, S-29, S-47.
    """
    length = environ.get("CONTENT_LENGTH") or None
    if max_bytes is not None and length is not None and int(length) > max_bytes:
        raise _too_large(max_bytes)
    body: bytes = environ["wsgi.input"].read() if max_bytes is None else environ["wsgi.input"].read(max_bytes + 1)
    if max_bytes is not None and len(body) > max_bytes:
        raise _too_large(max_bytes)
    if length is not None and len(body) != int(length):
        raise DecodeError(f"The request body ended after {len(body)} bytes; Content-Length promised {length}.")
    return body


def _too_large(max_bytes: int) -> PayloadTooLargeError:
    return PayloadTooLargeError(
        f"The request body is longer than {max_bytes} bytes, the limit set by {contract.MAX_CONTENT_LENGTH} or "
        f"{contract.MAX_PAYLOAD_IN_MB}."
    )
