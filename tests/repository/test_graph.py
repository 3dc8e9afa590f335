"""The graph of this repository's images, drawn in a copy of it and looked at in a browser."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, Sequence
from xml.etree import ElementTree

import pytest

from tests.support.browser import Page, browser
from tests.support.checkout import Checkout, Finished, checkout
from tests.support.engine import connect

_CHANGED = "src/mlio/errors.py"
_IMAGE = "docker/0.23-1/extension:image"
_LAYER = "docker/0.23-1/extension:mlio-layer"
_UNTOUCHED = "docker/0.23-1/base:framework-layer"
_TAGS = {
    "docker/0.23-1/base:image": "sklearn-base:0.23-1-cpu-py3",
    "docker/0.23-1/final:image": "preprod-sklearn:0.23-1-cpu-py3",
    _IMAGE: "preprod-sklearn-extension:2.5-1-cpu-py3",
}


@dataclass(frozen=True)
class Drawn:
    """A copy of the repository with a change, and its graph."""

    copy: Checkout

    @property
    def page(self) -> str:
        """The page's address."""
        return (self.copy.folder / "dist/graph.html").as_uri()

    @property
    def picture(self) -> Path:
        """The picture alone."""
        return self.copy.folder / "dist/graph.svg"

    def draw(self, *arguments: str, **environment: str) -> Finished:
        """Run the program without a Pants around it."""
        modules = {"PYTHONPATH": str(self.copy.folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        return self.copy.run(sys.executable, "-m", "image_graph", *arguments, environment={**modules, **environment})


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drawn]:
    with checkout(tmp_path_factory.mktemp("graph") / "copy") as copy:
        with (copy.folder / _CHANGED).open("a", encoding="utf-8") as source:
            source.write("# A line more.\n")
        # With its daemon, as people start it: the program must not wait for the Pants that runs it.
        said = copy.must("./pants", "run", "docker:graph")
        assert "1 file differs from HEAD" in said
        yield Drawn(copy)


@pytest.fixture()
def page(drawn: Drawn, tmp_path: Path) -> Iterator[Page]:
    with browser(tmp_path / "profile") as opened:
        yield opened


def _facts(drawn: Drawn, page: Page) -> dict[str, Any]:
    page.open(drawn.page)
    found: dict[str, Any] = json.loads(page.evaluate("document.getElementById('facts').textContent"))
    return found


def _middle(page: Page, address: str) -> tuple[float, float]:
    x, y = page.evaluate(
        f"(() => {{ const node = document.querySelector('[data-address=\"{address}\"]'); node.scrollIntoView();"
        " const box = node.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()"
    )
    return x, y


def _related(page: Page) -> set[str]:
    return set(page.evaluate("[...document.querySelectorAll('.node.related')].map((node) => node.dataset.address)"))


def test_arrows_are_those_that_pants_answers(drawn: Drawn, page: Page) -> None:
    facts = _facts(drawn, page)
    for address in _TAGS:
        assert set(facts[address]["inputs"]) == set(drawn.copy.must("./pants", "dependencies", address).split())
    # Generated targets stand for their generator; what a step runs is a field of its own for Pants.
    described = json.loads(drawn.copy.must("./pants", "peek", _LAYER))[0]
    needed = {one for one in described["dependencies"] if not one.endswith(":corrections") and ":.." not in one}
    assert set(facts[_LAYER]["inputs"]) == {*needed, described["runnable"], "3rdparty/python:corrections"}


def test_colours_and_lists_are_those_that_pants_answers(drawn: Drawn, page: Page) -> None:
    facts = _facts(drawn, page)
    answer = ("--changed-since=HEAD", "--changed-dependents=transitive", "list")
    reached = set(drawn.copy.must("./pants", *answer).split())
    changed = set(drawn.copy.must("./pants", "--changed-since=HEAD", "list").split())
    query = "[...document.querySelectorAll('#reached-%s li')].map((one) => one.textContent)"
    listed = {part: set(page.evaluate(query % part)) for part in ("images", "tests", "targets")}

    assert listed["images"] == {address for address in reached if address in _TAGS} == {_IMAGE}
    assert listed["tests"] == {address for address in reached if address.startswith("tests/") and "/test_" in address}
    assert listed["images"] | listed["tests"] | listed["targets"] == reached - changed
    assert facts[_IMAGE]["state"] == facts[_LAYER]["state"] == "reached"
    states = {fact["state"] for address, fact in facts.items() if address not in reached}
    assert facts["src/mlio:mlio"]["state"] == "changed"
    assert states == {"changed", "untouched"}


def test_ids_and_digests_are_the_engines(drawn: Drawn, page: Page) -> None:
    facts = _facts(drawn, page)
    client = connect()
    for address, tag in _TAGS.items():
        shown = dict(facts[address]["rows"])
        assert tag in shown["Tags"].split(", ")
        # By id: tags move when another checkout builds.
        image = client.images.get(shown["Id"])
        layers = {dict(facts[one]["rows"]).get("Digest") for one in facts[address]["inputs"]} - {None}
        assert layers
        assert layers <= set(image.attrs["RootFS"]["Layers"])
    client.close()


def test_the_page_asks_for_nothing_and_complains_of_nothing(drawn: Drawn, page: Page) -> None:
    for dark in (False, True):
        page.open(drawn.page, dark=dark)
        page.point(*_middle(page, _LAYER))
        page.press("Tab")
    assert set(page.requests) == {drawn.page}
    assert page.problems == []


@pytest.mark.parametrize("alone", [False, True])
def test_labels_fit_their_boxes_and_boxes_keep_apart(drawn: Drawn, page: Page, alone: bool) -> None:
    page.open(drawn.picture.as_uri() if alone else drawn.page, width=1920)
    boxes = page.evaluate(
        """[...document.querySelectorAll(".node")].map((node) => {
            const place = (one) => {
                const box = one.getBoundingClientRect();
                return [box.left, box.top, box.right, box.bottom];
            };
            return {
                name: node.dataset.address,
                box: place(node.querySelector(".box")),
                labels: [...node.querySelectorAll("text")].map(place),
            };
        })"""
    )
    assert len(boxes) == len(list(_with(drawn.picture, "data-address")))
    for one in boxes:
        left, top, right, bottom = one["box"]
        assert len(one["labels"]) >= 2
        for label in one["labels"]:
            assert left < label[0] < label[2] < right, one
            assert top < label[1] < label[3] < bottom, one
    for place, one in enumerate(boxes):
        for other in boxes[place + 1 :]:
            a, b = one["box"], other["box"]
            assert a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1], (one, other)
    head = page.evaluate(
        "[...document.querySelectorAll('svg > text, svg > g > text')].map((one) => one.getBoundingClientRect().right)"
    )
    assert max(head) < page.evaluate("document.querySelector('svg').getBoundingClientRect().right")


def test_pointing_shows_what_a_box_touches(drawn: Drawn, page: Page) -> None:
    facts = _facts(drawn, page)
    page.point(*_middle(page, "src/mlio:wheel"))
    related = _related(page)
    assert {"src/mlio:mlio", "src/mlio:wheel", _LAYER, _IMAGE} <= related
    assert _UNTOUCHED not in related
    assert len(related) < len(facts)
    assert page.evaluate("document.getElementById('details').textContent").startswith("wheel src/mlio:wheel")
    page.point(1, 1)
    assert _related(page) == set()


def test_the_keyboard_goes_everywhere(drawn: Drawn, page: Page) -> None:
    facts = _facts(drawn, page)
    focused = []
    for _ in facts:
        page.press("Tab")
        focused.append(page.evaluate("document.activeElement.dataset.address"))
        assert focused[-1] in _related(page)
    assert sorted(focused) == sorted(facts)
    assert focused[0] == _IMAGE

    page.evaluate(f"document.querySelector('[data-address=\"{_LAYER}\"]').focus()")
    page.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.address") == _IMAGE
    page.press("ArrowLeft")
    assert page.evaluate("document.activeElement.dataset.address") in facts[_IMAGE]["inputs"]
    page.press("Enter")
    held = _related(page)
    page.evaluate("document.activeElement.blur()")
    assert _related(page) == held
    page.evaluate(f"document.querySelector('[data-address=\"{_LAYER}\"]').focus()")
    page.press("Escape")
    assert _related(page) == set()


def test_boxes_have_words_for_those_who_do_not_see_them(drawn: Drawn) -> None:
    for node in _with(drawn.picture, "data-address"):
        assert node.attrib["data-address"].split(":")[0] in node.attrib["aria-label"]
        assert node.find("{http://www.w3.org/2000/svg}title") is not None


def test_an_unknown_revision_ends_it(drawn: Drawn) -> None:
    done = drawn.draw("--since=v9")
    assert done.exit_code == 1
    assert "comparing with `--since=v9` failed: git knows no such revision" in done.output


def test_without_an_engine_the_rest_is_drawn(drawn: Drawn) -> None:
    done = drawn.draw("--out=alone", DOCKER_HOST="unix:///nonexistent/docker.sock")
    assert done.exit_code == 0, done.output
    assert "no Docker engine answered" in done.output
    svg = (drawn.copy.folder / "alone/graph.svg").read_text(encoding="utf-8")
    assert "no Docker engine answered" in svg
    assert ">not built<" in svg


def test_without_git_the_rest_is_drawn(drawn: Drawn) -> None:
    git = drawn.copy.folder / ".git"
    git.rename(git.with_name("not-git"))
    try:
        done = drawn.draw("--out=without-git", GIT_CEILING_DIRECTORIES=str(drawn.copy.folder.parent))
    finally:
        git.with_name("not-git").rename(git)
    assert done.exit_code == 0, done.output
    assert "Changes are not shown: this is no git repository." in done.output
    picture = drawn.copy.folder / "without-git/graph.svg"
    assert {node.attrib["class"].split()[1] for node in _with(picture, "data-address")} == {"untouched"}


def test_a_circle_ends_it_with_pants_own_words(drawn: Drawn) -> None:
    build = drawn.copy.folder / "docker/0.23-1/foundation/BUILD"
    before = build.read_text(encoding="utf-8")
    build.write_text(before.replace('inputs=["3rdparty', 'inputs=[":image", "3rdparty'), encoding="utf-8")
    try:
        done = drawn.draw()
    finally:
        build.write_text(before, encoding="utf-8")
    assert done.exit_code == 1
    assert "The dependency graph contained a cycle" in done.output
    assert "docker/0.23-1/foundation:operating-system-layer" in done.output


def _with(picture: Path, attribute: str) -> Sequence[ElementTree.Element]:
    return [one for one in ElementTree.parse(picture).iter() if attribute in one.attrib]
