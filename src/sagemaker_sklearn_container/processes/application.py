"""What a model answers: from a request to a response, in a worker, without sockets."""

from __future__ import annotations

import json
import logging
from typing import Any, Callable, Mapping

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.errors import NotFoundError, RequestError, ResultError
from sagemaker_sklearn_container.gateway import responses
from sagemaker_sklearn_container.processes.messages import Request
from sagemaker_sklearn_container.processes.tasks import EXECUTION_PARAMETERS, INVOKE
from sagemaker_sklearn_container.user_code import results
from sagemaker_sklearn_container.user_code.handlers import Handlers
from sagemaker_sklearn_container.user_code.results import Response

logger = logging.getLogger(__name__)

# What an endpoint's client can be told; 1xx would announce a further answer.
_STATUSES = range(200, 600)
# A response's head must fit into one packet, along with a short body.
_MAX_HEAD_BYTES = 48 * 1024


class Application:
    """Answers requests with the handlers, and their failures with statuses.

    Source: contract S-20 to S-28, S-33, S-40 to S-44, S-49, B-04.
    """

    def __init__(
        self,
        handlers: Handlers,
        model: Any,
        batch_defaults: Mapping[str, object] | None = None,
        error_body: Callable[[int, str, str], bytes] = responses.error,
        headers: tuple[tuple[str, str], ...] = (),
        out_of_memory: int = 500,
    ) -> None:
        """An application that serves `model`, which is loaded already.

        Args:
            handlers: The functions that answer.
            model: What `handlers.load` returned.
            batch_defaults: What /execution-parameters answers when the user defines no function; None answers 404.
            error_body: Makes the body of an error's answer out of status, kind and message.
            headers: Further headers of every answer.
            out_of_memory: Status when there is no memory for a prediction.
        """
        self._error_body = error_body
        self._headers = headers
        self._out_of_memory = out_of_memory
        self._handlers = handlers
        self._model = model
        self._batch_defaults = batch_defaults
        self._tasks: Mapping[int, Callable[[Request], Response]] = {
            INVOKE: self._invoke,
            EXECUTION_PARAMETERS: self._execution_parameters,
        }

    def answer(self, request: Request) -> tuple[int, bytes, bytes]:
        """The response to one request.

        Returns:
            Status; status line and headers without the empty line; body.
        """
        try:
            return self._encoded(request, self._tasks[request.kind](request))
        except RequestError as exc:
            level = logging.ERROR if exc.status >= 500 else logging.WARNING
            # A client's mistake is told in one line; what is wrong here can be anywhere in the script.
            frames = exc if exc.status >= 500 or exc.has_frames else None
            text = "Request %s: %d %s: %s"
            logger.log(level, text, request.request_id, exc.status, exc.kind, exc, exc_info=frames)
            return self._failed(request, exc.status, exc)
        except BaseException as exc:  # the user's functions may call sys.exit; the worker lives on
            logger.exception("Request %s: the user's code raised an exception", request.request_id)
            return self._failed(request, self._out_of_memory if isinstance(exc, MemoryError) else 500, exc)

    def _invoke(self, request: Request) -> Response:
        return self._handlers.invoke(self._model, request.body, request.content_type, request.accept, request.headers)

    def _execution_parameters(self, request: Request) -> Response:
        function = self._handlers.execution_parameters_fn
        if function is not None:
            return results.from_execution_parameters(function())
        if self._batch_defaults is not None:
            return Response(json.dumps(self._batch_defaults).encode("utf-8"), contract.JSON)
        raise NotFoundError("The script defines no execution_parameters_fn.")

    def _encoded(self, request: Request, response: Response) -> tuple[int, bytes, bytes]:
        status = response.status
        if status not in _STATUSES:
            raise ResultError(f"The script answered with status {status!r}; it must be from 200 to 599.")
        body = b"" if status in responses.BODILESS else response.body
        head = responses.head(
            status, response.content_type, len(body), request.request_id, response.headers + self._headers
        )
        if len(head) > _MAX_HEAD_BYTES:
            raise ResultError(
                f"The headers of the answer take {len(head)} bytes; at most {_MAX_HEAD_BYTES} can be sent."
            )
        return status, head, body

    def _failed(self, request: Request, status: int, error: BaseException) -> tuple[int, bytes, bytes]:
        """The answer to a request that failed."""
        try:
            message = str(error)
        except Exception as exc:  # an exception class of the user's
            message = f"(its text cannot be had: {type(exc).__name__})"
        kind = error.kind if isinstance(error, RequestError) else type(error).__name__
        body = self._error_body(status, kind, message)
        return status, responses.error_head(status, len(body), request.request_id, self._headers), body
