"""What a worker shares with the gateway, with a worker that is another process."""

from __future__ import annotations

import os
import time
from typing import Callable

import pytest

from sagemaker_sklearn_container.processes.channel import Channel
from sagemaker_sklearn_container.processes.status import Status


class Worker:
    """A process that does with its status what it is told, one step after the other."""

    def __init__(self, *steps: Callable[[Status], None]) -> None:
        self._own, other = Channel.pair()
        self.pid = os.fork()
        if self.pid == 0:
            self._own.close()
            status = Status.new()
            other.send(b"status", status.descriptor)
            for step in steps:
                if other.receive() is None:
                    break
                step(status)
                other.send(b"done")
            else:
                other.receive()
            os._exit(0)
        other.close()
        packet = self._own.receive()
        assert packet is not None
        self.status = Status(packet.descriptor)

    def begin_step(self) -> None:
        """Have the next step done, without waiting."""
        self._own.send(b"go")

    def end_step(self) -> None:
        """Wait until it is done."""
        assert self._own.receive() is not None

    def step(self) -> None:
        """Both."""
        self.begin_step()
        self.end_step()

    def end(self) -> None:
        """Let it end."""
        self._own.close()
        os.waitpid(self.pid, 0)


def test_connections_can_be_taken_only_from_a_worker_that_computes() -> None:
    """S-05, S-12."""

    def begin(status: Status) -> None:
        status.read(7)
        status.begin()

    worker = Worker(begin, lambda status: status.computed(), lambda status: status.end())
    status = worker.status
    assert not status.stop_reading()
    before = time.monotonic()
    worker.step()
    assert status.connection == 7
    assert before <= status.busy_since <= time.monotonic()
    assert status.stop_reading()
    status.continue_reading()
    worker.step()
    assert not status.stop_reading()
    worker.step()
    assert (status.connection, status.busy_since, status.answered) == (0, 0.0, 1)
    worker.end()


def test_a_worker_waits_while_its_connections_are_taken_and_then_knows() -> None:
    """S-12."""

    def computed(status: Status) -> None:
        status.computed()
        if (status.recalls, status.void_loans, status.withdrawn) != (1, 5, 3):
            os._exit(1)

    worker = Worker(lambda status: status.begin(), computed)
    worker.step()
    assert worker.status.stop_reading()
    worker.begin_step()
    worker.status.recall(void_loans=5, withdrawn=3)
    worker.status.continue_reading()
    worker.end_step()
    worker.end()


@pytest.mark.parametrize("holds", [True, False])
def test_the_lock_of_a_worker_that_has_ended_is_free(holds: bool) -> None:
    """S-46: but nothing is to be taken from it that way."""
    steps = [lambda status: status.begin()] * (not holds)
    worker = Worker(*steps)
    for _ in steps:
        worker.step()
    worker.end()
    assert worker.status.stop_reading() == (not holds)
    worker.status.close()
