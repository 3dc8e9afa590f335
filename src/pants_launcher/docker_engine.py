"""Whether a Docker engine answers, and what to do where none does."""

import errno
import os
import socket
from typing import NamedTuple, Optional, Tuple

from pants_launcher.errors import LauncherError
from pants_launcher.host import Host
from pants_launcher.settings import NEED_ENGINE, START_ENGINE, Settings

DEFAULT_ADDRESS = "unix:///var/run/docker.sock"
_DEFAULT_PORT = 2375
_DEFAULT_TLS_PORT = 2376
_FORBIDDEN = os.strerror(errno.EACCES)
_ELSE = f"or set {NEED_ENGINE}=no if the targets of this command need no engine"


class Engine(NamedTuple):
    """The engine that the Docker client will talk to.

    Attributes:
        address: `DOCKER_HOST` as the client understands it, or the name of a context.
        answers: Whether it can be used; False means that one is to be started at `address`.
    """

    address: str
    answers: bool


def choose_engine(settings: Settings, host: Host, default: str = DEFAULT_ADDRESS) -> Engine:
    """The engine to use, or the address at which to start one.

    Args:
        settings: The launcher's settings.
        host: The machine.
        default: The address where the Docker client looks by default.

    Raises:
        LauncherError: no engine answers and none may be started.
    """
    if settings.docker_host is not None:
        problem = problem_with(settings.docker_host, settings.docker_tls)
        if problem is None:
            return Engine(settings.docker_host, answers=True)
        raise LauncherError(
            "these goals need a Docker engine, and DOCKER_HOST names one that does not answer:"
            f" {settings.docker_host} ({problem}).\n"
            f"Start that engine, correct DOCKER_HOST, unset it to use {default}, {_ELSE}."
        )
    problem = problem_with(default)
    if problem is None:
        return Engine(default, answers=True)
    context = _context(settings)
    if context is not None:
        return Engine(f"context {context}", answers=True)
    if host.debian and host.root and settings.start_engine:
        return Engine(default, answers=False)
    if problem == _FORBIDDEN:
        raise LauncherError(
            f"these goals need a Docker engine; this user may not use the one at {default} ({problem}).\n"
            f"Join the group that owns the socket, set DOCKER_HOST to the address of another engine, {_ELSE}."
        )
    if not settings.start_engine:
        reason = f"{START_ENGINE} says not to start one"
    elif not host.debian:
        reason = f"one is installed and started only on Debian, and this is {host.name}"
    else:
        reason = "only the superuser can install and start one"
    raise LauncherError(
        f"these goals need a Docker engine; none answers at {default} ({problem}), and {reason}.\n"
        f"Start Docker, set DOCKER_HOST to the address of an engine, {_ELSE}."
    )


def problem_with(address: str, tls: bool = False, timeout_s: float = 3.0) -> Optional[str]:
    """Why the engine at `address` cannot be used, or None where it answers.

    Engines reached through ssh, and any scheme but unix, tcp and http, are left to the client, which alone can reach
    them. So is the dialogue with an engine behind TLS: here it only has to accept a connection.

    Args:
        address: An address in the form of `DOCKER_HOST`.
        tls: Whether the client is told to use TLS.
        timeout_s: How long to wait for each step of the answer, in seconds.
    """
    scheme, _, rest = address.partition("://")
    try:
        if scheme == "unix":
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(timeout_s)
                connection.connect(rest)
                return _ping(connection)
        if scheme in ("tcp", "http"):
            place = _host_and_port(rest, _DEFAULT_TLS_PORT if tls else _DEFAULT_PORT)
            with socket.create_connection(place, timeout_s) as connection:
                return None if tls else _ping(connection)
    except socket.timeout:
        return f"no answer within {timeout_s:g} s"
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None


def _ping(connection: socket.socket) -> Optional[str]:
    connection.sendall(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")
    answer = b""
    while b"\r\n" not in answer and len(answer) < 1024:
        received = connection.recv(256)
        if not received:
            break
        answer += received
    status = answer.split(b"\r\n", 1)[0]
    if status.startswith(b"HTTP/1.") and status.split()[1:2] == [b"200"]:
        return None
    return f"it answered {status[:80].decode('ascii', 'replace')!r}"


def _host_and_port(rest: str, default_port: int) -> Tuple[str, int]:
    place = rest.split("/", 1)[0]
    host, colon, port = place.rpartition(":")
    if not colon or port.endswith("]"):
        return place.strip("[]"), default_port
    if not port.isdigit():
        raise ValueError(f"the port {port!r} is no number")
    return host.strip("[]"), int(port)


def _context(settings: Settings) -> Optional[str]:
    """The context that the Docker client is set to use, other than the default one."""
    name: object = settings.docker_context
    if name is None and settings.docker_config is not None:
        import json

        try:
            with open(os.path.join(settings.docker_config, "config.json"), encoding="utf-8") as file:
                name = json.load(file).get("currentContext")
        except (OSError, ValueError, AttributeError):
            name = None
    return name if isinstance(name, str) and name not in ("", "default") else None
