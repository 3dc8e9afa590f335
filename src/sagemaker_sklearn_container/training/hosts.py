"""Waiting for the other hosts of a training job."""

from __future__ import annotations

import logging
import time
from typing import Callable, Sequence

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.errors import ContainerError, HostsError
from sagemaker_sklearn_container.user_code import children

logger = logging.getLogger(__name__)

# The last attempt, too, gets time for an answer.
_SHORTEST_S = 1.0


def wait_for(
    hosts: Sequence[str],
    timeout_s: float,
    resolves: Callable[[str, float], bool] | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Return once the name of every host resolves to an address.

    The platform starts the hosts one by one, and a name resolves only once its container runs. The pause between
    attempts grows from 0.1 s to 30 s.

    Args:
        hosts: Names; a single one is this host itself and is not waited for.
        timeout_s: For all hosts together, in seconds.
        resolves: Whether a name has an address, asked for so many seconds; by default the system's resolver is asked.
        sleep: Pauses for some seconds.
        clock: Seconds that pass.

    Raises:
        HostsError: the time is over; it names the hosts that are missing.

    Source: contract T-29.
    """
    if len(hosts) < 2:
        return
    resolves = resolves or _resolves
    deadline = clock() + timeout_s
    pause_s = contract.HOSTS_FIRST_PAUSE_S
    missing = list(hosts)
    while True:
        missing = [host for host in missing if not resolves(host, max(_SHORTEST_S, deadline - clock()))]
        if not missing:
            return
        left_s = deadline - clock()
        if left_s <= 0:
            raise HostsError(
                f"Waiting for the job's hosts: no address for {', '.join(missing)} after {timeout_s:g} s (all hosts: "
                f"{', '.join(hosts)}). Look at the logs of the missing hosts; if they need longer to start, raise the "
                f"environment variable {contract.HOSTS_TIMEOUT}, in seconds."
            )
        logger.info("Waiting for the address of %s", ", ".join(missing))
        sleep(min(pause_s, left_s))
        pause_s = min(2 * pause_s, contract.HOSTS_LONGEST_PAUSE_S)


def _resolves(host: str, timeout_s: float) -> bool:
    """Whether the system's resolver knows `host`.

    Asked in a child process: the resolver cannot be interrupted, and a name server that does not answer holds it for
    longer than the time that is left, or than a signal may wait.
    """
    try:
        return children.call(lambda: _has_address(host), timeout_s)
    except ContainerError:
        return False


def _has_address(host: str) -> bool:
    import socket  # in the child that asks; a job of one host does without

    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):  # UnicodeError: no host can have such a name
        return False
    return True
