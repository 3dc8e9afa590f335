"""What the push program leaves at a registry, and what it says where it cannot: with real registries and engines."""

from __future__ import annotations

import base64
import json
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from docker.api.client import APIClient

from image_push.__main__ import main
from image_push.failures import PushError
from image_push.push import Publisher
from image_push.reference import Reference
from tests.support import registry as registries
from tests.support.empty_engine import empty_engine
from tests.support.engine import connect
from tests.support.tiny_image import tiny_image

USER = "publisher"
PASSWORD = "a-password-that-is-shown-nowhere"


@pytest.fixture(scope="module")
def engine() -> APIClient:
    return connect().api


@pytest.fixture()
def make_image(engine: APIClient) -> Iterator[Callable[..., str]]:
    """Makes an image with its own content, and returns its id."""
    with ExitStack() as stack:
        yield lambda padding=0: stack.enter_context(
            tiny_image(engine, f"test-publishing-{uuid.uuid4().hex}:1", padding)
        )


@pytest.fixture()
def image_id(make_image: Callable[..., str]) -> str:
    return make_image()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registries.registry(tmp_path_factory.mktemp("open") / "registry") as started:
        yield started


@pytest.fixture()
def repository() -> str:
    """One that no other test uses."""
    return f"some/{uuid.uuid4().hex}"


@pytest.fixture(autouse=True)
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place that credentials come from here; empty."""
    folder = tmp_path / "docker-config"
    folder.mkdir()
    Path(folder, "config.json").write_text("{}", encoding="utf-8")
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    return folder / "config.json"


def names_of(engine: APIClient, image_id: str) -> tuple[list[str], list[str]]:
    image = engine.inspect_image(image_id)
    return sorted(image["RepoTags"]), sorted(image["RepoDigests"])


def test_what_is_pushed_comes_back_as_the_same_image(
    engine: APIClient, image_id: str, address: str, repository: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = engine.inspect_image(image_id)
    assert main(["--image-id", image_id, f"{address}/{repository}:1"]) == 0
    printed = capsys.readouterr().out.split()
    digest = registries.tags(address, repository)["1"]
    assert printed == [f"{address}/{repository}:1@{digest}", "pushed"]

    with empty_engine() as second:
        assert second.images.list() == []
        pulled = second.images.pull(f"{address}/{repository}@{digest}")
        assert pulled.id == image_id
        assert pulled.attrs["RootFS"] == before["RootFS"]
        assert pulled.attrs["RepoDigests"] == [f"{address}/{repository}@{digest}"]
        said = second.containers.run(pulled.id, network_mode="none", remove=True)
    assert said.decode() == f"{before['RepoTags'][0]}\n"


def test_what_is_there_already_is_not_pushed_again(
    engine: APIClient, image_id: str, address: str, repository: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The engine remembers nothing of the first push: what the registry has is compared by content."""
    names = names_of(engine, image_id)
    assert names[1] == []
    for outcome in ("pushed", "already there, nothing pushed"):
        assert main(["--image-id", image_id, f"{address}/{repository}:1"]) == 0
        digest = registries.tags(address, repository)["1"]
        assert capsys.readouterr().out == f"{address}/{repository}:1@{digest} {outcome}\n"
        assert names_of(engine, image_id) == names


@pytest.mark.parametrize("held_here", [True, False])
def test_a_tag_of_another_image_is_refused_unless_tags_may_move(
    engine: APIClient,
    make_image: Callable[..., str],
    address: str,
    repository: str,
    capsys: pytest.CaptureFixture[str],
    held_here: bool,
) -> None:
    """Whether or not the engine holds the other image; it is not brought here for the comparison either."""
    reference = f"{address}/{repository}:1"
    other, mine = make_image(padding=3_000_000), make_image()
    assert main(["--image-id", other, reference]) == 0
    there = registries.tags(address, repository)["1"]
    if not held_here:
        engine.remove_image(other, force=True)
    capsys.readouterr()

    assert main(["--image-id", mine, reference]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "refused, nothing was pushed" in said.err
    assert there in said.err
    assert mine in said.err
    assert "--image-publishing-tags-may-move" in said.err
    assert registries.tags(address, repository) == {"1": there}
    if not held_here:
        assert not engine.images(name=f"{address}/{repository}", all=True)

    assert main(["--image-id", mine, "--tags-may-move", reference]) == 0
    assert registries.tags(address, repository)["1"] != there
    assert there in capsys.readouterr().err, "what the tag named before is said"
    if not held_here:
        # For the fixture, which removes it.
        engine.pull(f"{address}/{repository}", tag=there)


def test_the_name_of_an_image_in_the_engine_is_given_back(
    engine: APIClient, make_image: Callable[..., str], address: str, repository: str
) -> None:
    someones, mine = make_image(), make_image()
    engine.tag(someones, f"{address}/{repository}", "1")
    assert main(["--image-id", mine, f"{address}/{repository}:1"]) == 0
    assert engine.inspect_image(f"{address}/{repository}:1")["Id"] == someones
    assert names_of(engine, mine)[1] == []


def test_an_image_without_a_name_is_still_there_afterwards(
    engine: APIClient, image_id: str, address: str, repository: str
) -> None:
    """The engine removes an image with its last name."""
    child = engine.create_container(image_id, ["/say"])
    try:
        nameless = str(engine.commit(child["Id"], changes=[f"LABEL made={repository}"])["Id"])
    finally:
        engine.remove_container(child["Id"])
    assert names_of(engine, nameless)[0] == []
    try:
        assert main(["--image-id", nameless, f"{address}/{repository}:1"]) == 0
        assert names_of(engine, nameless) == ([], [])
    finally:
        engine.remove_image(nameless, force=True)


def test_the_record_holds_every_name_of_this_image(
    image_id: str, address: str, repository: str, tmp_path: Path
) -> None:
    record = tmp_path / "dist" / "image.published.json"
    for tag in ("1", "2"):
        words = ["--image-id", image_id, "--target", "some:image", "--record", str(record)]
        assert main([*words, f"{address}/{repository}:{tag}"]) == 0
    digests = registries.tags(address, repository)
    assert json.loads(record.read_text(encoding="utf-8")) == {
        "target": "some:image",
        "image_id": image_id,
        "published": {f"{address}/{repository}:{tag}": f"{address}/{repository}@{digests[tag]}" for tag in ("1", "2")},
    }


def with_no_credentials(address: str, config: Path) -> None:
    config.write_text("{}", encoding="utf-8")


def with_a_wrong_password(address: str, config: Path) -> None:
    logged_in(address, config, f"wrong-{PASSWORD}")


def logged_in(address: str, config: Path, password: str = PASSWORD) -> None:
    """As `docker login` leaves it."""
    token = base64.b64encode(f"{USER}:{password}".encode()).decode()
    config.write_text(json.dumps({"auths": {address: {"auth": token}}}), encoding="utf-8")


def with_a_helper(address: str, config: Path) -> None:
    """A program that is asked for the credentials of one registry."""
    helper = config.parent / "docker-credential-test"
    answer = json.dumps({"ServerURL": address, "Username": USER, "Secret": PASSWORD})
    helper.write_text(f"#!/bin/sh\ncat >/dev/null\necho '{answer}'\n", encoding="utf-8")
    helper.chmod(0o755)
    config.write_text(json.dumps({"credHelpers": {address: "test"}}), encoding="utf-8")


@pytest.fixture(scope="module")
def closed_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registries.registry(tmp_path_factory.mktemp("closed") / "registry", USER, PASSWORD) as started:
        yield started


@pytest.mark.parametrize("configure", [logged_in, with_a_helper])
def test_credentials_come_from_the_docker_configuration(
    image_id: str,
    closed_address: str,
    repository: str,
    docker_config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    configure: Callable[[str, Path], None],
) -> None:
    configure(closed_address, docker_config)
    monkeypatch.setenv("PATH", f"{docker_config.parent}:/usr/bin:/bin")
    assert main(["--image-id", image_id, f"{closed_address}/{repository}:1"]) == 0
    said = capfd.readouterr()
    assert f"{closed_address}/{repository}:1@sha256:" in said.out
    assert_no_password(said.out + said.err)


def test_a_helper_that_is_not_there_is_named(
    image_id: str, closed_address: str, repository: str, docker_config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    docker_config.write_text(json.dumps({"credHelpers": {closed_address: "missing"}}), encoding="utf-8")
    assert main(["--image-id", image_id, f"{closed_address}/{repository}:1"]) == 1
    said = capsys.readouterr().err
    assert "docker-credential-missing" in said
    assert f"The credential helper that {docker_config} names failed, or is not on PATH." in said


@pytest.mark.parametrize("configure", [with_no_credentials, with_a_wrong_password])
def test_who_may_not_push_is_told_where_credentials_come_from(
    image_id: str,
    closed_address: str,
    repository: str,
    docker_config: Path,
    capfd: pytest.CaptureFixture[str],
    configure: Callable[[str, Path], None],
) -> None:
    configure(closed_address, docker_config)
    assert main(["--image-id", image_id, f"{closed_address}/{repository}:1"]) == 1
    said = capfd.readouterr()
    assert f"{closed_address}/{repository}:1: " in said.err
    assert f"docker login {closed_address}" in said.err
    assert str(docker_config) in said.err
    assert_no_password(said.out + said.err)


def assert_no_password(text: str) -> None:
    for secret in (PASSWORD, base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()):
        assert secret not in text


@pytest.mark.parametrize(
    ("status", "code", "quoted", "next_step"),
    [
        (401, "UNAUTHORIZED", "unauthorized", "docker login"),
        (403, "DENIED", "denied", "may not do this"),
        # Only a push shows whether a registry makes the repository.
        (404, "NAME_UNKNOWN", "name unknown", "does not make one at the first push"),
    ],
)
def test_a_registry_that_refuses_is_quoted(
    image_id: str,
    repository: str,
    capsys: pytest.CaptureFixture[str],
    status: int,
    code: str,
    quoted: str,
    next_step: str,
) -> None:
    with registries.refusing(status, code, "it says so") as address:
        assert main(["--image-id", image_id, f"{address}/{repository}:1"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{address}/{repository}:1: " in said.err
    assert quoted in said.err
    assert next_step in said.err
    assert "trying again" not in said.err


def test_a_registry_that_is_down_is_tried_three_times(
    image_id: str, repository: str, capsys: pytest.CaptureFixture[str]
) -> None:
    address = registries.free_address()
    assert main(["--image-id", image_id, f"{address}/{repository}:1"]) == 1
    said = capsys.readouterr().err
    assert said.count("trying again in") == 2
    assert "connection refused" in said
    assert said.rstrip().endswith("Start the registry, or correct the address in [docker.registries].")


def test_a_push_that_is_cut_off_once_arrives_whole(
    make_image: Callable[..., str], address: str, repository: str
) -> None:
    large = make_image(padding=2_000_000)
    with registries.losing_connections(address, after_bytes=500_000, times=1) as way:
        assert main(["--image-id", large, f"{way}/{repository}:1"]) == 0
    with empty_engine() as second:
        pulled = second.images.pull(f"{address}/{repository}@{registries.tags(address, repository)['1']}")
        assert pulled.id == large


def test_a_push_that_is_always_cut_off_ends_and_leaves_no_tag(
    make_image: Callable[..., str], address: str, repository: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It takes most of a minute: the engine repeats an upload five times."""
    large = make_image(padding=2_000_000)
    with registries.losing_connections(address, after_bytes=500_000, times=1000) as way:
        assert main(["--image-id", large, f"{way}/{repository}:1"]) == 1
    said = capsys.readouterr().err
    assert f"{way}/{repository}:1: pushing failed" in said
    assert said.rstrip().endswith(
        "The connection was lost. Repeat the command: layers that have arrived are not sent again."
    )
    assert registries.tags(address, repository) == {}


def test_an_image_that_the_engine_does_not_hold_is_not_looked_for_elsewhere(
    address: str, repository: str, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = f"sha256:{'0' * 64}"
    assert main(["--image-id", missing, f"{address}/{repository}:1"]) == 1
    said = capsys.readouterr().err
    assert f"does not hold image {missing}" in said
    assert "Repeat the command" in said


def test_a_tag_that_is_moved_in_the_engine_in_mid_push_is_noticed(
    make_image: Callable[..., str], address: str, repository: str
) -> None:
    mine, other = make_image(), make_image()

    class Meddled(APIClient):  # type: ignore[misc]  # The library has no types.
        def push(self, name: str, **options: Any) -> Any:
            self.tag(other, name, options["tag"])
            return super().push(name, **options)

    meddled = Meddled(version="auto")
    with pytest.raises(PushError, match="someone moved the tag in the engine"):
        Publisher(meddled, lambda line: None).publish(mine, Reference(f"{address}/{repository}", "1"))
    meddled.close()


def test_a_push_of_another_that_comes_between_is_noticed(
    make_image: Callable[..., str], address: str, repository: str
) -> None:
    mine, other = make_image(), make_image()
    reference = Reference(f"{address}/{repository}", "1")

    class Raced(APIClient):  # type: ignore[misc]  # The library has no types.
        def push(self, name: str, **options: Any) -> Any:
            yield from super().push(name, **options)
            main(["--image-id", other, "--tags-may-move", str(reference)])

    raced = Raced(version="auto")
    with pytest.raises(PushError, match="Another push came between"):
        Publisher(raced, lambda line: None).publish(mine, reference)
    raced.close()
