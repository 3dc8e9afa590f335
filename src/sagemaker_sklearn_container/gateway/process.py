"""The gateway process, from fork to end."""

from __future__ import annotations

import asyncio
import gc
import resource
import socket

from sagemaker_sklearn_container.gateway.limits import Limits
from sagemaker_sklearn_container.gateway.routes import Routes
from sagemaker_sklearn_container.processes.channel import Channel


def run(
    listener: socket.socket, control: Channel, limits: Limits, routes: Routes, default_accept: str, workers: int
) -> None:
    """Serve HTTP until the supervisor says stop, or is gone.

    Args:
        listener: Bound, not listening: connections are refused until every worker is ready (S-03, S-04).
        control: To the supervisor.
        limits: What is allowed.
        routes: Which paths there are.
        default_accept: Media type of answers when the client asks for none.
        workers: How many workers must be ready.
    """
    # Imported here: this process needs them, the supervisor and the workers do not. They do need asyncio, which joblib
    # imports; so it is imported before the fork, and there is one copy.
    import uvloop

    from sagemaker_sklearn_container.gateway.gateway import Gateway

    _raise_descriptor_limit()
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    gateway = Gateway(loop, listener, control, limits, routes, default_accept, workers)
    # What lives now lives for ever; requests make no cycles, so that collections would be for nothing.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    try:
        loop.run_until_complete(gateway.ended)
    finally:
        gateway.flush()


def _raise_descriptor_limit() -> None:
    """Each connection takes a file descriptor, each large body another one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
