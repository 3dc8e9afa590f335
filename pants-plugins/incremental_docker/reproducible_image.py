"""Gives an image that was built an id that depends on its content alone.

    python reproducible_image.py CLIENT CREATED [--layer DIGEST PATH]... --built TAG --tags TAG... -- BUILD COMMAND

An engine of the time before SOURCE_DATE_EPOCH (BuildKit 0.11) writes the time of the build into an image's
configuration: into `created`, and again for each step of the history. The id is a digest of the configuration, so two
machines that built the same layers have two ids. This program describes the image anew, in the words of the OCI image
specification, without the clock and with the layers themselves where the build had stand-ins (`outline`), and hands
that to the engine. The layers' files are on their way while the build runs; the engine unpacks those that it lacks.

It needs nothing beyond Python's own library: the build runs it beside the client.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
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


# Exit codes.
BUILD_FAILED, NOT_TAKEN = 1, 3


class BuildError(Exception):
    """The build failed; it has said why."""


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


class Archive:
    """Writes an image archive (`docker image save`): layers in any order, and in the end the image that has them.

    The layers that the engine has need no file.
    """

    def __init__(self, out: IO[bytes]) -> None:
        """An archive to a binary sink, which need not be able to seek and is left open."""
        self._out = out
        self._files: dict[str, str] = {}

    def add_layers(self, layers: Sequence[Layer]) -> None:
        """Write the files of layers."""
        for layer in layers:
            self._files[f"sha256:{layer.digest}"] = name = f"{layer.digest}/layer.tar"
            with open(layer.path, "rb") as file:
                self._add(name, file, os.fstat(file.fileno()).st_size)

    def end(self, config: bytes, tags: Sequence[str]) -> None:
        """Write a configuration, and the full names that the image gets."""
        digests = json.loads(config)["rootfs"]["diff_ids"]
        name = f"{hashlib.sha256(config).hexdigest()}.json"
        files = [self._files.get(digest, f"{number}/layer.tar") for number, digest in enumerate(digests)]
        manifest = json.dumps([{"Config": name, "RepoTags": list(tags), "Layers": files}]).encode("utf-8")
        for path, content in ((name, config), ("manifest.json", manifest)):
            self._add(path, io.BytesIO(content), len(content))
        self._out.write(bytes(2 * tarfile.BLOCKSIZE))

    # Not with tarfile's own stream, whose buffer is copied with each piece that it takes.
    def _add(self, name: str, content: IO[bytes], size: int) -> None:
        member = tarfile.TarInfo(name)
        member.size = size
        self._out.write(member.tobuf())
        shutil.copyfileobj(content, self._out, 1 << 20)
        self._out.write(bytes(-size % tarfile.BLOCKSIZE))


def reproduce(
    client: str, created: str, layers: Sequence[Layer], tags: Sequence[str], built: str, build: Sequence[str]
) -> str:
    """Build the image `built`, hand it to the engine without the times of its build, and give that the tags.

    Returns:
        The id of the image that has them.

    Raises:
        BuildError: the build failed.
        ImageError: the engine did not take the image.
    """
    load = [client, "image", "load", "--quiet"]
    with ThreadPoolExecutor() as beside, subprocess.Popen(
        load, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as loading:
        assert loading.stdin, "was asked for"
        assert loading.stderr, "was asked for"
        archive = Archive(loading.stdin)
        sent = beside.submit(archive.add_layers, layers)
        try:
            status = subprocess.run(build, stdout=sys.stderr).returncode
            if status:
                raise BuildError(status)
            history = [client, "image", "history", "--no-trunc", "--format", "{{json .}}", built]
            described, steps = beside.map(_call, ([client, "image", "inspect", built], history))
            config = configuration(
                json.loads(described)[0], [json.loads(line) for line in steps.splitlines()], created, layers
            )
        except BaseException:
            loading.kill()
            # Else leaving does it, and its complaint would be the error.
            with suppress(BrokenPipeError):
                loading.stdin.close()
            raise
        # The client may have seen enough before the end; its status tells.
        with suppress(BrokenPipeError), loading.stdin:
            sent.result()
            archive.end(config, tags)
        said = loading.stderr.read()
    _check(load, loading.returncode, said)
    image_id = f"sha256:{hashlib.sha256(config).hexdigest()}"
    # An engine that keeps images in another way may have taken it for another one.
    found = _call([client, "image", "inspect", "--format", "{{.Id}}", *tags]).decode("utf-8").split()
    if set(found) != {image_id}:
        raise ImageError(f"the engine took {image_id} for {', '.join(found)}")
    return image_id


def _call(command: Sequence[str]) -> bytes:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _check(command, done.returncode, done.stderr)
    return done.stdout


def _check(command: Sequence[str], status: int, stderr: bytes) -> None:
    if status:
        said = stderr.decode("utf-8", "replace").strip()
        raise ImageError(f"`{' '.join(command[:3])}` ended with {status}: {said}")


def main() -> int:
    """Print the id of the image that has the tags now. NOT_TAKEN: the engine did not take it; stderr says why."""
    parser = argparse.ArgumentParser()
    parser.add_argument("client")
    parser.add_argument("created")
    parser.add_argument("--layer", nargs=2, action="append", default=[])
    parser.add_argument("--built", required=True)
    parser.add_argument("--tags", nargs="+", required=True)
    options, build = sys.argv[1 : sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1 :]
    args = parser.parse_args(options)
    try:
        layers = [Layer(*layer) for layer in args.layer]
        print(reproduce(args.client, args.created, layers, args.tags, args.built, build), end="")
    except BuildError:
        return BUILD_FAILED
    except ImageError as error:
        print(f"{args.built}: not taken without the times of its build: {error}", file=sys.stderr)
        return NOT_TAKEN
    return 0


if __name__ == "__main__":
    sys.exit(main())
