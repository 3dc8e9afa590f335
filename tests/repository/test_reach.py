"""What a change reaches, and nothing else: docs/reach.md, row by row, on a copy that is really changed and built."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, Mapping

import pytest
from docker.client import DockerClient
from docker.errors import APIError

from tests.support.checkout import Checkout, checkout
from tests.support.engine import connect

# From the one that stands alone to the one above all others.
IMAGES = ("foundation", "base", "final", "extension")
FOLDER = "docker/0.23-1"
# In front of the copy's image names, so that no tag of the machine's own builds moves.
OWN = "reach-"
SUPPORT = "src/sagemaker_sklearn_container/redaction.py"
ALL_DEPENDENTS = ("--changed-since=HEAD~", "--changed-dependents=transitive")


@dataclass(frozen=True)
class Row:
    """A line of the table: what one change reaches.

    Attributes:
        change: Which.
        steps: Layers whose targets Pants selects, as `IMAGE/LAYER`.
        layers: Layers with other bytes, likewise.
        images: Images with another id; Pants selects no other.
        tests: Folders, with `/` at their end, and modules below `tests` that Pants selects.
    """

    change: str
    steps: frozenset[str]
    layers: frozenset[str]
    images: frozenset[str]
    tests: frozenset[str]


@dataclass(frozen=True)
class Built:
    """What the engine holds after a build: image ids by image, and layer digests by `IMAGE/LAYER`."""

    ids: Mapping[str, str]
    layers: Mapping[str, str]


def _rows() -> list[Row]:
    """The table of docs/reach.md."""
    text = Path("docs/reach.md").read_text(encoding="utf-8")
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    header, rule, *rows = lines
    assert header == ["change", "layer steps", "layers", "images", "tests"]
    assert set(rule[0]) == {"-"}
    return [Row(row[0], *(frozenset(re.findall(r"`([^`]+)`", cell)) for cell in row[1:])) for row in rows]


def _append(path: str, line: str) -> Callable[[Checkout], None]:
    def change(copy: Checkout) -> None:
        with Path(copy.folder, path).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    return change


def _pin(path: str, name: str, version: str, sha256: str) -> Callable[[Checkout], None]:
    """Another release of a locked distribution, as the registry has it."""

    def change(copy: Checkout) -> None:
        lock = Path(copy.folder, path)
        text = lock.read_text(encoding="utf-8")
        changed, count = re.subn(
            rf"(?m)^{name}==(?!{re.escape(version)} )\S+ \\\n(?: +--hash=\S+(?: \\)?\n)+",
            rf"{name}=={version} \\\n    --hash=sha256:{sha256}\n",
            text,
        )
        assert count == 1, f"{path} has no {name} of another release than {version}; name another one here"
        lock.write_text(changed, encoding="utf-8")

    return change


CHANGES: Mapping[str, Callable[[Checkout], None]] = {
    "a comment in the support package": _append(SUPPORT, "# A comment."),
    "a line of the support package": _append(SUPPORT, "REACHED = True"),
    "a line of `mlio`": _append("src/mlio/text_checks.py", "REACHED = True"),
    "a test": _append("tests/unit/sagemaker_sklearn_container/test_cpus.py", "# A comment."),
    "the extension's Dockerfile": _append(f"{FOLDER}/extension/Dockerfile.cpu", "ENV REACHED=yes"),
    "a label of base": _append(f"{FOLDER}/base/Dockerfile.cpu", "LABEL reached=yes"),
    "a library that only the extension has": _pin(
        "3rdparty/python/extension.lock",
        "patsy",
        "1.0.2",
        "37bfddbc58fcf0362febb5f54f10743f8b21dd2aa73dec7e7ef59d1b02ae668a",
    ),
    "a library that base has": _pin(
        "3rdparty/python/base.lock",
        "joblib",
        "1.4.0",
        "42942470d4062537be4d54c83511186da1fc14ba354961a2114da91efa9a4ed7",
    ),
    "the list of Debian packages": _append("3rdparty/os/wanted.txt", "media-types"),
    "`README.md`": _append("README.md", "A sentence."),
}


def _build(copy: Checkout, client: DockerClient) -> Built:
    copy.must("./pants", "package", *(f"{FOLDER}/{image}:image" for image in IMAGES))
    ids: dict[str, str] = {}
    layers: dict[str, str] = {}
    below: list[str] = []
    for image in IMAGES:
        info = Path(copy.folder, "dist", f"{FOLDER.replace('/', '.')}.{image}", "image.docker-info.json")
        ids[image] = json.loads(info.read_text(encoding="utf-8"))["image_id"]
        digests = client.api.inspect_image(ids[image])["RootFS"]["Layers"]
        names = [_layer(entry["CreatedBy"]) for entry in reversed(client.api.history(ids[image]))]
        named = list(zip(filter(None, names), digests))
        assert len(named) == len(digests), f"{image} has layers that no ADD or COPY made"
        assert digests[: len(below)] == below, f"{image} does not stand on the image below it"
        layers.update({f"{image}/{name}": digest for name, digest in named[len(below) :]})
        below = digests
    return Built(ids, layers)


def _layer(instruction: str) -> str | None:
    """The layer that an instruction brings in, if it does."""
    # What is copied from the stage of the check is this layer's.
    if instruction.startswith("COPY /checked/ /"):
        return "parent-check-layer"
    added = re.match(r"ADD ([a-z-]+-layer)\.tar / ", instruction)
    return added[1] if added else None


@dataclass(frozen=True)
class World:
    """The copy, the engine, what is built before any change, every test module, and all images that were made."""

    copy: Checkout
    client: DockerClient
    built: Built
    modules: frozenset[str]
    made: set[str]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One for all rows: a copy costs a start of Pants, and a build."""
    client = connect()
    with checkout(tmp_path_factory.mktemp("reach") / "copy") as copy:
        for image in IMAGES:
            definition = Path(copy.folder, FOLDER, image, "BUILD")
            text = definition.read_text(encoding="utf-8")
            assert text.count('repository="') == 1
            definition.write_text(text.replace('repository="', f'repository="{OWN}'), encoding="utf-8")
        copy.commit("Image names of its own")
        made: set[str] = set()
        try:
            built = _build(copy, client)
            modules = _modules(copy.must("./pants", "list", "--filter-target-type=python_test", "tests::"))
            yield World(copy, client, built, modules, made)
        finally:
            _remove_images(client, made)


def _remove_images(client: DockerClient, made: set[str]) -> None:
    """Remove the copy's tags, and of the images that were made for it those that have no other."""
    for image in client.images.list():
        for tag in image.tags:
            if tag.startswith(OWN):
                client.images.remove(tag)
    for image_id in made:
        # It has another tag, or an image above it has.
        with suppress(APIError):
            client.images.remove(image_id)


@pytest.fixture()
def changed(world: World) -> Iterator[Checkout]:
    """The copy, without the changes of the row before."""
    before = world.copy.must("git", "rev-parse", "HEAD").strip()
    yield world.copy
    world.copy.must("git", "reset", "--quiet", "--hard", before)


def _selected(copy: Checkout, *options: str) -> list[str]:
    listed = copy.must("./pants", *ALL_DEPENDENTS, *options, "list").splitlines()
    # Lines of the log have blanks.
    return [line for line in listed if line and " " not in line]


def _modules(addresses: str) -> frozenset[str]:
    found = re.findall(r"(?m)^tests/(\S+?/test_\w+\.py)(?::|$)", addresses)
    return frozenset(found)


def _matches(module: str, pattern: str) -> bool:
    return module.startswith(pattern) if pattern.endswith("/") else module == pattern


def test_the_table_has_each_change_once() -> None:
    changes = [row.change for row in _rows()]
    assert changes == list(CHANGES)


@pytest.mark.parametrize("row", _rows(), ids=lambda row: str(row.change).replace("`", ""))
def test_reach(row: Row, changed: Checkout, world: World) -> None:
    CHANGES[row.change](changed)
    changed.commit(row.change)

    targets = _selected(changed)
    steps = {
        f"{image}/{name}" for image, name in re.findall(rf"(?m)^{FOLDER}/([\w-]+):([\w-]+-layer)$", "\n".join(targets))
    }
    images = set(re.findall(rf"(?m)^{FOLDER}/([\w-]+):image$", "\n".join(targets)))
    tests = _modules("\n".join(_selected(changed, "--filter-target-type=python_test")))
    built = _build(changed, world.client)
    world.made.update(set(built.ids.values()) - set(world.built.ids.values()))

    assert steps == row.steps
    assert {layer for layer in built.layers if built.layers[layer] != world.built.layers.get(layer)} == row.layers
    assert {image for image in built.ids if built.ids[image] != world.built.ids[image]} == row.images
    assert images == row.images
    assert {module for module in tests if not any(_matches(module, pattern) for pattern in row.tests)} == set()
    for pattern in row.tests:
        meant = {module for module in world.modules if _matches(module, pattern)}
        # Unit tests of a package depend on the modules that they import.
        assert tests & meant if pattern.startswith("unit/") else tests & meant == meant, pattern


def test_the_layer_tool_reaches_every_layer_and_image(changed: Checkout, world: World) -> None:
    """Pants by itself stops at the tool: see `runnable_target`."""
    _append("src/image_layers/layer.py", "# A comment.")(changed)
    changed.commit("The layer tool")

    selected = set(_selected(changed))

    assert {f"{FOLDER}/{layer.replace('/', ':')}" for layer in world.built.layers} <= selected
    assert {f"{FOLDER}/{image}:image" for image in IMAGES} <= selected
