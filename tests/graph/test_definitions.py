"""Every image is its parent plus layers, and no step of a build runs what could reach a network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path("docker/0.23-1")
PARENTS = {
    "foundation": "scratch",
    "base": "docker/0.23-1/foundation:image",
    "final": "docker/0.23-1/base:image",
    "extension": "docker/0.23-1/final:image",
}
# Reads the parent image's own files; the build gives it no network either.
PARENT_CHECK = '["python", "-I", "/check_parent.py"]'


def _instructions(image: str) -> list[tuple[str, str]]:
    text = (ROOT / image / "Dockerfile.cpu").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    words = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return [(instruction, rest.strip()) for instruction, _, rest in words]


@pytest.mark.parametrize("image", PARENTS)
def test_the_parent_is_named_by_address(image: str) -> None:
    """L-15."""
    instructions = _instructions(image)
    arguments = dict(rest.split("=", 1) for name, rest in instructions if name == "ARG")
    froms = {rest.partition(" ")[0] for name, rest in instructions if name == "FROM"}
    assert {arguments.get(parent.strip("${}"), parent) for parent in froms} == {PARENTS[image]}


@pytest.mark.parametrize("image", PARENTS)
def test_nothing_is_run_but_the_check_of_the_parent(image: str) -> None:
    """A RUN depends on the moment it runs in; what this one leaves behind is not copied."""
    runs = [rest for name, rest in _instructions(image) if name == "RUN"]
    assert runs == ([PARENT_CHECK] if image == "extension" else [])


@pytest.mark.parametrize("image", PARENTS)
def test_files_come_in_as_layers_only(image: str) -> None:
    """ADD of a tar keeps times and owners; a COPY from the context would not."""
    for name, rest in _instructions(image):
        if name == "ADD":
            assert re.fullmatch(r"[a-z-]+-layer\.tar /", rest)
        if name == "COPY":
            assert rest == "--from=checked /checked/ /"


@pytest.mark.parametrize("image", PARENTS)
def test_every_layer_is_a_dependency_and_every_dependency_is_used(image: str) -> None:
    """Dependency inference does not see ADD."""
    added = {rest.partition(".")[0] for name, rest in _instructions(image) if name == "ADD"}
    build = (ROOT / image / "BUILD").read_text(encoding="utf-8")
    docker_image = build[build.index("docker_image(") :]
    assert set(re.findall(r'":([a-z-]+-layer)"', docker_image)) == added


@pytest.mark.parametrize("image", PARENTS)
def test_no_frontend_is_pulled(image: str) -> None:
    """A `# syntax=` line makes the engine fetch an image."""
    assert "syntax=" not in (ROOT / image / "Dockerfile.cpu").read_text(encoding="utf-8")
