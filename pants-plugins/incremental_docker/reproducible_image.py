"""Gives an image that was built an id that depends on its content alone.

    python reproducible_image.py CLIENT CREATED TAG... BUILT

An engine of the time before SOURCE_DATE_EPOCH (BuildKit 0.11) writes the time of the build into an image's
configuration: into `created`, and again for each step of the history. The id is a digest of the configuration, so two
machines that built the same layers have two ids. This program describes the image anew, in the words of the OCI image
specification, without the clock, and hands that to the engine with the layers it holds already: an archive of a few
kilobytes, since an engine reads no layer that it knows.

It needs nothing beyond Python's own library: the build runs it beside the client.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Mapping, Sequence

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


class ImageError(Exception):
    """The engine did not take the image; what it said."""


def configuration(image: Mapping[str, Any], steps: Sequence[Mapping[str, str]], created: str) -> bytes:
    """The image's configuration, as an OCI image has it; its SHA-256 is the image's id.

    Args:
        image: The engine's description (`docker image inspect`).
        steps: Its history, the newest first (`docker image history`), with `CreatedBy` and `Comment`.
        created: Date and time for all of it, by RFC 3339.
    """
    layers = image["RootFS"]["Layers"]
    history = [_step(step, created) for step in reversed(steps)]
    described: dict[str, Any] = {
        "architecture": image["Architecture"],
        "config": {field: image["Config"][field] for field in _FIELDS if image["Config"].get(field)},
        "created": created,
        "os": image["Os"],
        "rootfs": {"type": "layers", "diff_ids": layers},
    }
    if image.get("Variant"):
        described["variant"] = image["Variant"]
    # A history that does not fit the layers misleads; the specification does without one.
    if sum("empty_layer" not in step for step in history) == len(layers):
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


def archive_of(config: bytes, tags: Sequence[str]) -> bytes:
    """An image archive (`docker image save`) of a configuration and of layers that the engine has: their files lack."""
    layers = json.loads(config)["rootfs"]["diff_ids"]
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [
        {"Config": name, "RepoTags": list(tags), "Layers": [f"{number}/layer.tar" for number in range(len(layers))]}
    ]
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path, content in ((name, config), ("manifest.json", json.dumps(manifest).encode("utf-8"))):
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def reproduce(client: str, created: str, tags: Sequence[str], built: str) -> str:
    """Hand the engine the image `built` without the times of its build, and give that the tags; the id it has now.

    Raises:
        ImageError: the engine did not take it.
    """
    history = [client, "image", "history", "--no-trunc", "--format", "{{json .}}", built]
    with ThreadPoolExecutor() as both:
        described, steps = both.map(_call, ([client, "image", "inspect", built], history))
    config = configuration(json.loads(described)[0], [json.loads(line) for line in steps.splitlines()], created)
    _call([client, "image", "load", "--quiet"], archive_of(config, tags))
    image_id = f"sha256:{hashlib.sha256(config).hexdigest()}"
    # An engine that keeps images in another way may have taken it for another one.
    found = _call([client, "image", "inspect", "--format", "{{.Id}}", *tags]).decode("utf-8").split()
    if set(found) != {image_id}:
        raise ImageError(f"the engine took {image_id} for {', '.join(found)}")
    return image_id


def _call(command: Sequence[str], stdin: bytes = b"") -> bytes:
    done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise ImageError(f"`{' '.join(command[:3])}` ended with {done.returncode}: {said}")
    return done.stdout


def main(client: str, created: str, *names: str) -> int:
    """Print the id of the image that has the tags: the one without times, or the built one if there can be no such."""
    *tags, built = names
    try:
        print(reproduce(client, created, tags, built), end="")
    except ImageError as error:
        print(
            f"{built} keeps the times of its build, so its id differs from other machines': {error}\n"
            "Its layers are not concerned. Docker's classic image store takes an image without them.",
            file=sys.stderr,
        )
        for tag in tags:
            _call([client, "image", "tag", built, tag])
        print(_call([client, "image", "inspect", "--format", "{{.Id}}", built]).decode("utf-8").strip(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
