"""The answer to a request; and the names of the class that served and of the request, which are the server's business.

Source: contract U-41.
"""

from __future__ import annotations

import json
import warnings
from http import HTTPStatus
from typing import Any, Iterable, Mapping

from sagemaker_containers.beta.framework import content_types
from sagemaker_containers.beta.framework.headers import Headers
from sagemaker_training import unavailable

_INSTEAD = "Define input_fn and output_fn in the script; the container calls them with the request's body and types"

# Types that are text, beside text/* and *+xml, and are therefore sent with their charset.
_TEXT_TYPES = frozenset(
    {
        "application/ecmascript",
        "application/javascript",
        "application/sql",
        "application/xml",
        "application/xml-dtd",
        "application/xml-external-parsed-entity",
    }
)


class Response:
    """An answer to a client, with the parts of Flask's response object that scripts use.

    Attributes:
        headers: Names and values.

    Source: contract U-41, D-3.
    """

    default_mimetype = content_types.JSON
    charset = "utf-8"

    def __init__(
        self,
        response: str | bytes | bytearray | Iterable[str | bytes] | None = None,
        accept: str | None = None,
        status: int | str | None = HTTPStatus.OK,
        headers: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
        mimetype: str | None = None,
        direct_passthrough: bool = False,
    ) -> None:
        """An answer.

        Args:
            response: Body; text is sent as UTF-8, several pieces one after the other.
            accept: Has no meaning any more.
            status: Code, or code and phrase; None is 200.
            headers: Names and values.
            mimetype: Of the body; for text its charset is added. Without it a Content-Type in `headers` stays, and
                without that the body is JSON.
            direct_passthrough: Has no meaning here.

        Raises:
            TypeError: the body is neither text, bytes, nor pieces of these.
            ValueError: the status begins with no number, or a header has a line break.
        """
        if accept:
            warnings.warn(
                "The argument accept of Response has no meaning; leave it out, and give mimetype by its name.",
                DeprecationWarning,
                stacklevel=2,
            )
        self.headers = Headers(headers)
        if mimetype is not None or "Content-Type" not in self.headers:
            self.mimetype = mimetype or self.default_mimetype
        self._status = _status_line(HTTPStatus.OK if status is None else status)
        self._body = b""
        if response is not None:
            self.set_data(response)

    def __repr__(self) -> str:
        return f"<Response {len(self._body)} bytes [{self.status}]>"

    @property
    def status_code(self) -> int:
        """HTTP status code."""
        return int(self._status.split()[0])

    @status_code.setter
    def status_code(self, code: int) -> None:
        self._status = _status_line(code)

    @property
    def status(self) -> str:
        """HTTP status code and phrase; a code alone can be set, too."""
        return self._status

    @status.setter
    def status(self, status: str) -> None:
        self._status = _status_line(status)

    @property
    def data(self) -> bytes:
        """The body; text can be set, too."""
        return self._body

    @data.setter
    def data(self, value: str | bytes) -> None:
        self.set_data(value)

    @property
    def response(self) -> list[bytes]:
        """The body in pieces, of which there is one."""
        return [self._body]

    def get_data(self, as_text: bool = False) -> Any:
        """The body: bytes, or str if `as_text`."""
        return self._body.decode(self.charset) if as_text else self._body

    def set_data(self, value: str | bytes | bytearray | Iterable[str | bytes]) -> None:
        """Replace the body, and with it Content-Length.

        Raises:
            TypeError: `value` is neither text, bytes, nor pieces of these.
        """
        pieces = [value] if isinstance(value, (str, bytes, bytearray)) else _pieces(value)
        self._body = b"".join(piece.encode(self.charset) if isinstance(piece, str) else piece for piece in pieces)
        self.headers.set("Content-Length", len(self._body))

    @property
    def content_length(self) -> int:
        """Length of the body in bytes."""
        return len(self._body)

    @property
    def content_type(self) -> str | None:
        """The Content-Type header, None if there is none."""
        content_type: str | None = self.headers.get("Content-Type")
        return content_type

    @content_type.setter
    def content_type(self, value: str) -> None:
        self.headers.set("Content-Type", value)

    @property
    def mimetype(self) -> str | None:
        """The Content-Type header without parameters; setting it adds the charset for text."""
        return None if self.content_type is None else self.content_type.partition(";")[0].strip().lower()

    @mimetype.setter
    def mimetype(self, value: str) -> None:
        is_text = value.startswith("text/") or value.endswith("+xml") or value in _TEXT_TYPES
        # A charset that the script wrote itself stands.
        has_charset = "charset=" in value.lower()
        self.content_type = f"{value}; charset={self.charset}" if is_text and not has_charset else value

    @property
    def is_json(self) -> bool:
        """Whether the Content-Type header says JSON."""
        mimetype = self.mimetype or ""
        return mimetype == content_types.JSON or (mimetype.startswith("application/") and mimetype.endswith("+json"))

    @property
    def json(self) -> Any:
        """The value of a JSON body, None if the Content-Type is another."""
        return self.get_json()

    def get_json(self, force: bool = False) -> Any:
        """The value of a JSON body, None if the Content-Type is another and not `force`.

        Raises:
            ValueError: the body is no JSON.
        """
        return json.loads(self._body) if force or self.is_json else None


class Request:
    """Cannot be made here; stays importable."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        """Refuse."""
        raise unavailable.refusal("worker.Request", _INSTEAD)


class Worker:
    """Cannot be made here; stays importable."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        """Refuse."""
        raise unavailable.refusal("worker.Worker", _INSTEAD)


def default_healthcheck_fn() -> Response:
    """An empty answer with status 200."""
    return Response(status=HTTPStatus.OK)


def _status_line(status: int | str) -> str:
    """Code and phrase."""
    line = status if isinstance(status, str) else f"{int(status)} {_phrase(int(status))}"
    if not line.partition(" ")[0].isdigit():
        raise ValueError(f"The status is {status!r}; it must be a number such as 200, or number and phrase.")
    return line


def _phrase(code: int) -> str:
    try:
        return HTTPStatus(code).phrase.upper()
    except ValueError:
        return "UNKNOWN"


def _pieces(value: Any) -> list[str | bytes]:
    pieces = list(value) if isinstance(value, Iterable) and not isinstance(value, Mapping) else [value]
    if not all(isinstance(piece, (str, bytes)) for piece in pieces):
        raise TypeError(
            f"The body of the response is an object of type {type(value).__name__}; it must be str or bytes, or an "
            "iterable of these. Write it as text with json.dumps or encoders.encode."
        )
    return pieces
