"""Sizes, digests and ids of the boxes: from the engine where it holds the image, else from what lies in `dist`."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Sequence

from image_graph import engine
from image_graph.model import LAYER, STEP, WHEEL, Model, Node

NOT_BUILT = "not built"
# The engine has the image, made without this layer: a stage that only checks takes it, for one.
NOT_IN_IMAGE = "not in the image"


@dataclass(frozen=True)
class Fact:
    """What is known of one box beside its place in the graph.

    Attributes:
        size: Bytes; None where there is nothing to measure.
        digest: Of a layer, or an image's id: `sha256:...`; empty where the engine does not hold it.
        remark: Why there is no size, or where it comes from; may be empty.
        tags: An image's names in the engine.
    """

    size: int | None = None
    digest: str = ""
    remark: str = ""
    tags: tuple[str, ...] = ()


def gather(model: Model, held: Sequence[engine.HeldImage], dist: Path) -> dict[str, Fact]:
    """The facts of each box that has any.

    Args:
        model: The boxes.
        held: What the engine holds.
        dist: Folder of Pants' results.
    """
    facts: dict[str, Fact] = {}
    for image in model.images:
        found = engine.find(held, *names_of(model.nodes[image]))
        if found:
            facts[image] = Fact(found.size, found.id, tags=found.tags)
        else:
            facts[image] = Fact(remark=NOT_BUILT)
        for address in model.inputs[image]:
            node = model.nodes[address]
            if node.kind == LAYER:
                fact = _in_image(node, found) or _in_dist(node, dist)
                facts[address] = fact or Fact(remark=NOT_IN_IMAGE if found and found.layers else NOT_BUILT)
    for address, node in model.nodes.items():
        if node.kind in (STEP, WHEEL) and address not in facts:
            fact = _in_dist(node, dist)
            if fact:
                facts[address] = fact
    return facts


def names_of(image: Node) -> tuple[str, tuple[str, ...]]:
    """The repository and the tags that an image's target gives it."""
    fields = image.target.fields
    return fields.get("repository") or image.target.address.partition(":")[2], tuple(fields.get("image_tags") or ())


def _in_image(node: Node, image: engine.HeldImage | None) -> Fact | None:
    outputs = set(_outputs(node))
    for layer in reversed(image.layers if image else ()):
        if outputs & {posixpath.basename(word) for word in layer.made_by.split()}:
            return Fact(layer.size, layer.digest)
    return None


def _in_dist(node: Node, dist: Path) -> Fact | None:
    if node.kind == WHEEL:
        artifact: Mapping[str, str] = node.target.fields.get("provides") or {}
        name = re.sub(r"[-_.]+", "_", artifact.get("name", ""))
        found = sorted(dist.glob(f"{name}-{artifact.get('version', '')}-*.whl")) if name else []
    else:
        # Where goal `export-codegen` writes a step's files.
        found = [path for output in _outputs(node) for path in [dist / "codegen" / output] if path.is_file()]
    if not found:
        return None
    names = ", ".join(path.name for path in found)
    return Fact(sum(path.stat().st_size for path in found), remark=f"{names} in {dist.name}")


def _outputs(node: Node) -> tuple[str, ...]:
    return tuple(node.target.fields.get("output_files") or ())
