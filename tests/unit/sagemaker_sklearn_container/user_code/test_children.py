"""Calling a function in a child process."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

import pytest

from sagemaker_sklearn_container.errors import CodeSourceError, ContainerError
from sagemaker_sklearn_container.user_code import children


def test_the_result_comes_back_and_the_imports_do_not() -> None:
    """T-42: the launcher stays as small as it was."""

    def work() -> int:
        sys.modules["left.behind"] = sys
        return os.getpid()

    assert children.call(work) != os.getpid()
    assert "left.behind" not in sys.modules


def test_errors_come_back_as_they_are() -> None:
    """T-42."""

    def fail() -> NoReturn:
        raise CodeSourceError("no such bucket")

    with pytest.raises(CodeSourceError, match="no such bucket"):
        children.call(fail)


def test_other_exceptions_come_back_as_text() -> None:
    """T-42: the AWS client's cannot all be pickled."""
    with pytest.raises(ContainerError, match="ZeroDivisionError: integer division or modulo by zero"):
        children.call(lambda: 1 // 0)


def test_a_child_that_is_killed_is_an_error() -> None:
    """T-42."""
    with pytest.raises(ContainerError, match="without an answer"):
        children.call(lambda: os.kill(os.getpid(), signal.SIGKILL))


def test_no_child_is_left_when_the_wait_is_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """T-08: SIGTERM while the code is downloaded."""

    class Cut(BaseException):
        """What the signal handler raises."""

    def cut(number: int, frame: object) -> NoReturn:
        raise Cut

    before = signal.signal(signal.SIGALRM, cut)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(Cut):
            children.call(signal.pause)
    finally:
        signal.signal(signal.SIGALRM, before)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
