"""Which paths and methods there are, and who answers them."""

from __future__ import annotations

from typing import Mapping, NamedTuple
from urllib.parse import unquote_to_bytes

from sagemaker_sklearn_container.errors import MethodNotAllowedError, NotFoundError, RequestError

# The kind of task that needs no worker: 200 without a body.
NOTHING = 0

# How many different request targets are remembered: a client that invents new ones must not fill the memory.
_REMEMBERED = 256


class Target(NamedTuple):
    """What a request line asks for.

    Attributes:
        kind: Number of the task for a worker, or NOTHING.
        path: Decoded, without the query string.
        error: Why there is nothing to do, or None.
        headers: Of the gateway's own answer.
    """

    kind: int
    path: str
    error: RequestError | None = None
    headers: tuple[tuple[str, str], ...] = ()


class Routes:
    """A table of paths.

    Source: contract S-20, S-21.
    """

    def __init__(self, table: Mapping[str, Mapping[str, int]]) -> None:
        """Routes as a table of kinds of tasks by path and method."""
        self._table = table
        self._found: dict[tuple[bytes, bytes], Target] = {}

    def find(self, method: bytes, url: bytes) -> Target:
        """What a request line asks for; query strings are ignored."""
        key = (method, url)
        target = self._found.get(key)
        if target is None:
            target = self._find(method.decode("latin-1"), _path(url))
            if len(self._found) < _REMEMBERED and target.error is None:
                self._found[key] = target
        return target

    def _find(self, method: str, path: str) -> Target:
        methods = self._table.get(path)
        if methods is None:
            shown = path if len(path) <= 200 else path[:200] + "..."
            return Target(NOTHING, path, NotFoundError(f"There is no {shown}; paths: {', '.join(self._table)}."))
        allow = (("Allow", ", ".join([*methods, "OPTIONS"])),)
        if method == "OPTIONS":
            return Target(NOTHING, path, None, allow)
        if method not in methods:
            text = f"{path} does not answer {method}; methods: {', '.join(methods)}."
            return Target(NOTHING, path, MethodNotAllowedError(text), allow)
        return Target(methods[method], path)


def _path(url: bytes) -> str:
    path = url.partition(b"?")[0].partition(b"#")[0]
    if not path.startswith(b"/") and b"://" in path:  # the form that proxies are sent
        path = b"/" + path.partition(b"://")[2].partition(b"/")[2]
    return unquote_to_bytes(path).decode("utf-8", errors="replace")
