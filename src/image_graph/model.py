"""The picture's content: the images and all that they are made from, generated targets folded into their generators."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Iterable, Mapping, Sequence

from image_graph.targets import Target, Targets

IMAGE = "image"
LAYER = "layer"
STEP = "step"
WHEEL = "wheel"
PROGRAM = "program"
PYTHON = "Python"
REQUIREMENTS = "requirements"
LOCK = "lock"
FILES = "files"

# Of the targets that are neither an image, a step nor a file.
_KINDS = {
    "python_distribution": WHEEL,
    "pex_binary": PROGRAM,
    "python_requirement": REQUIREMENTS,
    "python_requirements": REQUIREMENTS,
    "python_source": PYTHON,
    "python_sources": PYTHON,
    "_lockfile": LOCK,
    "_lockfiles": LOCK,
}


@dataclass(frozen=True)
class Node:
    """One box: a target that a BUILD file defines, with those of its generated targets that an image needs.

    Attributes:
        address: Of the target in the BUILD file. The Python code of one wheel may come from several targets; they are
            one box, which is called after the wheel.
        kind: One of the constants above.
        name: What tells it from others in its folder.
        folder: Where it is defined.
        members: Addresses of the targets that it stands for.
        files: Their files.
        lane: Address of the one image that needs it, not counting what that image's own parents need; empty where
            several images do.
        target: What Pants says of it, or of the first of its targets.
    """

    address: str
    kind: str
    name: str
    folder: str
    members: tuple[str, ...]
    files: tuple[str, ...]
    lane: str
    target: Target


@dataclass(frozen=True)
class Model:
    """Boxes and arrows.

    Attributes:
        nodes: By address.
        inputs: Addresses of the nodes that a node is made from, by its own.
        outputs: Addresses of the nodes that are made from a node, by its own.
        images: Addresses of the images, each behind those it is built on.
    """

    nodes: Mapping[str, Node]
    inputs: Mapping[str, tuple[str, ...]]
    outputs: Mapping[str, tuple[str, ...]]
    images: tuple[str, ...]

    def edges(self) -> list[tuple[str, str]]:
        """All arrows, from what is needed to what needs it."""
        return [(needed, address) for address, inputs in self.inputs.items() for needed in inputs]


def build(targets: Targets) -> Model:
    """The model of all images among `targets`."""
    images = [address for address, target in targets.items() if target.is_image]
    needed = targets.closure(images, targets.inputs())
    node_of = {address: targets.generator_of(address) for address in sorted(needed)}
    inputs, outputs = _arrows(targets, node_of)
    kinds = {node: _kind(targets, node, outputs[node]) for node in inputs}
    packaged = _packaged(kinds, outputs)
    generators: dict[str, list[str]] = {}
    for node in inputs:
        generators.setdefault(packaged.get(node, node), []).append(node)
    # A box that stands for one target only is called after that.
    title = {node: parts[0] if len(parts) == 1 else node for node, parts in generators.items()}
    node_of = {address: title[packaged.get(node, node)] for address, node in node_of.items()}
    inputs, outputs = _arrows(targets, node_of)
    nodes = {}
    for group, parts in generators.items():
        node = title[group]
        members = tuple(address for address in node_of if node_of[address] == node)
        files = tuple(sorted({path for member in members for path in targets[member].sources}))
        nodes[node] = Node(
            address=node,
            kind=kinds[parts[0]],
            name=_name(targets, parts, kinds[parts[0]], files),
            folder=posixpath.commonpath([targets[part].folder for part in parts]),
            members=members,
            files=files,
            lane=_lane(node, outputs, set(images)),
            target=targets[parts[0]],
        )
    return Model(dict(sorted(nodes.items())), inputs, outputs, _in_order(images, inputs))


def _arrows(
    targets: Targets, node_of: Mapping[str, str]
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """What each node is made from, and what is made from it."""
    inputs: dict[str, set[str]] = {}
    outputs: dict[str, set[str]] = {}
    for address, node in node_of.items():
        inputs.setdefault(node, set())
        outputs.setdefault(node, set())
        for wanted in {node_of[one] for one in targets[address].inputs} - {node}:
            inputs[node].add(wanted)
            outputs.setdefault(wanted, set()).add(node)
    return _sorted(inputs), _sorted(outputs)


def _sorted(arrows: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    return {node: tuple(sorted(others)) for node, others in sorted(arrows.items())}


def _packaged(kinds: Mapping[str, str], outputs: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """For Python code that gets into the images as one wheel or program only, the box of all that does so."""
    found = {}
    for node, kind in kinds.items():
        if kind == PYTHON:
            seen: set[str] = set()
            waiting = [node]
            while waiting:
                address = waiting.pop()
                if address not in seen:
                    seen.add(address)
                    waiting += outputs[address] if kinds[address] == PYTHON else ()
            users = [address for address in seen if kinds[address] != PYTHON]
            if len(users) == 1 and kinds[users[0]] in (WHEEL, PROGRAM):
                found[node] = f"{PYTHON} of {users[0]}"
    return found


def _kind(targets: Targets, node: str, outputs: Iterable[str]) -> str:
    target = targets[node]
    if target.is_image:
        return IMAGE
    if target.is_step:
        return LAYER if any(targets[output].is_image for output in outputs) else STEP
    if target.type in _KINDS:
        return _KINDS[target.type]
    return LOCK if target.sources and all(path.endswith(".lock") for path in target.sources) else FILES


def _name(targets: Targets, parts: Sequence[str], kind: str, files: Sequence[str]) -> str:
    if len(parts) > 1:
        return f"{len(parts)} packages"
    target = targets[parts[0]]
    if kind == WHEEL and "name" in (target.fields.get("provides") or {}):
        return str(target.fields["provides"]["name"])
    if kind == LOCK and len(files) == 1:
        return posixpath.basename(files[0])
    return target.address.partition(":")[2]


def _lane(node: str, outputs: Mapping[str, tuple[str, ...]], images: set[str]) -> str:
    if node in images:
        return node
    seen: set[str] = set()
    waiting = [node]
    while waiting:
        address = waiting.pop()
        if address not in seen:
            seen.add(address)
            waiting += () if address in images else outputs[address]
    reached = sorted(seen & images)
    return reached[0] if len(reached) == 1 else ""


def _in_order(images: list[str], inputs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """`images`, each behind those among its direct inputs; neighbours in a chain stay together."""
    ordered: dict[str, None] = {}

    def place(image: str) -> None:
        for parent in inputs[image]:
            if parent in images and parent not in ordered:
                place(parent)
        ordered.setdefault(image)

    for image in sorted(images):
        place(image)
    return tuple(ordered)
