"""A Docker engine beside the machine's own, with nothing in it."""

from __future__ import annotations

import shutil
import subprocess
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

_STARTS_WITHIN_S = 60.0
_ENDS_WITHIN_S = 30.0


class EngineMissingError(Exception):
    """There is no engine to start, or it did not start; its log."""


@contextmanager
def second_engine(bridge: str) -> Iterator[str]:
    """Its address, as DOCKER_HOST takes it. It has no network but the loopback, and goes with all it held.

    Args:
        bridge: One that exists, and that nothing else uses: an engine that is told to have none removes docker0, which
            is the first engine's.

    Raises:
        EngineMissingError: it cannot be had.
    """
    program = shutil.which("dockerd", path="/usr/sbin:/usr/bin:/usr/local/bin:/usr/local/sbin")
    if program is None:
        raise EngineMissingError("a second engine is needed, and there is no dockerd: apt-get install docker.io")
    # A short path, since sockets lie below; on a file system that takes overlays, as that of a container does not.
    folder = Path("/var/lib", f"second-engine-{uuid.uuid4().hex[:12]}")
    folder.mkdir(mode=0o700)
    address = folder / "docker.sock"
    command = [
        program,
        f"--host=unix://{address}",
        f"--data-root={folder}/data",
        f"--exec-root={folder}/exec",
        f"--pidfile={folder}/pid",
        # Where both engines share one containerd, each has its own part of it.
        f"--containerd-namespace={folder.name}",
        f"--containerd-plugins-namespace={folder.name}-plugins",
        f"--bridge={bridge}",
        "--iptables=false",
        "--ip-forward=false",
    ]
    with Path(folder, "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _await(address, process, folder / "log")
        yield f"unix://{address}"
    finally:
        process.terminate()
        try:
            process.wait(_ENDS_WITHIN_S)
        finally:
            process.kill()
            shutil.rmtree(folder)


def _await(path: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        # It listens before it is ready, and answers what was asked meanwhile.
        if path.exists():
            return
        time.sleep(0.1)
    text = log.read_text(encoding="utf-8")
    raise EngineMissingError(f"the second engine did not listen within {_STARTS_WITHIN_S:g} s. Its log:\n{text}")
