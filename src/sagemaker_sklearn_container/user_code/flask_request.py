"""`flask.request` for scripts that use it; Flask is not part of the container, so their requirements.txt brings it."""

from __future__ import annotations

import contextlib
import functools
import sys
from types import ModuleType
from typing import Any, ContextManager, Mapping

# Flask reads these from arguments of their own.
_GIVEN_APART = ("content-type", "content-length")


def request_context(
    body: bytes, content_type: str, accept: str, headers: Mapping[str, str] | None
) -> ContextManager[Any]:
    """A context in which `flask.request` is the request, if the script has imported Flask; else one without effect.

    Args:
        body: Request body as received.
        content_type: Content type that the functions are given.
        accept: Accepted types that the functions are given; taken if the request names none.
        headers: All headers of the request.

    Source: contract U-46, S-30.
    """
    flask = sys.modules.get("flask")
    if flask is None:
        return contextlib.nullcontext()
    sent = {name: value for name, value in (headers or {}).items() if name.lower() not in _GIVEN_APART}
    if not any(name.lower() == "accept" for name in sent):
        sent["Accept"] = accept
    context: ContextManager[Any] = _application(flask).test_request_context(
        "/invocations", method="POST", data=body, content_type=content_type, headers=sent
    )
    return context


@functools.lru_cache(maxsize=1)
def _application(flask: ModuleType) -> Any:
    return flask.Flask(__name__)
