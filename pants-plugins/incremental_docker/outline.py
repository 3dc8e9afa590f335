"""The outline of a build context: layers that are known before the build stand in it as a few bytes each.

An engine unpacks an archive that a Dockerfile adds, and makes a layer of what it finds then, in an order of its own. An
engine that has the layer below twice takes another order (Docker 20.10: by path, not by folder), and the layer has
another digest: an image's id would depend on what else the engine holds. A layer of ours is a file whose bytes are
settled, so the engine builds the outline, which gives the image its configuration, and is handed the layers as they are
(`reproducible_image`).
"""

from __future__ import annotations

import io
import tarfile
from pathlib import PurePosixPath
from typing import Collection

from image_definitions.dockerfile import Instruction, parse

# Of the outline, beside the context.
FOLDER = ".outline"

# Instructions that add a layer, or may.
_LAYER_MAKERS = frozenset({"ADD", "COPY", "RUN", "WORKDIR"})


def ready_layers(dockerfile: str, context_root: str, files: Collection[str]) -> tuple[str, ...]:
    """The archives that are an image's topmost layers, the lowest first: `ADD NAME.tar /`, with nothing made above.

    What an instruction below them makes is the engine's. An archive below such an instruction is not ready, since that
    one sees the archive's files.

    Args:
        dockerfile: Text; its last stage is the image.
        context_root: Folder that the Dockerfile's names start from, relative to the sandbox.
        files: Those of the context, relative to the sandbox.
    """
    ready: list[str] = []
    for instruction in reversed(parse(dockerfile).instructions):
        if instruction.keyword == "FROM":
            break
        if instruction.keyword in _LAYER_MAKERS:
            path = _added(instruction, context_root)
            if path not in files:
                break
            ready.append(path)
    return tuple(reversed(ready))


def _added(instruction: Instruction, context_root: str) -> str:
    """The archive that the instruction unpacks at the root; empty where it does another thing."""
    if instruction.keyword != "ADD" or instruction.flags or instruction.heredocs:
        return ""
    name, *rest = instruction.words or ("",)
    return str(PurePosixPath(context_root, name)) if name.endswith(".tar") and rest == ["/"] else ""


def stand_in(digest: str) -> bytes:
    """A tar for an outline, of one file that says what it stands for.

    Args:
        digest: Of the layer.
    """
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo(".layer")
        member.size = len(digest)
        archive.addfile(member, io.BytesIO(digest.encode("ascii")))
    return stream.getvalue()
