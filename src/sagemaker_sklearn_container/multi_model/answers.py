"""What the server of many models says by itself: JSON, never to be kept by a cache."""

from __future__ import annotations

import json
from typing import Mapping

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.gateway import responses
from sagemaker_sklearn_container.gateway.request import HttpRequest
from sagemaker_sklearn_container.processes.messages import ResponsePacket

# Of every answer (M-22).
HEADERS = (
    ("Pragma", "no-cache"),
    ("Cache-Control", "no-cache; no-store, must-revalidate, private"),
    ("Expires", "Thu, 01 Jan 1970 00:00:00 UTC"),
)


def answer(request: HttpRequest, content: Mapping[str, object], status: int = 200) -> None:
    """Answer with a JSON object."""
    body = json.dumps(content).encode("ascii")
    head = responses.head(status, contract.JSON, len(body), request.request_id.decode("ascii"), HEADERS)
    request.respond(ResponsePacket(status, head, body))


def error_body(status: int, kind: str, message: str) -> bytes:
    """The body of an error's answer.

    Source: contract M-17.
    """
    return json.dumps({"code": status, "type": kind, "message": message}).encode("ascii")
