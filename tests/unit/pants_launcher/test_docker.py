"""What goals that use Docker are given, on a machine whose engine answers."""

from pathlib import Path
from typing import List

import pytest

from pants_launcher import docker
from pants_launcher.errors import LauncherError
from pants_launcher.host import Host
from tests.unit.pants_launcher import fakes

DEBIAN_ROOT = Host(debian=True, root=True, systemd=False, name="Debian")


def test_a_client_that_is_not_the_first_is_put_in_front_of_path(tmp_path: Path) -> None:
    fakes.program(tmp_path / "a" / "docker", "exit 1")
    fakes.program(tmp_path / "b" / "docker", "exit 0")
    path = (str(tmp_path / "a"), str(tmp_path / "b"))
    with fakes.engine() as address:
        settings = fakes.settings(tmp_path, docker_host=address, start_engine=False, path=path)
        assert docker.docker_environment(settings, {}) == {
            "PANTS_DOCKER_EXECUTABLE_SEARCH_PATHS": f"['{tmp_path}/b', '<PATH>']"
        }


def test_nothing_is_said_of_a_client_that_pants_finds_by_itself(tmp_path: Path) -> None:
    fakes.program(tmp_path / "a" / "docker", "exit 0")
    with fakes.engine() as address:
        settings = fakes.settings(tmp_path, docker_host=address, start_engine=False, path=(str(tmp_path / "a"),))
        assert docker.docker_environment(settings, {}) == {}


def test_the_users_own_search_path_is_left_alone(tmp_path: Path) -> None:
    with fakes.engine() as address:
        settings = fakes.settings(tmp_path, docker_host=address, start_engine=False)
        assert docker.docker_environment(settings, {"PANTS_DOCKER_EXECUTABLE_SEARCH_PATHS": "['/mine']"}) == {}


@pytest.mark.parametrize(
    ("host", "start_engine", "installed"),
    [
        (DEBIAN_ROOT, True, ["mmdebstrap"]),
        (DEBIAN_ROOT, False, []),
        (DEBIAN_ROOT._replace(root=False), True, []),
        (DEBIAN_ROOT._replace(debian=False), True, []),
    ],
)
def test_mmdebstrap_is_installed_where_that_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: Host, start_engine: bool, installed: List[str]
) -> None:
    asked: List[str] = []
    monkeypatch.setattr(docker, "_SYSTEM_FOLDERS", ())
    monkeypatch.setattr("pants_launcher.debian.install", lambda packages, log, env: asked.extend(packages))
    docker._see_to_mmdebstrap(fakes.settings(tmp_path, start_engine=start_engine), host, {})
    assert asked == installed


def test_mmdebstrap_that_cannot_be_installed_is_told_and_left_to_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise LauncherError("cannot install Debian's mmdebstrap: no network")

    monkeypatch.setattr(docker, "_SYSTEM_FOLDERS", ())
    monkeypatch.setattr("pants_launcher.debian.install", fail)
    docker._see_to_mmdebstrap(fakes.settings(tmp_path), DEBIAN_ROOT, {})
    assert capsys.readouterr().err == (
        "pants: cannot install Debian's mmdebstrap: no network\n"
        "Going on without; building the base layer will need it.\n"
    )


def test_mmdebstrap_that_is_there_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.program(tmp_path / "bin" / "mmdebstrap", "exit 0")
    monkeypatch.setattr("pants_launcher.debian.install", lambda *_: pytest.fail("installed"))
    docker._see_to_mmdebstrap(fakes.settings(tmp_path, path=(str(tmp_path / "bin"),)), DEBIAN_ROOT, {})
