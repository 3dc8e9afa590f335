"""The server's port."""

from __future__ import annotations

import socket

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.errors import ListenError


def bound(port: int) -> socket.socket:
    """A socket that has the port, but does not listen yet: connections are refused.

    Raises:
        ListenError: the port cannot be had.

    Source: contract S-01.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("0.0.0.0", port))
    except OSError as exc:
        listener.close()
        raise ListenError(
            f"Opening port {port} failed: {exc}. Free it, or set {contract.BIND_TO_PORT} to another one."
        ) from exc
    return listener
