"""The access log: when lines are written, and what becomes of them when nobody reads."""

from __future__ import annotations

import os
from typing import Callable, Iterator

import pytest

from sagemaker_sklearn_container.gateway.access_log import AccessLog

# What one write takes at least, and less than this many lines.
MANY = 100


class Log:
    """A log to a pipe, whose clock stands still."""

    def __init__(self) -> None:
        self.end, self.start = os.pipe()
        for descriptor in (self.end, self.start):
            os.set_blocking(descriptor, False)
        self.later: list[Callable[[], None]] = []
        self.log = AccessLog(lambda _, function: self.later.append(function), self.start)

    def add(self, count: int) -> None:
        for number in range(count):
            self.log.add("127.0.0.1", b"POST", b"/invocations", False, 200, 3, b"", 0.001, b"id-%d" % number)

    def lines(self) -> list[bytes]:
        """Those that have been written since they were last asked for."""
        try:
            return os.read(self.end, 2**20).splitlines()
        except BlockingIOError:
            return []


@pytest.fixture()
def log() -> Iterator[Log]:
    made = Log()
    yield made
    os.close(made.end)
    os.close(made.start)


def test_a_few_lines_wait_for_the_clock(log: Log) -> None:
    """S-15: and are then all there, in order."""
    log.add(3)
    assert log.lines() == []
    assert len(log.later) == 1
    log.later.pop()()
    assert [line.rpartition(b" ")[2] for line in log.lines()] == [b"id-0", b"id-1", b"id-2"]
    assert log.later == []


def test_many_lines_do_not_wait(log: Log) -> None:
    """S-15: the requests behind them would wait for the writing of all."""
    log.add(MANY)
    written = len(log.lines())
    assert 0 < MANY - written < MANY // 2
    log.later.pop()()
    assert written + len(log.lines()) == MANY


def test_lines_that_nobody_reads_are_kept(log: Log) -> None:
    """S-15: a full pipe stops nothing, and nothing of what fits is lost."""
    filler = b"x" * 4096
    filled = 0
    while True:
        try:
            filled += os.write(log.start, filler)
        except BlockingIOError:
            break
    log.add(MANY)
    assert len(b"".join(log.lines())) == filled
    while log.later:
        log.later.pop()()
    assert len(log.lines()) == MANY
