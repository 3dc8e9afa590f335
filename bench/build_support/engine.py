"""A Docker engine for each machine that is measured, so that none starts with what another has built."""

from __future__ import annotations

import subprocess
import sys
import uuid
from contextlib import contextmanager
from typing import Iterator

from tests.support.second_engine import EngineMissingError, second_engine


@contextmanager
def new_engine(client: str) -> Iterator[str]:
    """The address of an engine that holds nothing, as DOCKER_HOST takes it.

    Args:
        client: A Docker client, whose engine runs.

    Raises:
        SystemExit: it did not start, or the client's engine does not answer.
    """
    bridge = f"br-{uuid.uuid4().hex[:8]}"
    _network(client, "create", f"--opt=com.docker.network.bridge.name={bridge}", bridge)
    try:
        with second_engine(bridge) as address:
            yield address
    except EngineMissingError as error:
        sys.exit(f"bench: {error}")
    finally:
        _network(client, "rm", bridge)


def _network(client: str, *words: str) -> None:
    command = [client, "network", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        said = done.stdout.strip()
        sys.exit(f"bench: `{' '.join(command)}` ended with {done.returncode}: {said}. No engine? ./pants starts one.")
