"""`flask.request` for scripts that use it; Flask is not part of the container, so their requirements.txt brings it."""

from __future__ import annotations

import functools
import io
import sys
from types import ModuleType
from typing import Any, ContextManager, Mapping

# Flask reads these from arguments of their own.
_GIVEN_APART = ("content-type", "content-length")


def is_used() -> bool:
    """Whether the script has imported Flask."""
    return "flask" in sys.modules


def request_context(
    body: bytes | memoryview, content_type: str, accept: str, headers: Mapping[str, str] | None
) -> ContextManager[Any]:
    """A context in which `flask.request` is the request; to be asked for if Flask `is_used`.

    Args:
        body: Request body as received; it is copied when the script asks for it, not before.
        content_type: Content type that the functions are given.
        accept: Accepted types that the functions are given; taken if the request names none.
        headers: All headers of the request.

    Source: contract U-46, S-30.
    """
    sent = {name: value for name, value in (headers or {}).items() if name.lower() not in _GIVEN_APART}
    if not any(name.lower() == "accept" for name in sent):
        sent["Accept"] = accept
    context: ContextManager[Any] = _application(sys.modules["flask"]).test_request_context(
        "/invocations",
        method="POST",
        input_stream=io.BufferedReader(_Stream(body)),
        content_length=len(body),
        content_type=content_type,
        headers=sent,
    )
    return context


class _Stream(io.RawIOBase):
    """A file of the bytes of a view; what is read is a copy."""

    def __init__(self, body: bytes | memoryview) -> None:
        self._body = memoryview(body)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._body)}[whence] + offset
        return self._at

    def readinto(self, target: Any) -> int:
        part = self._body[self._at : self._at + len(target)]
        target[: len(part)] = part
        self._at += len(part)
        return len(part)


@functools.lru_cache(maxsize=1)
def _application(flask: ModuleType) -> Any:
    return flask.Flask(__name__)
