"""What is read out of an answer of `peek`."""

from __future__ import annotations

import json

import pytest

from image_graph.errors import GraphError
from image_graph.targets import Targets, parse
from tests.unit.image_graph.answers import chain, file, target


@pytest.mark.parametrize(
    ("address", "generator"),
    [
        ("src/one/a.py", "src/one:one"),
        ("src/two/deep/c.py:../two", "src/two:two"),
        ("os/list.txt:lists", "os:lists"),
        ("locks:reqs#lib", "locks:reqs"),
        ("locks/reqs.txt:reqs", "locks:reqs"),
        ("locks:lock", "locks:lock"),
        ("app:image", "app:image"),
    ],
)
def test_a_generated_target_belongs_to_its_generator(address: str, generator: str) -> None:
    assert Targets(chain()).generator_of(address) == generator


def test_targets_at_the_top_belong_to_their_generators() -> None:
    targets = Targets(
        [
            target("//:all", "files", "//pants.toml:all", "//src/deep/x.py:../../all"),
            file("//pants.toml:all", "pants.toml"),
            file("//src/deep/x.py:../../all", "src/deep/x.py"),
        ]
    )
    assert {targets.generator_of(address) for address in targets} == {"//:all"}
    assert targets["//pants.toml:all"].folder == "pants.toml"
    assert targets["//:all"].folder == ""


@pytest.mark.parametrize("written", ["tools:tools", "tools", "//tools:tools", "//tools"])
def test_what_runs_is_an_input(written: str) -> None:
    targets = Targets([target("a:b", "adhoc_tool", runnable=written), target("tools:tools", "pex_binary")])
    assert targets["a:b"].inputs == ("tools:tools",)


def test_what_runs_may_stand_beside() -> None:
    targets = Targets([target("a:b", "adhoc_tool", runnable=":c"), target("a:c", "pex_binary")])
    assert targets["a:b"].inputs == ("a:c",)


def test_what_runs_may_be_a_file() -> None:
    targets = Targets([target("a:b", "adhoc_tool", runnable="c/d.py"), file("c/d.py", "c/d.py", "python_source")])
    assert targets["a:b"].inputs == ("c/d.py",)


def test_what_pants_did_not_list_is_named() -> None:
    with pytest.raises(GraphError, match=r"drawing a:b failed: it needs c:d"):
        parse(json.dumps([target("a:b", "adhoc_tool", "c:d")]))


def test_a_circle_is_found_except_among_python_files() -> None:
    python = [target("a/x.py", "python_source", "a/y.py"), target("a/y.py", "python_source", "a/x.py")]
    assert Targets(python).circle() is None
    assert Targets(chain()).circle() is None
    steps = [target("a:b", "adhoc_tool", "a:c"), target("a:c", "docker_image", "a:b"), target("a:d", "file", "a:c")]
    assert Targets([*python, *steps]).circle() == "a:b"


@pytest.mark.parametrize("answer", ["", "no JSON", "{}x", "[1]", '[{"address": "a:b"}]', "null"])
def test_anything_else_is_refused(answer: str) -> None:
    with pytest.raises(GraphError, match="reading the answer of `pants peek` failed"):
        parse(answer)
