"""The engine and the images under test."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping, Sequence

import pytest
import requests
from docker.client import DockerClient
from docker.errors import DockerException, ImageNotFound
from docker.models.containers import Container

_ADVICE = (
    "Image tests need a Docker engine: start one, set DOCKER_HOST, or run ./pants on Debian as root, which starts one. "
    "To leave these tests out: ./pants --tag=-image test ::"
)
_TIMEOUT_S = 300


def connect() -> DockerClient:
    """A client of the engine that the build used; a test fails here, with advice, when none answers."""
    try:
        client = DockerClient.from_env(timeout=_TIMEOUT_S)
        client.ping()
    except (DockerException, requests.RequestException) as error:
        pytest.fail(f"{_ADVICE}\nThe engine did not answer: {error}")
    return client


@dataclass(frozen=True)
class Finished:
    """How a container ended: its exit code and what it wrote."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Image:
    """One of the product's images, as the graph built it.

    Attributes:
        client: The engine that holds it.
        id: `sha256:...`; tests run this and never a tag, which may have moved since.
        tags: Full names the build gave it.
    """

    client: DockerClient
    id: str
    tags: list[str]

    def inspect(self) -> dict[str, Any]:
        """The engine's description of the image."""
        description: dict[str, Any] = self.client.api.inspect_image(self.id)
        return description

    def run(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        mounts: Mapping[Path, str] | None = None,
        **options: Any,
    ) -> Finished:
        """Run a command in a new container to its end; the container is removed.

        Args:
            command: Words; none of them goes through a shell.
            environment: Variables beside the image's own.
            mounts: Paths on this machine, and where the container sees them.
            options: Further options of the engine, as docker-py names them.
        """
        container = self.client.containers.create(
            self.id,
            list(command),
            environment=dict(environment or {}),
            volumes=[f"{source}:{target}" for source, target in (mounts or {}).items()],
            **options,
        )
        try:
            container.start()
            exit_code = int(container.wait(timeout=_TIMEOUT_S)["StatusCode"])
            return Finished(exit_code, _logs(container, stdout=True), _logs(container, stderr=True))
        finally:
            container.remove(force=True)

    def python(self, script: str, **options: Any) -> str:
        """Standard output of a Python script that must succeed, without the last line's end."""
        finished = self.run(["python", "-c", script], **options)
        assert finished.exit_code == 0, finished.stderr
        return finished.stdout.rstrip("\n")


def _logs(container: Container, stdout: bool = False, stderr: bool = False) -> str:
    return str(container.logs(stdout=stdout, stderr=stderr).decode("utf-8", errors="replace"))


def image_of(target: str) -> Image:
    """The image of a `docker_image` target, through the file that packaging it left in the test's sandbox.

    Args:
        target: Its folder and name, such as `docker/0.23-1/final:image`; the test's
            `runtime_package_dependencies` must name it.
    """
    folder, _, name = target.partition(":")
    info = json.loads(Path(folder.replace("/", "."), f"{name}.docker-info.json").read_text(encoding="utf-8"))
    client = connect()
    try:
        client.images.get(info["image_id"])
    except ImageNotFound:
        pytest.fail(f"The engine does not hold {target} ({info['image_id']}). Build it: ./pants package {target}")
    tags = [tag["name"] for registry in info["registries"] for tag in registry["tags"]]
    return Image(client, info["image_id"], tags)
