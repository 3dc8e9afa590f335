"""What the Docker engine holds: images, with their layers' digests and sizes."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

_TIMEOUT_S = 60

# Instructions that change an image's configuration only; every other one makes a layer.
_NO_LAYER = frozenset(
    "ARG CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL MAINTAINER ONBUILD SHELL STOPSIGNAL USER VOLUME".split()
)


class NoEngineError(Exception):
    """No engine answered; the message says why."""


@dataclass(frozen=True)
class Layer:
    """One layer of an image.

    Attributes:
        digest: Of its uncompressed tar, `sha256:...`.
        size: Bytes of its files, as the engine counts them.
        made_by: The instruction that made it.
    """

    digest: str
    size: int
    made_by: str


@dataclass(frozen=True)
class HeldImage:
    """An image in the engine.

    Attributes:
        id: Digest of its configuration, `sha256:...`.
        tags: Full names.
        size: Bytes of all its layers' files.
        layers: From the bottom to the top; empty where the engine does not say which instruction made which.
    """

    id: str
    tags: tuple[str, ...]
    size: int
    layers: tuple[Layer, ...]


def held_images(repositories: Sequence[str]) -> tuple[HeldImage, ...]:
    """The tagged images of some repositories, whatever registry stands before their names.

    Raises:
        NoEngineError: there is no client, or no engine that answers.
    """
    listed = _docker("image", "ls", "--no-trunc", "--format", "{{json .}}")
    wanted = {
        row["ID"]
        for row in map(json.loads, listed.splitlines())
        if row["Tag"] != "<none>" and any(_is_called(row["Repository"], name) for name in repositories)
    }
    if not wanted:
        return ()
    inspected = json.loads(_docker("image", "inspect", *sorted(wanted)))
    return tuple(
        _held(image, _docker("history", "--no-trunc", "--human=false", "--format", "{{json .}}", image["Id"]))
        for image in inspected
    )


def find(images: Sequence[HeldImage], repository: str, tags: Sequence[str]) -> HeldImage | None:
    """The image that has one of `tags` in a repository, the one without a registry's name first."""
    for tag in tags:
        name = f"{repository}:{tag}"
        for image in images:
            if name in image.tags:
                return image
        for image in images:
            if any(held.endswith(f"/{name}") for held in image.tags):
                return image
    return None


def layers_of(digests: Sequence[str], history: Sequence[Mapping[str, Any]]) -> tuple[Layer, ...]:
    """The layers with their sizes and instructions.

    Args:
        digests: From the bottom to the top.
        history: Rows of `docker history`, from the top to the bottom.
    """
    made = [row for row in reversed(history) if _instruction(row["CreatedBy"]) not in _NO_LAYER]
    if len(made) != len(digests):
        return ()
    return tuple(Layer(digest, int(row["Size"]), row["CreatedBy"]) for digest, row in zip(digests, made))


def _held(image: Mapping[str, Any], history: str) -> HeldImage:
    rows = [json.loads(row) for row in history.splitlines()]
    layers = layers_of(image["RootFS"].get("Layers") or (), rows)
    return HeldImage(image["Id"], tuple(image["RepoTags"] or ()), image["Size"], layers)


def _is_called(repository: str, name: str) -> bool:
    return repository == name or repository.endswith(f"/{name}")


def _instruction(made_by: str) -> str:
    # The classic builder writes `/bin/sh -c #(nop)  ENV ...`.
    words = made_by.partition("#(nop)")[2].split() or made_by.split()
    return words[0] if words else ""


def _docker(*arguments: str) -> str:
    try:
        done = subprocess.run(["docker", *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT_S)
    except FileNotFoundError as error:
        raise NoEngineError("there is no `docker` on PATH") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoEngineError(str(error)) from error
    if done.returncode != 0:
        raise NoEngineError(done.stderr.decode(errors="replace").strip())
    return done.stdout.decode()
