"""Which boxes and arrows there are."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from image_graph import model
from image_graph.targets import Targets
from tests.unit.image_graph.answers import answers, built, chain, target


def test_kinds_are_told_from_what_pants_says() -> None:
    kinds = {address: node.kind for address, node in built(chain()).nodes.items()}
    assert kinds == {
        "app:image": model.IMAGE,
        "os:image": model.IMAGE,
        "app:code-layer": model.LAYER,
        "os:os-layer": model.LAYER,
        "app:wheels": model.STEP,
        "src:wheel": model.WHEEL,
        "Python of src:wheel": model.PYTHON,
        "tools:tool": model.PROGRAM,
        "tools:tools": model.PYTHON,
        "os:lists": model.FILES,
        "locks:lock": model.LOCK,
        "locks:reqs": model.REQUIREMENTS,
    }


def test_python_of_one_wheel_is_one_box() -> None:
    node = built(chain()).nodes["Python of src:wheel"]
    assert node.name == "2 packages"
    assert node.folder == "src"
    assert node.members == ("src/one/a.py", "src/one/b.py", "src/two/deep/c.py:../two")
    assert node.files == ("src/one/a.py", "src/one/b.py", "src/two/deep/c.py")


def test_a_box_lies_in_the_lane_of_the_one_image_that_needs_it() -> None:
    lanes = {address: node.lane for address, node in built(chain()).nodes.items()}
    assert lanes["os:lists"] == "os:image"
    assert lanes["locks:reqs"] == "app:image"
    assert lanes["tools:tools"] == ""


def test_images_are_ordered_by_what_they_are_built_on() -> None:
    images = [
        target("a:image", "docker_image", "c:image"),
        target("b:image", "docker_image"),
        target("c:image", "docker_image", "d:image"),
        target("d:image", "docker_image"),
    ]
    assert built(images).images == ("d:image", "c:image", "a:image", "b:image")


@given(answers())
def test_every_arrow_of_the_answer_is_there_and_no_other(answer: list[dict[str, Any]]) -> None:
    targets = Targets(answer)
    drawn = model.build(targets)
    box_of = {member: address for address, node in drawn.nodes.items() for member in node.members}
    images = [address for address in targets if targets[address].is_image]
    needed = targets.closure(images, targets.inputs())

    assert set(box_of) == needed
    expected = {(box_of[one], box_of[address]) for address in needed for one in targets[address].inputs}
    assert set(drawn.edges()) == {(start, end) for start, end in expected if start != end}
    assert len(drawn.edges()) == len(set(drawn.edges()))
    for address, outputs in drawn.outputs.items():
        assert {(address, output) for output in outputs} == {edge for edge in drawn.edges() if edge[0] == address}
