"""The gateway process, from fork to end."""

from __future__ import annotations

import asyncio
import gc
import resource
import socket

from sagemaker_sklearn_container.gateway.site import SiteSettings
from sagemaker_sklearn_container.processes.channel import Channel


def run(listener: socket.socket, control: Channel, settings: SiteSettings) -> None:
    """Serve HTTP until the supervisor says stop, or is gone.

    Args:
        listener: Bound, not listening: connections are refused until the site opens the port (S-03, S-04).
        control: To the supervisor.
        settings: What is served.
    """
    # Imported here: this process needs them, the supervisor and the workers do not. They do need asyncio, which joblib
    # imports; so it is imported before the fork, and there is one copy.
    import uvloop

    from sagemaker_sklearn_container.gateway.gateway import Server

    _raise_descriptor_limit()
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    server = Server(loop, listener, control, settings)
    # What lives now lives for ever; requests make no cycles, so that collections would be for nothing.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    try:
        loop.run_until_complete(server.ended)
    finally:
        server.flush()


def _raise_descriptor_limit() -> None:
    """Each connection takes a file descriptor, each large body another one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
