"""`./pants publish` of small images in a copy of this repository, to registries on loopback."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import pytest

from tests.support.checkout import Checkout, Finished, checkout
from tests.support.engine import connect
from tests.support.registry import free_address, registry, tags

SHORT = 12
USER = "publisher"
PASSWORD = "a-password-that-is-shown-nowhere"

TARGETS = """
file(name="content", source="content.txt")
docker_image(
    name="image",
    instructions=["FROM scratch", "COPY small/{name}/content.txt /"],
    repository="small/{name}",
    image_tags=["1"],
    dependencies=[":content"],
)
python_tests(name="tests", sources=["test_*.py"], runtime_package_dependencies=[":image"])
"""
# Notes the id it got, so that a run can be told from an answer out of a cache.
TEST = """
from __future__ import annotations

import json
from pathlib import Path


def test_{name}() -> None:
    info = json.loads(Path("small.{name}", "image.docker-info.json").read_text(encoding="utf-8"))
    with Path("{runs}").open("a", encoding="utf-8") as runs:
        print(info["image_id"], file=runs)
    assert {verdict}
"""


@dataclass(frozen=True)
class Site:
    """A copy of the repository with small images in it, and where it publishes them.

    Attributes:
        copy: The copy.
        one: A registry whose images also get the commit as a tag.
        two: Another; its repositories lie below `mirror`.
    """

    copy: Checkout
    one: str
    two: str

    def add(self, name: str, verdict: bool | None = True) -> None:
        """An image, and its test where there is a verdict; committed."""
        folder = self.copy.folder / "small" / name
        folder.mkdir(parents=True)
        Path(folder, "BUILD").write_text(TARGETS.replace("{name}", name), encoding="utf-8")
        # No other run of this test has the same, as results of tests are remembered.
        Path(folder, "content.txt").write_text(f"{name} in {self.copy.folder}\n", encoding="utf-8")
        if verdict is not None:
            text = TEST.replace("{name}", name).replace("{runs}", str(self._runs(name)))
            Path(folder, f"test_{name}.py").write_text(text.replace("{verdict}", str(verdict)), encoding="utf-8")
        self.copy.commit(f"Add {name}")

    def publish(
        self, *words: str, docker_config: Path | None = None, level: str = "info", **registries: str
    ) -> Finished:
        """Publish to both registries, or to those that are named here by their addresses."""
        configured = {
            name: {"address": address, "default": True, "extra_image_tags": []}
            for name, address in (registries or {"one": self.one, "two": f"{self.two}/mirror"}).items()
        }
        if "one" in configured:
            configured["one"]["extra_image_tags"] = ["{git.short_commit}"]
        environment = {"PANTS_DOCKER_REGISTRIES": repr(configured)}
        if docker_config:
            environment["DOCKER_CONFIG"] = str(docker_config)
        return self.copy.pants(f"--level={level}", "publish", *words, environment=environment)

    def runs(self, name: str) -> list[str]:
        """The image ids that an image's test ran at so far."""
        path = self._runs(name)
        return path.read_text(encoding="utf-8").split() if path.exists() else []

    def _runs(self, name: str) -> Path:
        return self.copy.folder.parent / f"{name}.runs"

    def short_commit(self) -> str:
        return self.copy.must("git", "rev-parse", "HEAD").strip()[:SHORT]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("publishing")
    with registry(folder / "one") as one, registry(folder / "two") as two, checkout(folder / "copy") as copy:
        try:
            yield Site(copy, one, two)
        finally:
            engine = connect()
            for image in engine.images.list(filters={"reference": "small/*"}):
                engine.images.remove(image.id, force=True)


def test_what_was_tested_reaches_every_registry_once(site: Site) -> None:
    site.add("passing")
    commit = site.short_commit()

    first = site.publish("small/passing:image")

    assert first.exit_code == 0, first.output
    at_one, at_two = tags(site.one, "small/passing"), tags(site.two, "mirror/small/passing")
    assert set(at_one) == {"1", commit}
    assert set(at_two) == {"1"}
    assert len({*at_one.values(), *at_two.values()}) == 1
    digest = at_one["1"]
    for name in (
        f"{site.one}/small/passing:1",
        f"{site.one}/small/passing:{commit}",
        f"{site.two}/mirror/small/passing:1",
    ):
        assert f"{name}@{digest} pushed" in first.output
        assert f"✓ {name} published." in first.output
    record = json.loads(Path(site.copy.folder, "dist/small.passing/image.published.json").read_text(encoding="utf-8"))
    assert site.runs("passing") == [record["image_id"]]
    assert set(record["published"].values()) == {
        f"{site.one}/small/passing@{digest}",
        f"{site.two}/mirror/small/passing@{digest}",
    }

    again = site.publish("small/passing:image")

    assert again.exit_code == 0, again.output
    assert again.output.count("already there, nothing pushed") == 3
    assert len(site.runs("passing")) == 1, "the result for this id was at hand"


def test_another_image_is_tested_anew_and_does_not_take_a_tag_over(site: Site) -> None:
    site.add("moving")
    assert site.publish("small/moving:image").exit_code == 0
    before = tags(site.one, "small/moving")
    Path(site.copy.folder, "small/moving/content.txt").write_text(f"changed in {site.copy.folder}\n", encoding="utf-8")
    site.copy.commit("Change it")
    commit = site.short_commit()

    refused = site.publish("small/moving:image")

    assert refused.exit_code == 1
    assert len(set(site.runs("moving"))) == 2
    assert f"✕ {site.one}/small/moving:1 failed." in refused.output
    assert f"there: {before['1']}" in refused.output
    assert f"✓ {site.one}/small/moving:{commit} published." in refused.output
    now = tags(site.one, "small/moving")
    assert now["1"] == before["1"] != now[commit]

    moved = site.publish("--image-publishing-tags-may-move", "small/moving:image")

    assert moved.exit_code == 0, moved.output
    assert tags(site.one, "small/moving")["1"] == now[commit]


def test_an_image_whose_test_fails_is_refused_and_others_are_not(site: Site) -> None:
    site.add("good")
    site.add("failing", verdict=False)

    done = site.publish("small/good:image", "small/failing:image")

    assert done.exit_code == 1
    assert "small/failing:image: refused, nothing was pushed. Of its tests, 1 failed" in done.output
    assert "  small/failing/test_failing.py:tests\n" in done.output
    assert f"✕ {site.one}/small/failing:1 failed." in done.output
    assert f"✓ {site.one}/small/good:1 published." in done.output
    assert tags(site.one, "small/failing") == {}
    assert tags(site.two, "mirror/small/failing") == {}

    forced = site.publish("--image-publishing-untested", "small/failing:image")

    assert forced.exit_code == 0, forced.output
    assert "[WARN] small/failing:image: published WITHOUT its tests" in forced.output
    assert len(site.runs("failing")) == 1
    assert "1" in tags(site.one, "small/failing")


def test_an_image_that_no_test_has_is_refused(site: Site) -> None:
    site.add("bare", verdict=None)
    done = site.publish("small/bare:image")
    assert done.exit_code == 1
    assert "No test has it among its `runtime_package_dependencies`" in done.output
    assert tags(site.one, "small/bare") == {}


def test_a_registry_that_is_down_hides_no_other(site: Site) -> None:
    site.add("partly")
    down = free_address()
    done = site.publish("small/partly:image", down=down, up=site.one)
    assert done.exit_code == 1
    assert f"✕ {down}/small/partly:1 failed." in done.output
    assert f"✓ {site.one}/small/partly:1 published." in done.output


def test_a_dirty_tree_gets_no_commit_for_a_tag(site: Site) -> None:
    site.add("dirty")
    changed = Path(site.copy.folder, "small/dirty/content.txt")
    committed = changed.read_text(encoding="utf-8")
    changed.write_text("changed\n", encoding="utf-8")
    try:
        done = site.publish("small/dirty:image")
    finally:
        changed.write_text(committed, encoding="utf-8")
    assert done.exit_code == 1
    assert "{git.short_commit} is asked for, and the working tree is not what commit" in done.output
    assert " M small/dirty/content.txt\n" in done.output
    assert tags(site.one, "small/dirty") == {}


def test_without_git_only_what_needs_it_is_refused(site: Site) -> None:
    site.add("gitless")
    away = site.copy.folder / ".git-away"
    Path(site.copy.folder, ".git").rename(away)
    try:
        asked = site.publish("small/gitless:image")
        unasked = site.publish("small/gitless:image", other=site.one)
    finally:
        away.rename(site.copy.folder / ".git")
    assert asked.exit_code == 1
    assert "ask for {git.short_commit}, and git has no answer: fatal: not a git repository" in asked.output
    assert unasked.exit_code == 0, unasked.output


def test_without_a_registry_nothing_is_pushed_anywhere(site: Site) -> None:
    site.add("nowhere")
    done = site.copy.pants("publish", "small/nowhere:image")
    assert done.exit_code == 1
    assert "small/nowhere:image cannot be published: no registry is configured for it" in done.output
    assert "[docker.registries.ecr]" in done.output


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("someone:secret@127.0.0.1:5000", "must not hold credentials"),
        ("12345.dkr.ecr.eu-west-1.amazonaws.com", "none of Amazon ECR's forms"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused_before_any_push(site: Site, address: str, said: str) -> None:
    name = f"address{len(address)}"
    site.add(name)
    done = site.publish(f"small/{name}:image", wrong=address, right=site.two)
    assert done.exit_code == 1
    assert "cannot be published to registry wrong: " in done.output
    assert said in done.output
    assert "someone:secret" not in done.output
    assert tags(site.two, f"small/{name}") == {}


def test_credentials_are_the_docker_configurations_and_are_shown_nowhere(site: Site, tmp_path: Path) -> None:
    site.add("closed")
    config = tmp_path / "docker"
    config.mkdir()
    token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    with registry(tmp_path / "registry", USER, PASSWORD) as closed:
        refused = site.publish("small/closed:image", closed=closed, docker_config=config)
        settings = json.dumps({"auths": {closed: {"auth": token}}})
        Path(config, "config.json").write_text(settings, encoding="utf-8")
        done = site.publish("small/closed:image", level="debug", closed=closed, docker_config=config)
    assert refused.exit_code == 1
    assert f"docker login {closed}" in refused.output
    assert done.exit_code == 0, done.output
    assert "Execute InteractiveProcess" in done.output, "the debug log"
    assert PASSWORD not in done.output
    assert token not in done.output
