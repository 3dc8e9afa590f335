"""Gives an image that was built an id that depends on its content alone.

    python reproducible_image.py CLIENT CREATED [--layer DIGEST PATH]... --built TAG --tags TAG...

An engine of the time before SOURCE_DATE_EPOCH (BuildKit 0.11) writes the time of the build into an image's
configuration: into `created`, and again for each step of the history. The id is a digest of the configuration, so two
machines that built the same layers have two ids. This program describes the image anew, in the words of the OCI image
specification, without the clock and with the layers themselves where the build had stand-ins (`outline`), and hands
that to the engine. An engine reads no layer that it holds, so those that it does not hold alone are sent.

It needs nothing beyond Python's own library: the build runs it beside the client.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, Mapping, Sequence

# The fields of an image's configuration, by the OCI image specification and by Docker's additions to it. The engine's
# description has more: those of a container.
_FIELDS = (
    "ArgsEscaped",
    "Cmd",
    "Entrypoint",
    "Env",
    "ExposedPorts",
    "Healthcheck",
    "Labels",
    "OnBuild",
    "Shell",
    "StopSignal",
    "User",
    "Volumes",
    "WorkingDir",
)
# Steps that add no layer. BuildKit writes the instruction; the builder before it marks them.
_NO_LAYER = tuple(
    f"{instruction} "
    for instruction in (
        "ARG",
        "CMD",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
    )
)
_NO_OPERATION = "#(nop)"


# What the engine says of a layer that it needs and that the archive lacks.
_LACKING = re.compile(r"/(\d+)/layer\.tar: no such file")


class ImageError(Exception):
    """The engine did not take the image; what it said."""


@dataclass(frozen=True)
class Layer:
    """A layer that the build had a stand-in for.

    Attributes:
        digest: SHA-256 of the file, in hexadecimal digits: an uncompressed layer's digest is its file's.
        path: The file.
    """

    digest: str
    path: str


def configuration(
    image: Mapping[str, Any], steps: Sequence[Mapping[str, str]], created: str, layers: Sequence[Layer] = ()
) -> bytes:
    """The image's configuration, as an OCI image has it; its SHA-256 is the image's id.

    Args:
        image: The engine's description (`docker image inspect`).
        steps: Its history, the newest first (`docker image history`), with `CreatedBy` and `Comment`.
        created: Date and time for all of it, by RFC 3339.
        layers: The topmost ones, in place of those that were built; the lowest first.
    """
    digests = [*image["RootFS"]["Layers"]]
    digests[len(digests) - len(layers) :] = [f"sha256:{layer.digest}" for layer in layers]
    history = [_step(step, created) for step in reversed(steps)]
    described: dict[str, Any] = {
        "architecture": image["Architecture"],
        "config": {field: image["Config"][field] for field in _FIELDS if image["Config"].get(field)},
        "created": created,
        "os": image["Os"],
        "rootfs": {"type": "layers", "diff_ids": digests},
    }
    if image.get("Variant"):
        described["variant"] = image["Variant"]
    # A history that does not fit the layers misleads; the specification does without one.
    if sum("empty_layer" not in step for step in history) == len(digests):
        described["history"] = history
    return json.dumps(described, sort_keys=True, separators=(",", ":")).encode("utf-8")


def _step(step: Mapping[str, str], created: str) -> dict[str, Any]:
    made = step["CreatedBy"]
    entry: dict[str, Any] = {"created": created, "created_by": made}
    if step.get("Comment"):
        entry["comment"] = step["Comment"]
    operation = made.partition(_NO_OPERATION)[2].strip() if _NO_OPERATION in made else ""
    no_layer = not operation.startswith(("ADD ", "COPY ")) if operation else made.startswith(_NO_LAYER)
    return {**entry, "empty_layer": True} if no_layer else entry


def write_archive(config: bytes, tags: Sequence[str], layers: Mapping[int, str], out: IO[bytes]) -> None:
    """Write an image archive (`docker image save`) without the files of the layers that the engine has.

    Args:
        config: Configuration.
        tags: Full names.
        layers: Files of the other layers, by the layer's number, the lowest being 0.
        out: Binary sink, left open; it need not be able to seek.
    """
    count = len(json.loads(config)["rootfs"]["diff_ids"])
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": list(tags), "Layers": [f"{number}/layer.tar" for number in range(count)]}]
    # Not with tarfile's own stream, whose buffer is copied with each piece that it takes.
    for path, content in ((name, config), ("manifest.json", json.dumps(manifest).encode("utf-8"))):
        _write_member(out, path, io.BytesIO(content), len(content))
    for number, path in layers.items():
        with open(path, "rb") as file:
            _write_member(out, f"{number}/layer.tar", file, os.fstat(file.fileno()).st_size)
    out.write(bytes(2 * tarfile.BLOCKSIZE))


def _write_member(out: IO[bytes], name: str, content: IO[bytes], size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size = size
    out.write(member.tobuf())
    shutil.copyfileobj(content, out, 1 << 20)
    out.write(bytes(-size % tarfile.BLOCKSIZE))


def reproduce(client: str, created: str, layers: Sequence[Layer], tags: Sequence[str], built: str) -> str:
    """Hand the engine the image `built` without the times of its build, and give that the tags; the id it has now.

    Raises:
        ImageError: the engine did not take it.
    """
    history = [client, "image", "history", "--no-trunc", "--format", "{{json .}}", built]
    with ThreadPoolExecutor() as both:
        described, steps = both.map(_call, ([client, "image", "inspect", built], history))
    config = configuration(json.loads(described)[0], [json.loads(line) for line in steps.splitlines()], created, layers)
    _load(client, config, tags, layers)
    image_id = f"sha256:{hashlib.sha256(config).hexdigest()}"
    # An engine that keeps images in another way may have taken it for another one.
    found = _call([client, "image", "inspect", "--format", "{{.Id}}", *tags]).decode("utf-8").split()
    if set(found) != {image_id}:
        raise ImageError(f"the engine took {image_id} for {', '.join(found)}")
    return image_id


def _load(client: str, config: bytes, tags: Sequence[str], layers: Sequence[Layer]) -> None:
    """Hand over the image with as few layers as the engine needs.

    Which layers it holds, nothing but an attempt tells. What stands on one that it lacks, it lacks as well.
    """
    count = len(json.loads(config)["rootfs"]["diff_ids"])
    own = {count - len(layers) + number: layer.path for number, layer in enumerate(layers)}
    try:
        _send(client, config, tags, {})
    except ImageError as error:
        lacking = _LACKING.search(str(error))
        if not lacking or int(lacking[1]) not in own:
            raise
        _send(client, config, tags, {number: path for number, path in own.items() if number >= int(lacking[1])})


def _send(client: str, config: bytes, tags: Sequence[str], layers: Mapping[int, str]) -> None:
    command = [client, "image", "load", "--quiet"]
    # Its output is short.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as load:
        assert load.stdin, "was asked for"
        # A client that has seen enough; its status tells.
        with suppress(BrokenPipeError), load.stdin as stdin:
            write_archive(config, tags, layers, stdin)
        assert load.stderr, "was asked for"
        said = load.stderr.read()
    _check(command, load.returncode, said)


def _call(command: Sequence[str]) -> bytes:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _check(command, done.returncode, done.stderr)
    return done.stdout


def _check(command: Sequence[str], status: int, stderr: bytes) -> None:
    if status:
        said = stderr.decode("utf-8", "replace").strip()
        raise ImageError(f"`{' '.join(command[:3])}` ended with {status}: {said}")


def main() -> int:
    """Print the id of the image that has the tags now; 1 where the engine does not take it, and why on stderr."""
    parser = argparse.ArgumentParser()
    parser.add_argument("client")
    parser.add_argument("created")
    parser.add_argument("--layer", nargs=2, action="append", default=[])
    parser.add_argument("--built", required=True)
    parser.add_argument("--tags", nargs="+", required=True)
    args = parser.parse_args()
    try:
        layers = [Layer(*layer) for layer in args.layer]
        print(reproduce(args.client, args.created, layers, args.tags, args.built), end="")
    except ImageError as error:
        print(f"{args.built}: not taken without the times of its build: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
