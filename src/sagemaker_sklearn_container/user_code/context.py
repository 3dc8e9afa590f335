"""What a function of the script may know about its request beside body and types, and say about the answer.

The names are those that scripts know from the Multi Model Server's context; there, too, every request has its own. One
request is answered at a time, so the index `idx`, which the methods keep for such scripts, is always 0.
"""

from __future__ import annotations

from typing import Any, Mapping

from sagemaker_sklearn_container.request_headers import RequestHeaders
from sagemaker_sklearn_container.user_code import headers
from sagemaker_sklearn_container.user_code.results import Response


class RequestProcessor:
    """The request's headers and the answer's, under the names of the Multi Model Server.

    Source: contract U-26.
    """

    def __init__(self, request_headers: Mapping[str, str] | None) -> None:
        """A request with these headers, whose answer has nothing set yet."""
        self._request_headers = RequestHeaders.of(request_headers)
        self._response_headers: dict[str, tuple[str, str]] = {}
        self._status: int | None = None
        self._content_type: str | None = None

    def get_request_property(self, key: str) -> str | None:
        """The value of a request header, None if there is none; case does not matter."""
        return self._request_headers.get(key)

    def get_request_properties(self) -> RequestHeaders:
        """All request headers."""
        return self._request_headers

    def report_status(self, code: int, reason_phrase: str | None = None) -> None:
        """Set the status code of the answer; the phrase is always HTTP's own.

        Raises:
            ValueError: `code` is no final HTTP status code.
        """
        if isinstance(code, bool) or not isinstance(code, int) or not 200 <= code <= 599:
            raise ValueError(f"Setting the status of the response: it is {code!r}; it must be a number, 200 to 599.")
        self._status = int(code)

    def add_response_property(self, key: str, value: object) -> None:
        """Set a header of the answer, in place of an earlier one of the same name.

        Raises:
            ValueError: the name or the value cannot be sent, or the server sets this header itself.
        """
        name, text = headers.checked(key, value)
        if headers.is_servers_own(name):
            raise ValueError(f"Setting the response header {name}: the server sets it; leave it out.")
        if name.lower() == "content-type":
            self._content_type = text
        else:
            self._response_headers[name.lower()] = (name, text)

    def get_response_headers(self) -> dict[str, str]:
        """The headers set so far."""
        return dict(self._response_headers.values())

    def get_response_header(self, key: str) -> str | None:
        """The value of a header of the answer, None if it is not set; case does not matter."""
        if key.lower() == "content-type":
            return self._content_type
        return self._response_headers.get(key.lower(), (key, None))[1]

    def completed(self, response: Response, own: bool) -> Response:
        """`response` with what was set here.

        Args:
            response: The answer so far.
            own: Whether the script made the response object itself: then its status, content type and headers stay,
                and only headers it does not have are added (U-28).
        """
        present = {name.lower() for name, _ in response.headers} if own else set()
        added = tuple(pair for name, pair in self._response_headers.items() if name not in present)
        if own:
            return response._replace(headers=response.headers + added) if added else response
        return response._replace(
            status=response.status if self._status is None else self._status,
            content_type=response.content_type if self._content_type is None else self._content_type,
            headers=response.headers + added,
        )


class Context:
    """The context of one request, or of loading the model: then there are no headers, and what is set goes nowhere.

    Attributes:
        system_properties: Dictionary with `model_dir`, `model_name`, `gpu_id` (None) and `batch_size` (1).
        model_name: Name of the model.
        request_processor: List of the one RequestProcessor.

    Source: contract U-26, S-30, S-31.
    """

    def __init__(self, model_dir: str, model_name: str, request_headers: Mapping[str, str] | None = None) -> None:
        """A new context; without headers that of loading the model."""
        self.system_properties: dict[str, Any] = {
            "model_dir": model_dir,
            "model_name": model_name,
            "gpu_id": None,
            "batch_size": 1,
        }
        self.model_name = model_name
        self.request_processor = [RequestProcessor(request_headers)]

    @property
    def request_headers(self) -> RequestHeaders:
        """The request's headers; names are found in any case."""
        return self.request_processor[0].get_request_properties()

    def get_request_id(self, idx: int = 0) -> str | None:
        """The request's X-Request-Id, None if it has none."""
        return self.request_processor[idx].get_request_property("X-Request-Id")

    def get_request_header(self, idx: int, key: str) -> str | None:
        """The value of a request header, None if there is none; case does not matter."""
        return self.request_processor[idx].get_request_property(key)

    def get_all_request_header(self, idx: int) -> RequestHeaders:
        """All request headers."""
        return self.request_processor[idx].get_request_properties()

    def set_response_status(self, code: int = 200, phrase: str = "", idx: int = 0) -> None:
        """Set the status code of the answer; the phrase is always HTTP's own.

        Raises:
            ValueError: `code` is no final HTTP status code.
        """
        self.request_processor[idx].report_status(code, phrase)

    def set_all_response_status(self, code: int = 200, phrase: str = "") -> None:
        """The same as `set_response_status`, for there is one request."""
        self.set_response_status(code, phrase)

    def set_response_content_type(self, idx: int, value: str) -> None:
        """Set the media type of the answer, in place of the accepted one and of one returned beside the body.

        Raises:
            ValueError: the value cannot be sent.
        """
        self.request_processor[idx].add_response_property("Content-Type", value)

    def get_response_content_type(self, idx: int) -> str | None:
        """The media type set so far, None if none is."""
        return self.request_processor[idx].get_response_header("Content-Type")

    def set_response_header(self, idx: int, key: str, value: object) -> None:
        """Set a header of the answer, in place of an earlier one of the same name.

        Raises:
            ValueError: the name or the value cannot be sent, or the server sets this header itself.
        """
        self.request_processor[idx].add_response_property(key, value)

    def get_response_headers(self, idx: int) -> dict[str, str]:
        """The headers set so far, beside the media type."""
        return self.request_processor[idx].get_response_headers()
