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
        assert docker.docker_environment(settings, {}, tests=False) == {
            "PANTS_DOCKER_EXECUTABLE_SEARCH_PATHS": f"['{tmp_path}/b', '<PATH>']"
        }


def test_nothing_is_said_of_a_client_that_pants_finds_by_itself(tmp_path: Path) -> None:
    fakes.program(tmp_path / "a" / "docker", "exit 0")
    with fakes.engine() as address:
        settings = fakes.settings(tmp_path, docker_host=address, start_engine=False, path=(str(tmp_path / "a"),))
        assert docker.docker_environment(settings, {}, tests=False) == {}


def test_the_users_own_search_path_is_left_alone(tmp_path: Path) -> None:
    with fakes.engine() as address:
        settings = fakes.settings(tmp_path, docker_host=address, start_engine=False)
        assert (
            docker.docker_environment(settings, {"PANTS_DOCKER_EXECUTABLE_SEARCH_PATHS": "['/mine']"}, tests=False)
            == {}
        )


@pytest.mark.parametrize(
    ("host", "start_engine", "tests", "installed"),
    [
        (DEBIAN_ROOT, True, False, ["mmdebstrap"]),
        (DEBIAN_ROOT, True, True, ["chromium", "mmdebstrap"]),
        (DEBIAN_ROOT, False, True, []),
        (DEBIAN_ROOT._replace(root=False), True, True, []),
        (DEBIAN_ROOT._replace(debian=False), True, True, []),
    ],
)
def test_debians_programs_are_installed_where_that_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: Host, start_engine: bool, tests: bool, installed: List[str]
) -> None:
    asked: List[str] = []
    monkeypatch.setattr(docker, "_SYSTEM_FOLDERS", ())
    monkeypatch.setattr(docker, "this_host", lambda: host)
    monkeypatch.setattr("pants_launcher.debian.install", lambda packages, log, env: asked.extend(packages))
    fakes.program(tmp_path / "a" / "docker", "exit 0")
    with fakes.engine() as address:
        path = (str(tmp_path / "a"),)
        settings = fakes.settings(tmp_path, docker_host=address, start_engine=start_engine, path=path)
        docker.docker_environment(settings, {}, tests)
    assert asked == installed


def test_what_cannot_be_installed_is_told_and_left_to_those_who_need_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise LauncherError("cannot install Debian's mmdebstrap: no network")

    monkeypatch.setattr(docker, "_SYSTEM_FOLDERS", ())
    monkeypatch.setattr("pants_launcher.debian.install", fail)
    docker._see_to_programs({"mmdebstrap": "mmdebstrap"}, fakes.settings(tmp_path), DEBIAN_ROOT, {})
    assert capsys.readouterr().err == (
        "pants: cannot install Debian's mmdebstrap: no network\n"
        "Going on without; building the base layer needs mmdebstrap, some tests need the others.\n"
    )


def test_programs_that_are_there_are_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.program(tmp_path / "bin" / "mmdebstrap", "exit 0")
    monkeypatch.setattr("pants_launcher.debian.install", lambda *_: pytest.fail("installed"))
    settings = fakes.settings(tmp_path, path=(str(tmp_path / "bin"),))
    docker._see_to_programs({"mmdebstrap": "mmdebstrap"}, settings, DEBIAN_ROOT, {})
