"""The supervisor, with a gateway and workers that do next to nothing."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Callable

from sagemaker_sklearn_container.gateway import control as messages
from sagemaker_sklearn_container.gateway.control import Message
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
        seen: list[tuple[bytes, int, int]] = []
        while len(seen) < 3:
            packet = control.receive()
            assert packet is not None
            message = messages.unpacked(packet)
            seen.append((message.what, message.pool, message.worker))
            if len(seen) == 1:
                control.send(Message(messages.READY, message.pool, message.worker).packed())
                control.send(Message(messages.KILL, message.pool, message.worker).packed())
        if seen == [(messages.NEW_WORKER, 0, 1), (messages.WORKER_ENDED, 0, 1), (messages.NEW_WORKER, 0, 2)]:
            os.kill(os.getppid(), signal.SIGTERM)
        _obeys(control)

    assert _supervise(impatient, lambda channel: time.sleep(30)) == 0


class _Talk:
    """A gateway's side of the talk about pools: what it says, what it is told, and the workers that it has."""

    def __init__(self, control: Channel) -> None:
        self._control = control
        self.channels: dict[int, Channel] = {}
        self.pids: dict[int, int] = {}

    def say(self, *messages: Message) -> None:
        for message in messages:
            self._control.send(message.packed())

    def hear(self) -> Message:
        packet = self._control.receive()
        assert packet is not None
        message = messages.unpacked(packet)
        if packet.descriptor >= 0:
            self.channels[message.worker] = Channel.from_descriptor(packet.descriptor)
            self.pids[message.worker] = message.number
        elif message.what == messages.WORKER_ENDED:
            self.channels.pop(message.worker).close()
        return message

    def hear_what(self, count: int) -> list[bytes]:
        return [self.hear().what for _ in range(count)]

    def let_go(self) -> None:
        for channel in self.channels.values():
            channel.close()

    def end(self) -> None:
        os.kill(os.getppid(), signal.SIGTERM)
        while self.hear().what != messages.STOP:
            pass


def _supervise_pools(talk: Callable[[_Talk], None], new_work: Callable[[bytes], Callable[[Channel], None]]) -> int:
    """The exit code of a supervisor of pools; 0 if the talk went well."""

    def gateway(control: Channel) -> None:
        talking = _Talk(control)
        talk(talking)
        talking.end()

    return children.call(lambda: Supervisor(gateway).run_pools(new_work))


def test_pools_come_and_go() -> None:
    """M-31, M-39: each does what was told about it, gets the size that is asked for, and its end is said."""

    def says(told: bytes) -> Callable[[Channel], None]:
        def work(channel: Channel) -> None:
            channel.send(told)
            channel.receive()

        return work

    def talk(talking: _Talk) -> None:
        talking.say(Message(messages.NEW_POOL, 7, 0, 2, b"seven"), Message(messages.NEW_POOL, 8, 0, 1, b"eight"))
        started = [talking.hear() for _ in range(3)]
        assert [(message.what, message.pool) for message in started] == [
            (messages.NEW_WORKER, pool) for pool in (7, 7, 8)
        ]
        said = [talking.channels[message.worker].receive() for message in started]
        assert [packet and bytes(packet.data[:5]) for packet in said][2] == b"eight"
        talking.say(Message(messages.RESIZE, 8, 0, 3))
        assert talking.hear_what(2) == [messages.NEW_WORKER] * 2
        talking.say(Message(messages.END_POOL, 7))
        for worker in [message.worker for message in started if message.pool == 7]:
            talking.channels[worker].close()
        ended = [talking.hear() for _ in range(3)]
        assert [message.what for message in ended] == [messages.WORKER_ENDED] * 2 + [messages.POOL_ENDED]
        assert {message.pool for message in ended} == {7}
        talking.let_go()

    assert _supervise_pools(talk, says) == 0


def test_a_spare_process_that_ends_is_not_missed() -> None:
    """M-31: the next worker is forked when it is asked for, and another one ahead."""

    def talk(talking: _Talk) -> None:
        supervisor = os.getppid()
        for number in range(1, 4):
            deadline = time.monotonic() + 60
            spare: set[int] = set()
            while not spare and time.monotonic() < deadline:
                listed = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
                spare = {int(pid) for pid in listed} - {os.getpid(), *talking.pids.values()}
            for pid in spare:
                os.kill(pid, signal.SIGKILL)
            talking.say(Message(messages.NEW_POOL, number, 0, 1, b"told"))
            worker = talking.hear()
            assert (worker.what, worker.pool) == (messages.NEW_WORKER, number)
            packet = talking.channels[worker.worker].receive()
            if packet is None:  # it was told before it had ended
                assert talking.hear().what == messages.WORKER_ENDED
            else:
                assert bytes(packet.data) == b"told"
        talking.let_go()

    def says(told: bytes) -> Callable[[Channel], None]:
        def work(channel: Channel) -> None:
            channel.send(told)
            channel.receive()

        return work

    assert _supervise_pools(talk, says) == 0


def test_a_pool_whose_first_workers_end_is_not_tried_again() -> None:
    """M-08: whoever asked for it is told, and the others live on."""

    def talk(talking: _Talk) -> None:
        talking.say(Message(messages.NEW_POOL, 1, 0, 1))
        assert talking.hear_what(2) == [messages.NEW_WORKER, messages.WORKER_ENDED]
        talking.say(Message(messages.END_POOL, 1))
        assert talking.hear().what == messages.POOL_ENDED

    assert _supervise_pools(talk, lambda told: lambda channel: os._exit(3)) == 0


def test_a_pool_that_was_ready_gets_new_workers_until_that_is_hopeless() -> None:
    """M-31: and the server lives on."""

    def talk(talking: _Talk) -> None:
        talking.say(Message(messages.NEW_POOL, 1, 0, 1))
        worker = talking.hear().worker
        talking.say(Message(messages.READY, 1, worker), Message(messages.KILL, 1, worker))
        heard: list[bytes] = []
        while not heard or heard[-1] != messages.GIVEN_UP:
            heard.append(talking.hear().what)
            if heard[-1] == messages.NEW_WORKER:
                worker = max(talking.channels)
                talking.say(Message(messages.KILL, 1, worker))
        assert heard.count(messages.NEW_WORKER) == 10
        talking.say(Message(messages.NEW_POOL, 2, 0, 1))
        assert talking.hear().pool == 2

    assert _supervise_pools(talk, lambda told: lambda channel: time.sleep(60)) == 0
