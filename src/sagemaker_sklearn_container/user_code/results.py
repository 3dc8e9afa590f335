"""What the user's functions return, as answers to a client."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.codecs import media_types
from sagemaker_sklearn_container.errors import ResultError
from sagemaker_sklearn_container.user_code import headers


class Response(NamedTuple):
    """An answer to a client.

    Attributes:
        body: Bytes to send.
        content_type: Value of the Content-Type header; None sends no such header.
        status: HTTP status code.
        headers: Further header names and values, in order.
    """

    body: bytes
    content_type: str | None
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


def is_response(value: Any) -> bool:
    """Whether `value` is an answer already: ours, or a response object in the style of Werkzeug and Flask.

    Source: contract U-28, U-29.
    """
    if isinstance(value, Response):
        return True
    return hasattr(value, "status_code") and hasattr(value, "headers") and hasattr(value, "get_data")


def from_output(result: Any, accept: str, function: str = "output_fn") -> Response:
    """The answer that the result of output_fn or transform_fn stands for.

    Args:
        result: Response object, (body, content_type) tuple, or bare str or bytes.
        accept: The accepted media type; bare bodies are sent as that.
        function: Name of the function that gave the result, for errors.

    Raises:
        ResultError: None or anything else (status 500).

    Source: contract U-28, U-31.
    """
    if is_response(result):
        return _adopt(result)
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], str):
        body, content_type = result
    else:
        body, content_type = result, _sent_type(accept)
    if not isinstance(body, (str, bytes, bytearray)):
        raise ResultError(
            f"{function} returned {_described(result)}; it must return str, bytes, a tuple (str or bytes, content "
            "type), or a response object."
        )
    return Response(_as_bytes(body), content_type)


def from_execution_parameters(result: Any) -> Response:
    """The answer that execution_parameters_fn's result stands for.

    Args:
        result: Response object, str or bytes of JSON, dict, or (one of these, status) tuple.

    Raises:
        ResultError: None or anything else (status 500).

    Source: contract U-24, S-33.
    """
    if is_response(result):
        return _adopt(result)
    body, status = result if isinstance(result, tuple) and len(result) == 2 else (result, 200)
    if isinstance(body, dict):
        body = json.dumps(body)
    if not isinstance(body, (str, bytes, bytearray)) or not isinstance(status, int):
        raise ResultError(
            f"execution_parameters_fn returned {_described(result)}; it must return a dict, JSON text, a tuple (dict "
            "or text, status), or a response object."
        )
    return Response(_as_bytes(body), contract.JSON, status)


def _adopt(value: Any) -> Response:
    if isinstance(value, Response):
        return value
    try:
        pairs = [headers.checked(str(name), text) for name, text in value.headers.items()]
    except ValueError as exc:  # one that cannot be sent would end the connection without an answer
        raise ResultError(f"The script returned a response object that cannot be sent. {exc}") from exc
    types = [text for name, text in pairs if name.lower() == "content-type"]
    others = tuple(pair for pair in pairs if pair[0].lower() != "content-type" and not headers.is_servers_own(pair[0]))
    return Response(_as_bytes(value.get_data()), types[0] if types else None, int(value.status_code), others)


def _sent_type(accept: str) -> str:
    """The first accepted type as the type of what is sent; a wildcard names none."""
    first = accept.split(",")[0].strip()
    return contract.JSON if not first or "*" in media_types.essence(first) else first


def _as_bytes(body: str | bytes | bytearray) -> bytes:
    return body.encode("utf-8") if isinstance(body, str) else bytes(body)


def _described(result: Any) -> str:
    return "None" if result is None else f"an object of type {type(result).__name__}"
