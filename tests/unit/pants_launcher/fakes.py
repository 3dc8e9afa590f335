"""Stand-ins for what the launcher meets outside itself: an engine, programs, a finished install."""

import contextlib
import os
import socket
import sys
import tempfile
import threading
from pathlib import Path
from typing import Dict, Iterator, Optional

from pants_launcher.cache import Install, write_whole
from pants_launcher.settings import Settings


def settings(folder: Path, **changes: object) -> Settings:
    """Settings of a user who has set nothing, with the cache below `folder`, except for `changes`."""
    values: Dict[str, object] = {
        "cache_dir": str(folder / "cache"),
        "start_engine": True,
        "need_engine": True,
        "docker_host": None,
        "docker_context": None,
        "docker_config": None,
        "docker_tls": False,
        "pyenv_root": None,
        "path": (),
    }
    return Settings(**{**values, **changes})  # type: ignore[arg-type]


def program(path: Path, text: str) -> str:
    """An executable shell script that does `text`; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def finished_install(folder: Path, tools: Optional[Dict[str, str]] = None) -> Install:
    """A complete install with programs that do nothing."""
    install = Install(str(folder))
    for path in (install.python, install.server, install.native_client):
        program(Path(path), "exit 0")
    variables = dict(tools or {})
    write_whole(
        install.marker, "".join(f"{line}\n" for line in (str(folder), *(f"{k}={variables[k]}" for k in variables)))
    )
    return install


@contextlib.contextmanager
def engine(answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK") -> Iterator[str]:
    """An engine that gives `answer` to every request; its address."""
    # The name of a socket may have 107 bytes at most, so it is not put below pytest's own folder.
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        path = os.path.join(folder, "docker.sock")
        server.bind(path)
        server.listen()
        thread = threading.Thread(target=_serve, args=(server, answer))
        thread.start()
        try:
            yield f"unix://{path}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(server: socket.socket, answer: bytes) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        # A client that hangs up early is no concern of an engine.
        with connection, contextlib.suppress(OSError):
            connection.recv(1024)
            connection.sendall(answer)


def python_environment() -> Dict[str, str]:
    """The environment for a child interpreter that imports what this one can."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
