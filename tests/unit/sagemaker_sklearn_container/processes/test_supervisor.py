"""The supervisor, with a gateway and workers that do next to nothing."""

from __future__ import annotations

import os
import signal
import time
from typing import Callable

from sagemaker_sklearn_container.gateway import control as messages
from sagemaker_sklearn_container.processes.channel import Channel
from sagemaker_sklearn_container.processes.supervisor import Supervisor
from sagemaker_sklearn_container.user_code import children


def _supervise(gateway: Callable[[Channel], None], worker: Callable[[Channel], None]) -> int:
    """The exit code of a supervisor, which runs in a process of its own."""
    return children.call(lambda: Supervisor(gateway).run(worker, 1))


def _idle(channel: Channel) -> None:
    channel.receive()


def _obeys(control: Channel) -> None:
    """A gateway that ends when told to stop, and lets go of its workers."""
    ends = []
    while True:
        packet = control.receive()
        if packet is None or bytes(packet.data[:1]) == messages.STOP:
            return
        if packet.descriptor >= 0:
            ends.append(Channel.from_descriptor(packet.descriptor))


def test_workers_that_never_get_ready_end_the_server() -> None:
    """S-08."""
    started = time.monotonic()
    assert _supervise(_obeys, lambda channel: os._exit(3)) == 1
    assert time.monotonic() - started < 20


def test_the_end_of_the_gateway_ends_the_server() -> None:
    """S-08: whether it is killed or leaves."""
    assert _supervise(lambda control: os.kill(os.getpid(), signal.SIGKILL), _idle) == 1
    assert _supervise(lambda control: None, _idle) == 1


def test_sigterm_ends_the_server_with_0() -> None:
    """S-07."""

    def told_to_stop(control: Channel) -> None:
        control.receive()
        os.kill(os.getppid(), signal.SIGTERM)
        _obeys(control)

    assert _supervise(told_to_stop, _idle) == 0


def test_a_worker_is_killed_on_request_and_replaced() -> None:
    """S-10, S-46: the next one has a number of its own."""

    def impatient(control: Channel) -> None:
        seen: list[tuple[bytes, int]] = []
        while len(seen) < 3:
            packet = control.receive()
            assert packet is not None
            what, number = messages.FORMAT.unpack(packet.data)
            seen.append((what, number))
            if len(seen) == 1:
                control.send(messages.FORMAT.pack(messages.READY, number))
                control.send(messages.FORMAT.pack(messages.KILL, number))
        if seen == [(messages.NEW_WORKER, 1), (messages.WORKER_ENDED, 1), (messages.NEW_WORKER, 2)]:
            os.kill(os.getppid(), signal.SIGTERM)
        _obeys(control)

    assert _supervise(impatient, lambda channel: time.sleep(30)) == 0
