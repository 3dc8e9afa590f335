from __future__ import annotations

import pytest

from image_definitions.context_rules import Dependency, Image, Output, takes, unprovided, unused
from image_definitions.dockerfile_rules import Source

IMAGE = Image("docker/x:image", "docker/x/BUILD:7", "docker/x", "docker/x/Dockerfile")


def file(path: str, address: str = "docker/x:it") -> Output:
    return Output(address, path)


def source(pattern: str | None, line: int = 3) -> Source:
    return Source("ADD", line, pattern or "$X", pattern)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("a.tar", "a.tar"),
        ("/a.tar", "a.tar"),
        ("./x/../a.tar", "a.tar"),
        ("../a.tar", "a.tar"),
        ("x", "x/y/z.txt"),
        ("x/", "x/y/z.txt"),
        (".", "x/y"),
        ("/", "x/y"),
        ("*.tar", "a.tar"),
        ("x/*/z.txt", "x/y/z.txt"),
        ("x/*", "x/y/z.txt"),
        ("?.ta[r-t]", "a.tar"),
        ("[^b].tar", "a.tar"),
        ("\\*.tar", "*.tar"),
        ("a-1.0-py3-none-any.whl", "a-*.whl"),
        ("*.whl", "a-*.whl"),
    ],
)
def test_a_source_that_takes_a_file(pattern: str, path: str) -> None:
    assert takes(pattern, file(path))


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("a.tar", "b.tar"),
        ("a.tar", "x/a.tar"),
        ("x/a.tar", "a.tar"),
        ("a.tar/b", "a.tar"),
        ("*.txt", "a.tar"),
        ("x*z.txt", "x/z.txt"),
        ("[b-d].tar", "a.tar"),
        ("[", "a"),
        ("[]-a].tar", "x.tar"),
        ("b-1.whl", "a-*.whl"),
    ],
)
def test_a_source_that_does_not(pattern: str, path: str) -> None:
    assert not takes(pattern, file(path))


@pytest.mark.parametrize("pattern", ["out", "out/a/b", "o*", ".", "out/*"])
def test_a_folder_may_hold_anything(pattern: str) -> None:
    assert takes(pattern, Output("x:x", "out", is_folder=True))
    assert takes(pattern, Output("x:x", "", is_folder=True))


def test_a_source_beside_a_folder() -> None:
    assert not takes("other/a", Output("x:x", "out", is_folder=True))


def test_paths_are_relative_to_the_context_root() -> None:
    assert takes("a.txt", file("docker/x/a.txt"), "docker/x")
    assert not takes("docker/x/a.txt", file("docker/x/a.txt"), "docker/x")
    assert not takes("a.txt", file("a.txt"), "docker/x")
    assert takes("a.txt", Output("x:x", "docker", is_folder=True), "docker/x")


def test_a_forgotten_layer_is_named_with_the_target_that_writes_it() -> None:
    (found,) = unprovided(IMAGE, [source("it.tar")], [], [file("it.tar"), file("it.tar", "docker/y:it")])
    assert str(found) == (
        "docker/x/Dockerfile:3: unprovided-source: ADD takes it.tar, which no entry of `dependencies` of "
        'docker/x:image (docker/x/BUILD:7) provides: the engine will not find it. Add ":it" to its dependencies, '
        "which writes it."
    )


@pytest.mark.parametrize(
    ("known", "advice"),
    [
        ([file("it.tar", "docker/y:it")], 'Add "docker/y:it" to its dependencies, which writes it.'),
        ([file("x-*.whl", "src:wheel")], "No target writes it. Is it.txt meant?"),
        ([], "No target writes it. Is it.txt meant?"),
    ],
)
def test_the_advice(known: list[Output], advice: str) -> None:
    (found,) = unprovided(IMAGE, [source("it.tar")], [file("it.txt")], known)
    assert found.message.endswith(advice)


def test_wheels_are_advised_by_their_ending() -> None:
    known = [file("a-*.whl", "src:wheel"), file("a-*.tar.gz", "src:source")]
    (found,) = unprovided(IMAGE, [source("*.whl")], [], known)
    assert found.message.endswith('Add "src:wheel" to its dependencies, which writes it.')


def test_what_nothing_resembles() -> None:
    (found,) = unprovided(IMAGE, [source("it.tar")], [file(f"{letter}.b") for letter in "abcdefghij"], [])
    assert "The dependencies provide a.b, b.b, c.b, d.b, e.b, f.b, g.b, h.b and 2 more." in found.message
    (found,) = unprovided(IMAGE, [source("it.tar")], [], [])
    assert "The dependencies provide no file." in found.message


def test_what_is_there_or_cannot_be_told_is_no_fault() -> None:
    sources = [source("it.tar"), source(None), source("docker/x/Dockerfile")]
    assert unprovided(IMAGE, sources, [file("it.tar")], []) == []


def entry(*outputs: Output, is_parent: bool = False) -> Dependency:
    return Dependency("docker/x:it", "docker/x/BUILD", 12, outputs, is_parent)


def test_a_dead_layer_is_reported_where_it_is_named() -> None:
    (found,) = unused(IMAGE, [source("other.tar")], [], [entry(file("it.tar"))])
    assert str(found) == (
        "docker/x/BUILD:12: unused-dependency: docker/x:image depends on docker/x:it, but no ADD, COPY or RUN --mount "
        "of docker/x/Dockerfile takes it.tar: the image does not hold it. Add the instruction, or remove the entry."
    )


def test_a_dependency_of_which_something_may_be_taken_is_no_fault() -> None:
    assert unused(IMAGE, [source("it.tar")], [], [entry(file("other.tar"), file("it.tar"))]) == []
    assert unused(IMAGE, [source(None)], [], [entry(file("it.tar"))]) == []
    assert unused(IMAGE, [], [], [entry()]) == []


def test_an_image_among_the_dependencies_is_a_parent() -> None:
    image = entry(file("docker.x/it.docker-info.json"), is_parent=True)
    assert unused(IMAGE, [], ["docker/x:it"], [image]) == []
    (found,) = unused(IMAGE, [], ["docker/y:it"], [image])
    assert "no FROM of docker/x/Dockerfile names it: it is built for nothing" in found.message
