"""Calling a function in a child process, whose imports and memory are gone when it returns."""

from __future__ import annotations

import os
import select
import signal
from typing import Callable, NoReturn, TypeVar

from sagemaker_sklearn_container.errors import ContainerError

T = TypeVar("T")


def call(function: Callable[[], T], timeout_s: float | None = None) -> T:
    """The result of `function`, called in a forked child.

    The AWS client alone takes 30 MB, which the launcher of a training job would hold as long as the program runs.

    Args:
        function: Gives an object that can be pickled.
        timeout_s: How long it may take, in seconds; None is as long as it takes.

    Raises:
        ContainerError: as `function` raised it; or the child ended without a result, or took too long.
    """
    source, sink = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(source)
        _answer(function, sink)
    os.close(sink)
    try:
        with os.fdopen(source, "rb") as stream:
            if timeout_s is not None and not select.select([stream], [], [], timeout_s)[0]:
                raise ContainerError(f"A child process that called {function!r} was ended after {timeout_s:g} s.")
            answer = stream.read()
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    _, status = os.waitpid(pid, 0)
    if not answer:
        raise ContainerError(
            f"A child process that called {function!r} ended without an answer (wait status {status}); most often the "
            "container is out of memory."
        )
    import pickle  # here: most jobs call nothing in a child, and every job waits for what is imported at its start

    succeeded, result = pickle.loads(answer)
    if not succeeded:
        raise result
    value: T = result
    return value


def _answer(function: Callable[[], T], sink: int) -> NoReturn:
    """Call `function`, write the pickled outcome to `sink`, and end the process."""
    status = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)  # the parent's handlers are about the parent's work
        try:
            answer = (True, function())
        except ContainerError as exc:
            answer = (False, exc)  # type: ignore[assignment]
        except Exception as exc:
            answer = (False, ContainerError(f"{type(exc).__name__}: {exc}"))  # type: ignore[assignment]
        import pickle

        with os.fdopen(sink, "wb") as stream:
            pickle.dump(answer, stream)
        status = 0
    finally:
        os._exit(status)
