"""The picture and the page; tests/repository looks at them in a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from image_graph import drawing, facts, page, reach, words
from image_graph.engine import HeldImage, Layer
from image_graph.targets import Targets
from tests.unit.image_graph.answers import answers, built, chain

_SVG = "{http://www.w3.org/2000/svg}"
_HELD = (
    HeldImage(
        "sha256:" + "1" * 64,
        ("app:1", "app:2"),
        1500,
        (
            Layer("sha256:" + "a" * 64, 1000, "ADD os-layer.tar / # buildkit"),
            Layer("sha256:" + "b" * 64, 500, "ADD code-layer.tar / # buildkit"),
        ),
    ),
)


def _picture(answer: list[dict[str, Any]], changed: str = "", dist: Path = Path("/nonexistent")) -> drawing.Picture:
    targets = Targets(answer)
    drawn = built(answer)
    files = [path for path in [*targets[changed].sources] if changed] if changed else []
    found = reach.reach(targets, files, [changed] if changed else [])
    return drawing.Picture(drawn, facts.gather(drawn, _HELD, dist), found, "HEAD (123456789abc)")


def _nodes(svg: str) -> dict[str, ElementTree.Element]:
    groups = ElementTree.fromstring(svg).iter(f"{_SVG}g")
    return {group.attrib["data-address"]: group for group in groups if "data-address" in group.attrib}


@settings(deadline=None)
@given(answers())
def test_the_picture_is_xml_with_each_box_and_arrow_once(answer: list[dict[str, Any]]) -> None:
    picture = _picture(answer)
    tree = ElementTree.fromstring(drawing.draw(picture))
    arrows = [(one.attrib["data-start"], one.attrib["data-end"]) for one in tree.iter() if "data-start" in one.attrib]
    boxes = [one.attrib["data-address"] for one in tree.iter() if "data-address" in one.attrib]
    assert sorted(arrows) == sorted(picture.model.edges())
    assert sorted(boxes) == sorted(picture.model.nodes)


def test_colours_say_what_changed_and_what_that_reaches() -> None:
    nodes = _nodes(drawing.draw(_picture(chain(), changed="src/one/a.py")))
    states = {address: node.attrib["class"].split()[1] for address, node in nodes.items()}
    assert states.pop("Python of src:wheel") == "changed"
    for reached in ("src:wheel", "app:wheels", "app:code-layer", "app:image"):
        assert states.pop(reached) == "reached"
    assert set(states.values()) == {"untouched"}


def test_a_box_says_what_is_known_of_it() -> None:
    nodes = _nodes(drawing.draw(_picture(chain())))
    texts = {
        address: ["".join(text.itertext()) for text in node.iter(f"{_SVG}text")] for address, node in nodes.items()
    }
    assert texts["app:image"] == ["image · app", "app", "1 and 1 more", "1.5 kB · 111111111111"]
    assert texts["app:code-layer"] == ["layer · app", "code-layer", "500 B · bbbbbbbbbbbb"]
    assert texts["os:image"] == ["image · os", "os", "1", "not built"]
    assert texts["os:os-layer"] == ["layer · os", "os-layer", "not built"]
    assert texts["Python of src:wheel"] == ["Python · src", "2 packages", "3 files"]
    assert "made from app:code-layer, os:image" in nodes["app:image"].attrib["aria-label"]


def test_what_is_not_in_the_engine_may_lie_in_dist(tmp_path: Path) -> None:
    (tmp_path / "codegen").mkdir()
    (tmp_path / "codegen" / "os-layer.tar").write_bytes(b"x" * 2048)
    (tmp_path / "code-1.0-py3-none-any.whl").write_bytes(b"x" * 10)
    answer = chain()
    next(one for one in answer if one["address"] == "src:wheel")["provides"] = {"name": "code", "version": "1.0"}
    found = _picture(answer, dist=tmp_path).facts
    assert (found["os:os-layer"].size, found["os:os-layer"].digest) == (2048, "")
    assert found["src:wheel"].size == 10


def test_words_of_others_stay_words() -> None:
    answer = chain()
    image = next(one for one in answer if one["address"] == "app:image")
    image["repository"] = '</text><script>alert("&")</script>'
    picture = _picture(answer)
    svg = drawing.draw(picture)
    ElementTree.fromstring(svg)
    assert "<script" not in svg
    written = page.write(picture, svg)
    assert written.count("<script") == 2
    data = re.search(r'<script type="application/json" id="facts">(.*)</script>', written)
    assert data is not None
    assert set(json.loads(data.group(1))) == set(picture.model.nodes)


def test_a_picture_without_a_comparison_says_so() -> None:
    drawn = built(chain())
    reason = "Changes are not shown: this is no git repository."
    picture = drawing.Picture(
        drawn, facts.gather(drawn, (), Path("/nonexistent")), None, reason, (reason, "No engine.")
    )
    svg = drawing.draw(picture)
    assert reason in svg
    assert "No engine." in svg
    assert {node.attrib["class"].split()[1] for node in _nodes(svg).values()} == {"untouched"}
    written = page.write(picture, svg)
    assert "<li>No engine.</li>" in written
    assert reason in written


def test_the_page_lists_what_a_change_reaches() -> None:
    picture = _picture(chain(), changed="src/one/a.py")
    written = page.write(picture, drawing.draw(picture))
    assert "Images that are built anew: 1<" in written
    assert "Tests that run: 2<" in written
    assert "<code>tests/test_app.py</code>" in written


def test_neither_file_names_anything_elsewhere() -> None:
    picture = _picture(chain(), changed="src/one/a.py")
    svg = drawing.draw(picture)
    for text in (svg, page.write(picture, svg)):
        assert set(re.findall(r"\w+://[^\s\"'<]+", text)) == {"http://www.w3.org/2000/svg"}
        assert not re.search(r"@import|url\((?!#)|\bsrc=|xlink:href", text)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (302_493_017, "302.5 MB"),
    ],
)
def test_sizes(count: int, said: str) -> None:
    assert words.size(count) == said


def test_long_names_keep_both_ends() -> None:
    assert words.elided("abcdefghij", 5) == "ab…ij"
    assert words.elided("abcde", 5) == "abcde"
