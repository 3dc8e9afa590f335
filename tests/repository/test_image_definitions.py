"""`./pants lint` on image definitions that cannot be right: it says so, with file and line, and fails."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

import pytest

from tests.support.checkout import Checkout, checkout

_LINT = ("lint", "--only=image-definitions", "docker::")
_FINAL = "docker/0.23-1/final"
_EXTENSION = "docker/0.23-1/extension"


@pytest.fixture(scope="module")
def shared_copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    with checkout(tmp_path_factory.mktemp("copies") / "copy") as made:
        yield made


@pytest.fixture()
def copy(shared_copy: Checkout) -> Iterator[Checkout]:
    yield shared_copy
    shared_copy.must("git", "reset", "--quiet", "--hard")
    shared_copy.must("git", "clean", "--quiet", "-d", "--force", "docker")


def edit(copy: Checkout, path: str, old: str, new: str) -> None:
    file = copy.folder / path
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def line_of(copy: Checkout, path: str, part: str) -> int:
    lines = (copy.folder / path).read_text(encoding="utf-8").splitlines()
    numbers = [number for number, line in enumerate(lines, start=1) if part in line]
    assert len(numbers) == 1, f"{part!r} stands in lines {numbers} of {path}"
    return numbers[0]


def faults(copy: Checkout, *command: str) -> list[tuple[str, int, str]]:
    """What a failing command reports: path, line and rule of each fault."""
    done = copy.pants(*(command or _LINT))
    assert done.exit_code == 1, done.output
    found = re.findall(r"^(\S+?):(\d+): ([a-z-]+): \S", done.output, re.MULTILINE)
    assert found, done.output
    return [(path, int(line), rule) for path, line, rule in found]


def test_the_repository_is_clean(copy: Checkout) -> None:
    output = copy.must("./pants", *_LINT)
    assert "image-definitions succeeded" in output


def test_a_forgotten_layer(copy: Checkout) -> None:
    edit(copy, f"{_FINAL}/BUILD", '        ":support-layer",\n', "")
    where = (f"{_FINAL}/Dockerfile.cpu", line_of(copy, f"{_FINAL}/Dockerfile.cpu", "ADD support-layer.tar"))

    assert faults(copy) == [(*where, "unprovided-source")]
    assert 'Add ":support-layer" to its dependencies' in copy.pants(*_LINT).output
    # The build refuses it as well, before the engine is asked.
    assert faults(copy, "package", f"{_FINAL}:image") == [(*where, "unprovided-source")]


def test_a_dead_layer(copy: Checkout) -> None:
    edit(copy, f"{_EXTENSION}/Dockerfile.cpu", "ADD mlio-layer.tar /\n", "")
    build = f"{_EXTENSION}/BUILD"
    assert faults(copy) == [(build, line_of(copy, build, '":mlio-layer"'), "unused-dependency")]


def test_what_the_build_itself_reads_is_no_dead_layer(copy: Checkout) -> None:
    build = "docker/0.23-1/base/BUILD"
    (copy.folder / "docker/0.23-1/base/base.cdx.json").write_text("{}", encoding="utf-8")
    edit(
        copy,
        build,
        'libraries_layer(name="framework-layer"',
        'file(name="materials", source="base.cdx.json")\n\n' 'libraries_layer(name="framework-layer"',
    )
    edit(copy, build, '        ":framework-layer",', '        ":framework-layer",\n        ":materials",')
    copy.must("./pants", *_LINT)


def test_a_tag_of_two_images(copy: Checkout) -> None:
    edit(copy, f"{_FINAL}/BUILD", 'repository="preprod-sklearn"', 'repository="sklearn-base"')
    builds = ("docker/0.23-1/base/BUILD", f"{_FINAL}/BUILD")
    assert faults(copy) == [(build, line_of(copy, build, "image_tags="), "shared-tag") for build in builds]


@pytest.mark.parametrize("image", ["python:3.8-slim-bookworm", "docker/0.23-1/foundation:no-such-target"])
def test_an_unpinned_parent(copy: Checkout, image: str) -> None:
    dockerfile = "docker/0.23-1/base/Dockerfile.cpu"
    edit(copy, dockerfile, "=docker/0.23-1/foundation:image", f"={image}")
    assert faults(copy) == [(dockerfile, line_of(copy, dockerfile, "ARG FOUNDATION_IMAGE"), "unpinned-from")]


def test_a_stock_image_pinned_by_digest_is_the_one_line_that_docker_readme_promises(copy: Checkout) -> None:
    edit(
        copy,
        "docker/0.23-1/base/Dockerfile.cpu",
        "=docker/0.23-1/foundation:image",
        f"=python:3.8-slim-bookworm@sha256:{'0' * 64}",
    )
    copy.must("./pants", *_LINT)


def test_a_run_that_needs_the_network_an_add_from_a_url_and_a_frontend(copy: Checkout) -> None:
    dockerfile = f"{_FINAL}/Dockerfile.cpu"
    text = (copy.folder / dockerfile).read_text(encoding="utf-8")
    (copy.folder / dockerfile).write_text(
        "# syntax=docker/dockerfile:1.4\n"
        + text
        + "RUN true && \\\n    # a comment\n    pip install numpy\nADD https://example.org/x.tar /\n",
        encoding="utf-8",
    )
    assert faults(copy) == [
        (dockerfile, 1, "frontend-line"),
        (dockerfile, line_of(copy, dockerfile, "pip install numpy"), "network-in-run"),
        (dockerfile, line_of(copy, dockerfile, "https://example.org"), "add-from-url"),
    ]


def test_an_exception_with_a_reason(copy: Checkout) -> None:
    dockerfile = f"{_FINAL}/Dockerfile.cpu"
    with (copy.folder / dockerfile).open("a", encoding="utf-8") as file:
        file.write("# image-definitions: allow=network-in-run it finds its packages in the layer\nRUN pip install x\n")
    copy.must("./pants", *_LINT)


def test_a_cycle_of_layers(copy: Checkout) -> None:
    build = "docker/circle/BUILD"
    (copy.folder / "docker/circle").mkdir()
    (copy.folder / build).write_text(
        'layer(name="a-layer", args=["files"], inputs=[":b-layer"])\n'
        'layer(\n    name="b-layer",\n    args=["files"],\n    inputs=[":a-layer"],\n)\n'
        'docker_image(name="image", repository="circle", image_tags=["1"], dependencies=[":a-layer"])\n',
        encoding="utf-8",
    )
    (copy.folder / "docker/circle/Dockerfile").write_text("FROM scratch\nADD a-layer.tar /\n", encoding="utf-8")

    assert faults(copy) == [(build, 1, "dependency-cycle")]
    assert faults(copy, "package", "docker/circle:image") == [(build, 1, "dependency-cycle")]
    # Both ends of the cycle with their lines.
    assert f"({build}:1)" in copy.pants(*_LINT).output
    assert f"({build}:5)" in copy.pants(*_LINT).output
    listed = copy.pants("dependencies", "--transitive", "docker/circle:image")
    assert listed.exit_code == 1
    assert "The dependency graph contained a cycle" in listed.output


def test_a_cycle_of_images(copy: Checkout) -> None:
    dockerfile = "docker/0.23-1/foundation/Dockerfile.cpu"
    edit(copy, dockerfile, "FROM scratch\n", "ARG PARENT=docker/0.23-1/final:image\nFROM ${PARENT}\n")
    assert faults(copy) == [("docker/0.23-1/base/Dockerfile.cpu", 2, "dependency-cycle")]
    assert faults(copy, "package", "docker/0.23-1/extension:image")[0][2] == "dependency-cycle"
    message = copy.pants(*_LINT).output
    for place in (
        f"(docker/0.23-1/base/Dockerfile.cpu:{line_of(copy, 'docker/0.23-1/base/Dockerfile.cpu', 'ARG FOUND')})",
        f"({dockerfile}:1)",
        f"({_FINAL}/BUILD:{line_of(copy, f'{_FINAL}/BUILD', 'base:image')})",
    ):
        assert place in message


def test_a_cycle_through_the_program_of_a_layer(copy: Checkout) -> None:
    edit(copy, "src/image_layers/BUILD", 'name="tool",', 'name="tool",\n    dependencies=["docker/0.23-1/base:image"],')
    edited = "src/image_layers/BUILD"
    output = copy.pants("package", "docker/0.23-1/base:image").output
    assert f"src/image_layers:tool needs docker/0.23-1/base:image ({edited}:" in output
    assert {rule for _, _, rule in faults(copy)} == {"dependency-cycle"}


def test_several_faults_at_once_are_all_said(copy: Checkout) -> None:
    edit(copy, f"{_FINAL}/BUILD", '        ":folders-layer",\n', "")
    Path(copy.folder, f"{_EXTENSION}/Dockerfile.cpu").write_text("FROM python\n", encoding="utf-8")
    assert {(path, rule) for path, _, rule in faults(copy)} == {
        (f"{_FINAL}/Dockerfile.cpu", "unprovided-source"),
        (f"{_EXTENSION}/Dockerfile.cpu", "unpinned-from"),
        (f"{_EXTENSION}/BUILD", "unused-dependency"),
    }
