"""Ids and labels of images: equal on two machines, and a commit's only where the commit changed the image."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import tarfile
from pathlib import Path
from typing import Iterator

import pytest

from tests.support.checkout import Checkout, checkout
from tests.support.engine import connect

NAMES = {
    "sklearn-foundation": "foundation",
    "sklearn-base": "base",
    "preprod-sklearn": "final",
    "preprod-sklearn-extension": "extension",
}
IMAGES = tuple(NAMES.values())
FOUNDATION = "docker/0.23-1/foundation:image"
EXTENSION = "docker/0.23-1/extension:image"
DEFINITION = "docker/0.23-1/foundation/BUILD"
OCI = "org.opencontainers.image"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    with checkout(tmp_path_factory.mktemp("ids") / "original") as made:
        yield made


@pytest.fixture(scope="module")
def other_folder(original: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    made = Checkout(tmp_path_factory.mktemp("ids") / "clone", original.environment)
    original.must("git", "clone", "--quiet", ".", str(made.folder))
    yield made
    made.end_daemon()


@pytest.fixture()
def clone(original: Checkout, other_folder: Checkout) -> Checkout:
    """Another folder with the same commit, and a clean tree."""
    other_folder.must("git", "reset", "--quiet", "--hard", original.must("git", "rev-parse", "HEAD").strip())
    return other_folder


def ids(made: Checkout, *images: str) -> dict[str, str]:
    """What the last build noted."""
    infos = {image: made.folder / "dist" / f"docker.0.23-1.{image}" / "image.docker-info.json" for image in images}
    return {image: str(json.loads(info.read_text(encoding="utf-8"))["image_id"]) for image, info in infos.items()}


def labels(image_id: str) -> dict[str, str]:
    found: dict[str, str] = connect().api.inspect_image(image_id)["Config"]["Labels"]
    return {name.rpartition(f"{OCI}.")[2]: value for name, value in found.items() if name.startswith(OCI)}


def sandboxes(said: str) -> dict[str, Path]:
    """The folder that each image was built in, and away with those of other steps."""
    found = {}
    for folder, step in re.findall(r"reserv\w+ local process execution dir (\S+) for (.*)", said):
        built = re.match(r"Building docker image ([^:\s]+):", step)
        if built:
            found[NAMES[built[1]]] = Path(folder)
        else:
            shutil.rmtree(folder)
    return found


def context(folder: Path) -> set[str]:
    """Names of the files that a build sees; those of Pants' own begin with `_` or `.`."""
    return {path.name for path in folder.rglob("*") if path.is_file() and path.name[0] not in "._"}


def own_files(made: Checkout, image: str) -> set[str]:
    """What the image's Dockerfile takes, the Dockerfile, and the bill with its licences, which the plugin reads."""
    text = Path(made.folder, "docker/0.23-1", image, "Dockerfile.cpu").read_text(encoding="utf-8")
    [name] = [name for name, named in NAMES.items() if named == image]
    told = {f"{name}.cdx.json", f"{name}.licences.txt"}
    if image == "foundation":
        # The layer's step writes it beside the layer, for the bill.
        told.add("operating-system-packages.txt")
    return {"Dockerfile.cpu", *told, *re.findall(r"^ADD (\S+) /", text, re.M)}


def added_files(made: Checkout, image: str, folder: Path) -> list[str]:
    """Digests of the archives in a build's sandbox that make up the image's own layers, the lowest first."""
    text = Path(made.folder, "docker/0.23-1", image, "Dockerfile.cpu").read_text(encoding="utf-8")
    names = re.findall(r"^ADD (\S+) /$", text[text.rindex("\nFROM ") if "\nFROM " in text else 0 :], re.M)
    return [f"sha256:{hashlib.sha256((folder / name).read_bytes()).hexdigest()}" for name in names]


def build(made: Checkout) -> str:
    """The foundation's id."""
    made.must("./pants", "package", FOUNDATION)
    return ids(made, "foundation")["foundation"]


def test_two_machines_that_build_a_commit_make_the_same_images(original: Checkout, clone: Checkout) -> None:
    """Each step of the build anew in both; ids are digests of configuration and layers. What was built from what.

    An image's own layers are the very files of the layer steps, whatever else the engine holds.
    """
    found = []
    for made in (original, clone):
        command = ["./pants", "--incremental-docker-rebuild", "--keep-sandboxes=always", "package", "docker/0.23-1::"]
        kept = sandboxes(made.must(*command))
        try:
            for image in IMAGES:
                assert context(kept[image]) == own_files(made, image), image
                layers = connect().api.inspect_image(ids(made, image)[image])["RootFS"]["Layers"]
                files = added_files(made, image, kept[image])
                assert len(files) >= 2
                assert layers[-len(files) :] == files, image
        finally:
            for folder in kept.values():
                shutil.rmtree(folder)
        found.append(ids(made, *IMAGES))
    assert found[0] == found[1]

    commit = original.must("git", "rev-parse", "HEAD").strip()
    for image, parent in zip(IMAGES[1:], IMAGES):
        said = labels(found[0][image])
        assert said["base.digest"] == found[0][parent]
        assert said["revision"] == commit
    assert labels(found[0]["extension"])["base.name"] == "preprod-sklearn:0.23-1-cpu-py3"
    assert labels(found[0]["extension"])["title"] == "preprod-sklearn-extension"
    assert labels(found[0]["extension"])["version"] == "0.2-1-cpu-py3"


def test_a_commit_that_does_not_change_an_image_is_not_its_revision(clone: Checkout) -> None:
    before = build(clone)
    Path(clone.folder, "README.md").write_text("# Another text\n", encoding="utf-8")
    clone.commit("A document")
    assert build(clone) == before

    with Path(clone.folder, DEFINITION).open("a", encoding="utf-8") as stream:
        stream.write("# A remark.\n")
    changed = clone.commit("A remark in a BUILD file of the image")
    after = build(clone)
    assert labels(after)["revision"] == changed
    layers = [connect().api.inspect_image(image_id)["RootFS"]["Layers"] for image_id in (before, after)]
    assert layers[0] == layers[1]


def test_a_file_that_differs_from_its_commit_shows_until_it_is_put_back(clone: Checkout) -> None:
    before = build(clone)
    commit = labels(before)["revision"]
    Path(clone.folder, "README.md").write_text("# Another text\n", encoding="utf-8")
    assert build(clone) == before
    text = Path(clone.folder, DEFINITION).read_text(encoding="utf-8")
    Path(clone.folder, DEFINITION).write_text(f"{text}# A remark.\n", encoding="utf-8")
    assert labels(build(clone))["revision"] == f"{commit}-dirty"
    Path(clone.folder, DEFINITION).write_text(text, encoding="utf-8")
    assert build(clone) == before


def test_an_image_that_the_engine_lost_or_that_was_put_in_its_place_is_brought_back(clone: Checkout) -> None:
    """By content and never by tag alone. Under a name of its own, since other tests build on the real one."""
    definition = Path(clone.folder, DEFINITION)
    text = definition.read_text(encoding="utf-8")
    definition.write_text(text.replace('repository="sklearn-foundation"', 'repository="ids-foundation"'))
    tag = "ids-foundation:0.23-1-cpu-py3"
    client = connect()
    other = client.images.get(build(clone)).id
    try:
        with Path(clone.folder, "docker/0.23-1/foundation/Dockerfile.cpu").open("a", encoding="utf-8") as stream:
            stream.write("ENV ANOTHER=yes\n")
        image_id = build(clone)
        assert other != image_id
        assert client.images.get(tag).id == image_id

        # Tagged anew: an older state of the same image has the name.
        client.images.get(other).tag(tag)
        assert (build(clone), client.images.get(tag).id) == (image_id, image_id)

        # Tampered with: what has the name is ours and a file more.
        container = client.containers.create(image_id, ["true"])
        container.put_archive("/usr", _archive("planted"))
        planted = container.commit(repository="ids-foundation", tag="0.23-1-cpu-py3")
        container.remove()
        assert client.images.get(tag).id == planted.id != image_id
        assert (build(clone), client.images.get(tag).id) == (image_id, image_id)
        client.images.remove(planted.id)

        # Removed.
        client.images.remove(image_id, force=True)
        assert (build(clone), client.images.get(tag).id) == (image_id, image_id)
    finally:
        client.images.remove(tag, force=True)
        client.images.remove(other, force=True)


def _archive(name: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    return stream.getvalue()


def test_without_the_history_an_image_names_no_revision_and_the_build_says_why(
    original: Checkout, tmp_path: Path
) -> None:
    source = f"file://{original.folder}"
    original.must("git", "clone", "--quiet", "--depth=1", source, str(tmp_path / "shallow"))
    shallow = Checkout(tmp_path / "shallow", original.environment)
    said = shallow.must("./pants", "--no-pantsd", "package", FOUNDATION)
    assert f"{FOUNDATION}: no label of its source revision: this clone's history ends at" in said
    assert "git fetch --unshallow" in said
    assert "revision" not in labels(ids(shallow, "foundation")["foundation"])


def test_without_git_an_image_names_no_revision_and_the_build_says_why(original: Checkout, tmp_path: Path) -> None:
    original.must("cp", "-r", ".", str(tmp_path / "bare"))
    bare = Checkout(tmp_path / "bare", {**original.environment, "GIT_CEILING_DIRECTORIES": str(tmp_path)})
    bare.must("rm", "-rf", ".git", ".pids", ".pants.d", "dist")
    said = bare.must("./pants", "--no-pantsd", "package", FOUNDATION)
    assert "Images get no label of their source revision: there is no git, or no git repository." in said
    assert "revision" not in labels(ids(bare, "foundation")["foundation"])
