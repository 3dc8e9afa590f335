"""Jobs of more than one host.

Every case takes the fixture `platform`.
"""

from __future__ import annotations

import textwrap

from tests.support.platform import MlTree, Platform
from tests.support.recorder import RECORDER, seen_by

# The master adds up what the others send to it by name, and tells them the sum.
_SUM = textwrap.dedent(
    """
    import json, os, socket, time
    hosts, me = json.loads(os.environ["SM_HOSTS"]), os.environ["SM_CURRENT_HOST"]
    master, port, number = hosts[0], 18432, hosts.index(me) + 1
    if me == master:
        listener = socket.create_server((me, port))
        total, others = number, []
        while len(others) < len(hosts) - 1:
            other, _ = listener.accept()
            total += int(other.makefile().readline())
            others.append(other)
        for other in others:
            other.sendall(b"%d\\n" % total)
    else:
        deadline = time.monotonic() + 30
        while True:
            try:
                connection = socket.create_connection((master, port), timeout=5)
                break
            except OSError:
                assert time.monotonic() < deadline, "the master does not listen"
                time.sleep(0.1)
        connection.sendall(b"%d\\n" % number)
        total = int(connection.makefile().readline())
    print("%s has %d" % (me, total))
    """
)


def _job(platform: Platform, script: str, hosts: list[str], current_host: str) -> MlTree:
    tree = platform.tree()
    tree.code(train=script)
    tree.hyperparameters(sagemaker_program="train.py")
    tree.resources(current_host=current_host, hosts=hosts, network_interface_name="eth0")
    return tree


def test_two_hosts_wait_for_each_other_and_talk(platform: Platform) -> None:
    """T-28, T-29: the second one is started when the first already waits for it."""
    hosts = platform.hosts(2)
    first = platform.start_training(_job(platform, _SUM, hosts, hosts[0]), host=hosts[0])
    first.wait_for_output(b"Training environment" if hosts[0] == "127.0.0.1" else b"Waiting for the address of algo-2")
    second = platform.start_training(_job(platform, _SUM, hosts, hosts[1]), host=hosts[1])
    results = [first.wait(), second.wait()]
    assert [(result.exit_code, result.failure) for result in results] == [(0, None), (0, None)]
    assert [result.stdout for result in results] == [f"{host} has 3\n".encode() for host in hosts]


def test_only_the_first_host_is_the_master(platform: Platform) -> None:
    """T-28, T-70, T-86."""
    hosts = platform.hosts(2)
    tree = _job(platform, RECORDER, hosts, hosts[1])
    env = seen_by(platform.train(tree, {"SM_STUDIO_LOCAL_MODE": "true"}))["env"]
    assert '"is_master":false' in env["SM_TRAINING_ENV"]
    assert f'"master_hostname":"{hosts[0]}"' in env["SM_TRAINING_ENV"]


def test_a_host_that_never_comes_ends_the_job(platform: Platform) -> None:
    """T-04, T-29: bounded, with a message that names it."""
    tree = _job(platform, "print('started')", ["localhost", "never.invalid"], "localhost")
    result = platform.train(tree, {"SAGEMAKER_HOSTS_TIMEOUT": "1"})
    assert result.exit_code != 0
    assert result.failure is not None
    assert result.failure.startswith("Waiting for the job's hosts: no address for never.invalid after 1 s")
    assert result.stdout == b""


def test_studio_does_not_wait_for_hosts(platform: Platform) -> None:
    """T-29, K-04: names do not resolve there."""
    tree = _job(platform, RECORDER, ["localhost", "never.invalid"], "localhost")
    assert seen_by(platform.train(tree, {"SM_STUDIO_LOCAL_MODE": "True"}))["env"]["SM_CURRENT_HOST"] == "localhost"
