"""Waiting for the other hosts."""

from __future__ import annotations

import time
from itertools import accumulate

import pytest

from sagemaker_sklearn_container.errors import HostsError
from sagemaker_sklearn_container.training import hosts


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def now(self) -> float:
        return sum(self.pauses)


def test_one_host_is_not_waited_for() -> None:
    """T-29."""
    hosts.wait_for(["nowhere.invalid"], 900, resolves=lambda host, timeout_s: pytest.fail("asked"))


def test_pauses_double_from_a_tenth_of_a_second_to_half_a_minute() -> None:
    """T-29: and each host is asked for until it is there, not longer."""
    clock, asked = Clock(), []

    def resolves(host: str, timeout_s: float) -> bool:
        asked.append(host)
        return host == "algo-1" or clock.now() > 100

    hosts.wait_for(["algo-1", "algo-2"], 900, resolves, clock.sleep, clock.now)
    assert clock.pauses == pytest.approx([0.1 * 2**n for n in range(9)] + [30, 30])
    assert asked.count("algo-1") == 1
    assert asked.count("algo-2") == len(list(accumulate(clock.pauses))) + 1


def test_a_host_that_never_comes_is_named_when_the_time_is_over() -> None:
    """T-29: bounded."""
    clock = Clock()
    with pytest.raises(HostsError, match="no address for algo-2 after 900 s .*SAGEMAKER_HOSTS_TIMEOUT"):
        hosts.wait_for(["algo-1", "algo-2"], 900, lambda host, timeout_s: host == "algo-1", clock.sleep, clock.now)
    assert clock.now() == pytest.approx(900)


def test_the_systems_resolver_is_asked() -> None:
    """T-29."""
    hosts.wait_for(["localhost", "127.0.0.1"], 1)
    with pytest.raises(HostsError):
        hosts.wait_for(["localhost", "nowhere.invalid"], 0)
    with pytest.raises(HostsError, match="no address for .*x after 0 s"):
        hosts.wait_for(["localhost", f"{'x' * 64}.x"], 0)


def test_a_resolver_that_does_not_answer_is_not_waited_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """T-29: it cannot be interrupted, but left."""
    monkeypatch.setattr(hosts, "_has_address", lambda host: time.sleep(60))
    begin = time.monotonic()
    with pytest.raises(HostsError):
        hosts.wait_for(["algo-1", "algo-2"], 0.1)
    assert time.monotonic() - begin < 20
