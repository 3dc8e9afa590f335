"""The WSGI application that answers for one model."""

from __future__ import annotations

import http
import json
import logging
from typing import Any, Callable, Iterable, Mapping

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.errors import MethodNotAllowedError, NotFoundError, RequestError
from sagemaker_sklearn_container.single_model.request import Request, parse, read_body
from sagemaker_sklearn_container.single_model.timeout import InvocationTimeout
from sagemaker_sklearn_container.user_code import results
from sagemaker_sklearn_container.user_code.handlers import Handlers
from sagemaker_sklearn_container.user_code.results import Response

logger = logging.getLogger(__name__)

Environ = Mapping[str, Any]
StartResponse = Callable[..., Any]
Route = Callable[[Request, Environ], Response]

EMPTY = Response(b"", None)


class Application:
    """Routes requests to the handlers and their failures to statuses.

    Source: contract S-20 to S-28, S-33, S-40 to S-44, S-47.
    """

    def __init__(self, handlers: Handlers, model: Any, default_accept: str, max_body_bytes: int | None = None) -> None:
        """An application that serves `model`, which is loaded already.

        Args:
            handlers: The functions that answer.
            model: What model_fn returned.
            default_accept: Media type of answers when the client asks for none.
            max_body_bytes: Longest request body, None for no limit.
        """
        self._handlers = handlers
        self._model = model
        self._default_accept = default_accept
        self._max_body_bytes = max_body_bytes
        self._routes: Mapping[str, Mapping[str, Route]] = {
            "/ping": {"GET": self._ping, "HEAD": self._ping},
            "/invocations": {"POST": self._invoke},
            "/execution-parameters": {"GET": self._execution_parameters, "HEAD": self._execution_parameters},
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, as PEP 3333 has it."""
        request = parse(environ, self._default_accept)
        response = self._answer(request, environ)
        headers = [("Content-Length", str(len(response.body))), ("X-Request-Id", request.request_id), *response.headers]
        if response.content_type is not None:
            headers.append(("Content-Type", response.content_type))
        start_response(_status_line(response.status), headers)
        return [b"" if request.method == "HEAD" else response.body]

    def _answer(self, request: Request, environ: Environ) -> Response:
        try:
            return self._route(request)(request, environ)
        except RequestError as exc:
            logger.warning("Request %s: %d %s: %s", request.request_id, exc.status, type(exc).__name__, exc)
            return _error(exc.status, exc, _allow(self._routes.get(request.path, {})) if exc.status == 405 else ())
        except InvocationTimeout as exc:
            logger.error("Request %s: %s", request.request_id, exc)
            return _error(exc.status, exc)
        except (Exception, SystemExit) as exc:  # the user's functions may call sys.exit; the worker lives on
            logger.exception("Request %s: the user's code raised an exception", request.request_id)
            return _error(500, exc)

    def _route(self, request: Request) -> Route:
        methods = self._routes.get(request.path)
        if methods is None:
            raise NotFoundError(f"There is no {request.path}; paths: {', '.join(self._routes)}.")
        if request.method == "OPTIONS":
            return lambda request, environ: Response(b"", None, 200, _allow(methods))
        if request.method not in methods:
            raise MethodNotAllowedError(
                f"{request.path} does not answer {request.method}; methods: {', '.join(methods)}."
            )
        return methods[request.method]

    def _ping(self, request: Request, environ: Environ) -> Response:
        return EMPTY

    def _invoke(self, request: Request, environ: Environ) -> Response:
        body = read_body(environ, self._max_body_bytes)
        return self._handlers.invoke(self._model, body, request.content_type, request.accept, _headers(environ))

    def _execution_parameters(self, request: Request, environ: Environ) -> Response:
        if self._handlers.execution_parameters_fn is None:
            raise NotFoundError("The script defines no execution_parameters_fn.")
        return results.from_execution_parameters(self._handlers.execution_parameters_fn())


def _error(status: int, error: BaseException, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """The answer to a request that failed: JSON with the class and the message, never frames."""
    body = json.dumps({"error": type(error).__name__, "error-message": str(error)})
    return Response(body.encode("utf-8"), contract.JSON, status, headers)


def _headers(environ: Environ) -> dict[str, str]:
    """The request's headers; a WSGI environment has their names in capitals, and apart from others by a prefix."""
    names = {key: key[len("HTTP_") :] for key in environ if key.startswith("HTTP_")}
    names.update({key: key for key in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(key)})
    return {name.replace("_", "-").title(): environ[key] for key, name in names.items()}


def _allow(methods: Mapping[str, Route]) -> tuple[tuple[str, str], ...]:
    return (("Allow", ", ".join([*methods, "OPTIONS"])),)


def _status_line(status: int) -> str:
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Status {status}"
