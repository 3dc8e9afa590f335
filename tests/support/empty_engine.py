"""A client of a second Docker engine, for tests."""

from __future__ import annotations

import uuid
from contextlib import ExitStack, contextmanager
from typing import Iterator

import pytest
from docker.client import DockerClient

from tests.support.engine import connect
from tests.support.second_engine import EngineMissingError, second_engine


@contextmanager
def empty_engine() -> Iterator[DockerClient]:
    """A client of it. It shares nothing with the first, and goes with all it held."""
    with ExitStack() as stack:
        bridge = f"br-{uuid.uuid4().hex[:8]}"
        network = connect().networks.create(bridge, options={"com.docker.network.bridge.name": bridge})
        stack.callback(network.remove)
        try:
            address = stack.enter_context(second_engine(bridge))
        except EngineMissingError as error:
            pytest.fail(str(error))
        client = DockerClient(base_url=address, timeout=300)
        stack.callback(client.close)
        yield client
