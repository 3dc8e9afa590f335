"""Which paths and methods there are, and who answers them."""

from __future__ import annotations

from typing import Mapping, NamedTuple
from urllib.parse import unquote_to_bytes

from sagemaker_sklearn_container.errors import MethodNotAllowedError, NotFoundError, RequestError

# The kind of task that needs no worker: 200 without a body.
NOTHING = 0

# Any text, as a segment of a path.
NAME = "{name}"

# How many different request targets are remembered: a client that invents new ones must not fill the memory.
_REMEMBERED = 256


class Target(NamedTuple):
    """What a request line asks for.

    Attributes:
        kind: Number of the task for a worker or the site, or NOTHING.
        path: Decoded, without the query string.
        error: Why there is nothing to do, or None.
        headers: Of the gateway's own answer.
        name: What stands for NAME in the path, decoded.
        query: What follows the question mark, as sent.
    """

    kind: int
    path: str
    error: RequestError | None = None
    headers: tuple[tuple[str, str], ...] = ()
    name: str = ""
    query: str = ""


class Routes:
    """A table of paths.

    Source: contract S-20, S-21, M-04.
    """

    def __init__(self, table: Mapping[str, Mapping[str, int]]) -> None:
        """Routes as a table of kinds of tasks by path and method; one segment of a path may be NAME, for any text."""
        self._table = [(path, path.split("/"), methods) for path, methods in table.items()]
        self._found: dict[tuple[bytes, bytes], Target] = {}

    def find(self, method: bytes, url: bytes) -> Target:
        """What a request line asks for."""
        key = (method, url)
        target = self._found.get(key)
        if target is None:
            path, _, query = url.partition(b"#")[0].partition(b"?")
            target = self._find(method.decode("latin-1"), _segments(path), query.decode("latin-1"))
            if len(self._found) < _REMEMBERED and target.error is None:
                self._found[key] = target
        return target

    def _find(self, method: str, segments: list[str], query: str) -> Target:
        path = "/".join(segments)
        found = next(((pattern, methods) for _, pattern, methods in self._table if _same(pattern, segments)), None)
        if found is None:
            shown = path if len(path) <= 200 else path[:200] + "..."
            paths = ", ".join(known for known, _, _ in self._table)
            return Target(NOTHING, path, NotFoundError(f"There is no {shown}; paths: {paths}."))
        pattern, methods = found
        name = next((segment for part, segment in zip(pattern, segments) if part == NAME), "")
        allow = (("Allow", ", ".join([*methods, "OPTIONS"])),)
        if method == "OPTIONS":
            return Target(NOTHING, path, None, allow, name, query)
        if method not in methods:
            text = f"{path} does not answer {method}; methods: {', '.join(methods)}."
            return Target(NOTHING, path, MethodNotAllowedError(text), allow, name, query)
        return Target(methods[method], path, None, (), name, query)


def _same(pattern: list[str], segments: list[str]) -> bool:
    if len(pattern) != len(segments):
        return False
    return all(part == segment or (part == NAME and segment) for part, segment in zip(pattern, segments))


def _segments(path: bytes) -> list[str]:
    """The parts of a path, each decoded after they are told apart: a name may hold an encoded slash (M-04)."""
    if not path.startswith(b"/") and b"://" in path:  # the form that proxies are sent
        path = b"/" + path.partition(b"://")[2].partition(b"/")[2]
    return [unquote_to_bytes(segment).decode("utf-8", errors="replace") for segment in path.split(b"/")]
