"""Which Docker client Pants should run: the first that can build with the engine's BuildKit."""

import contextlib
import hashlib
import os
from typing import List, Mapping, Optional, Sequence, Tuple

from pants_launcher.cache import TEMPORARY
from pants_launcher.errors import LauncherError, last_lines, say

_USUAL_FOLDERS = ("/usr/bin", "/usr/local/bin")
# An image of one label needs no base, no network and no layer; as an archive to nowhere it leaves nothing behind.
_DOCKERFILE = b"FROM scratch\nLABEL org.opencontainers.image.title=client-check\n"
_CHECK = ("build", "--output", "type=tar,dest=/dev/null", "-")
_TIMEOUT_S = 60


def client_folder(
    engine: str, path: Sequence[str], memory: str, env: Mapping[str, str], usual: Sequence[str] = _USUAL_FOLDERS
) -> Optional[str]:
    """The folder of the client to use, or None where that is the first client on `PATH` anyway.

    The choice is made by a build, once for a set of clients and an engine, and remembered as a link to the chosen
    client whose name is a hash of what the choice depends on.

    Args:
        engine: The engine's address.
        path: The folders of `PATH`, in order.
        memory: The folder of the links.
        env: The environment for the client.
        usual: Folders to search after those of `PATH`.

    Raises:
        LauncherError: there is no client that works.
    """
    clients = _clients((*path, *usual))
    link = os.path.join(memory, _fingerprint(engine, clients))
    try:
        chosen = os.readlink(link)
    except OSError:
        chosen = _first_that_works(engine, clients, usual, env)
        _remember(link, chosen)
        if chosen != clients[0]:
            say(f"took the Docker client {chosen}; the first found, {clients[0]}, cannot build with the engine")
    folder = os.path.dirname(chosen)
    return None if chosen == clients[0] and folder in path else folder


def _clients(folders: Sequence[str]) -> List[str]:
    """The clients in `folders`, in order, each file once."""
    found: List[str] = []
    seen = set()
    for folder in folders:
        client = os.path.join(folder, "docker")
        real = os.path.realpath(client)
        if real not in seen and os.path.isfile(real) and os.access(real, os.X_OK):
            seen.add(real)
            found.append(client)
    return found


def _fingerprint(engine: str, clients: Sequence[str]) -> str:
    parts = [engine]
    for client in clients:
        status = os.stat(client)
        parts.append(f"{client}\0{status.st_size}\0{status.st_mtime_ns}")
    return hashlib.sha256("\0\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _first_that_works(engine: str, clients: Sequence[str], usual: Sequence[str], env: Mapping[str, str]) -> str:
    if not clients:
        raise LauncherError(
            f"these goals need a Docker client, and there is no `docker` on PATH nor in {' or '.join(usual)}.\n"
            "Install one (on Debian: apt-get install docker.io), then start Pants again."
        )
    failures: List[Tuple[str, str]] = []
    for client in clients:
        problem = _problem_with_client(client, env)
        if problem is None:
            return client
        failures.append((client, problem))
    said = "\n".join(f"{client} said:\n{problem}" for client, problem in failures)
    raise LauncherError(
        f"no Docker client here can build with BuildKit on the engine at {engine}.\n{said}\n"
        "Install the client's buildx plugin, or a client that has BuildKit inside (on Debian 12: apt-get install"
        " docker.io), then start Pants again."
    )


def _problem_with_client(client: str, env: Mapping[str, str]) -> Optional[str]:
    import subprocess

    try:
        done = subprocess.run(
            [client, *_CHECK],
            input=_DOCKERFILE,
            env={**env, "DOCKER_BUILDKIT": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_S,
        )
    except OSError as error:
        return f"  {error}"
    except subprocess.TimeoutExpired:
        return f"  (nothing within {_TIMEOUT_S} s)"
    return None if done.returncode == 0 else last_lines(done.stdout.decode("utf-8", "replace"), count=3)


def _remember(link: str, client: str) -> None:
    temporary = f"{link}{TEMPORARY}{os.getpid()}"
    # What is remembered only saves time.
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(link), exist_ok=True)
        os.symlink(client, temporary)
        try:
            os.replace(temporary, link)
        except OSError:
            os.unlink(temporary)
            raise
