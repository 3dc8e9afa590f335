"""Containers as the SageMaker Python SDK's local mode starts them: through Docker Compose.

Source: contract K-01 to K-06 and K-22, what the SDK writes and calls.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping, Sequence

# Left in the test's sandbox by `3rdparty/python:docker-compose`; run by this interpreter, which is the one it is for.
_COMPOSE = (sys.executable, os.path.abspath("3rdparty.python/docker-compose.pex"))
_TIMEOUT_S = 120
_STOP_TIMEOUT_S = 60


@dataclass
class LocalJob:
    """One compose file with one service.

    Attributes:
        folder: Where the file is written.
        image: What runs.
        host: Name of the service, and of the host.
        volumes: Paths on this machine, and where the container sees them.
        environment: Variables of the container.
        options: Further keys of the service, such as `command`.
    """

    folder: Path
    image: str
    host: str = "algo-1-abcde"
    volumes: dict[Path, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    def mount(self, inside: str) -> Path:
        """A new directory on this machine, mounted at `inside`."""
        path = self.folder / inside.strip("/").replace("/", "-")
        path.mkdir()
        self.volumes[path] = inside
        return path

    def run(self) -> subprocess.CompletedProcess[bytes]:
        """Run the container to its end.

        Returns:
            Exit code of the command that the SDK waits for, and all that it printed.
        """
        try:
            return subprocess.run(self._up(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_TIMEOUT_S)
        finally:
            self._down()

    def start(self) -> Running:
        """Start the container in the background."""
        log = self.folder / "log"
        with log.open("wb") as stream:
            return Running(subprocess.Popen(self._up(), stdout=stream, stderr=stream), log, self._down)

    def _up(self) -> Sequence[str]:
        return [*self._command(), "up", "--build", "--abort-on-container-exit"]

    def _down(self) -> None:
        done = subprocess.run([*self._command(), "down"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout.decode(errors="replace")

    def _command(self) -> list[str]:
        path = self.folder / "docker-compose.yaml"
        if not path.exists():
            path.write_text(json.dumps(self._description()))  # JSON is YAML
        return [*_COMPOSE, "--no-ansi", "-f", str(path)]

    def _description(self) -> Mapping[str, Any]:
        # The SDK's names; what is one on the whole engine gets a part of its own, since tests run side by side.
        own = uuid.uuid4().hex[:10]
        service = {
            "image": self.image,
            "container_name": f"{own}-{self.host}",
            "stdin_open": True,
            "tty": True,
            "volumes": [f"{path}:{inside}" for path, inside in self.volumes.items()],
            "environment": [f"{name}={value}" for name, value in self.environment.items()],
            "networks": {"sagemaker-local": {"aliases": [self.host]}},
            **self.options,
        }
        networks = {"sagemaker-local": {"name": f"sagemaker-local-{own}"}}
        return {"version": "2.3", "services": {self.host: service}, "networks": networks}


class Running:
    """A container in the background; leaving the context ends it."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, down: Any) -> None:
        """Take over the process of the command, its log, and what cleans up after it."""
        self._process, self._log, self._down = process, log, down

    def __enter__(self) -> Running:
        """The running container."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the container."""
        try:
            self.stop()
        finally:
            self._down()

    def log(self) -> str:
        """All that was printed so far."""
        return self._log.read_text(errors="replace")

    def ended(self) -> bool:
        """Whether the command has ended by itself."""
        return self._process.poll() is not None

    def stop(self) -> int:
        """Interrupt the command as the SDK does, and give its exit code."""
        if not self.ended():
            self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(_STOP_TIMEOUT_S)
        finally:
            self._process.kill()
