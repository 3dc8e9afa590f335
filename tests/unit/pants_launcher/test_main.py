"""The course of a launch with everything in place, and its errors."""

import os
import sys
from pathlib import Path
from typing import Dict

import pytest

from pants_launcher import cache, main
from pants_launcher.cache import LOCKS, install_for
from pants_launcher.errors import LauncherError
from pants_launcher.settings import from_environment
from tests.unit.pants_launcher import fakes

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(main.__file__))))


@pytest.fixture()
def root(tmp_path: Path) -> Path:
    """A checkout whose install, and whose CPython 3.8, are in place."""
    for name in (*LOCKS, *(f"src/pants_launcher/{name}" for name in cache._SHAPING_SOURCES)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    fakes.finished_install(Path(install_for(str(tmp_path), str(tmp_path / "cache" / "launcher")).folder))
    fakes.program(tmp_path / "bin" / "python3.8", "echo cpython 3 8")
    return tmp_path


def environment(root: Path, **more: str) -> Dict[str, str]:
    return {"SKLEARN_IMAGES_CACHE": f"{root}/cache", "PATH": f"{root}/bin:/usr/bin:/bin", **more}


def prepared(root: Path, line: str, **more: str) -> Dict[str, str]:
    env = environment(root, **more)
    _, pants_env = main.prepare(str(root), line.split(), from_environment(env), env)
    return {name: value for name, value in pants_env.items() if name not in env}


def test_a_goal_without_an_engine_asks_for_none(root: Path) -> None:
    assert sorted(prepared(root, "lint ::", DOCKER_HOST="unix:///nonexistent.sock")) == [
        "NO_SCIE_WARNING",
        "PANTS_PYTHON_BOOTSTRAP_SEARCH_PATH",
        "_PANTS_SERVER_EXE",
    ]


def test_a_goal_with_an_engine_gets_a_client(root: Path) -> None:
    fakes.program(root / "bin" / "docker", "exit 1")
    fakes.program(root / "other" / "docker", "exit 0")
    with fakes.engine() as address:
        more = {"DOCKER_HOST": address, "SKLEARN_IMAGES_START_ENGINE": "no", "PATH": f"{root}/bin:{root}/other:/bin"}
        assert sorted(prepared(root, "package ::", **more)) == [
            "NO_SCIE_WARNING",
            "PANTS_DOCKER_EXECUTABLE_SEARCH_PATHS",
            "PANTS_PYTHON_BOOTSTRAP_SEARCH_PATH",
            "_PANTS_SERVER_EXE",
        ]


def test_the_engine_can_be_left_out(root: Path) -> None:
    more = {"DOCKER_HOST": "unix:///nonexistent.sock", "SKLEARN_IMAGES_NEED_ENGINE": "no"}
    assert sorted(prepared(root, "test ::", **more)) == [
        "NO_SCIE_WARNING",
        "PANTS_PYTHON_BOOTSTRAP_SEARCH_PATH",
        "_PANTS_SERVER_EXE",
    ]


def test_use_of_the_install_is_recorded(root: Path) -> None:
    install = install_for(str(root), str(root / "cache" / "launcher"))
    os.utime(install.marker, (0, 0))
    prepared(root, "list ::")
    assert os.stat(install.marker).st_mtime > 0


def test_an_error_is_printed_alone_with_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["list"], {"SKLEARN_IMAGES_CACHE": "relative"}) == 1
    assert capsys.readouterr().err == (
        "pants: cannot tell where to keep the private install of Pants: SKLEARN_IMAGES_CACHE is 'relative', which is"
        " relative.\nSet SKLEARN_IMAGES_CACHE to an absolute path, or unset it to use ~/.cache/sklearn-images.\n"
    )


def test_another_working_directory_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    assert main.main(["list", "::"], environment(tmp_path)) == 1
    assert capsys.readouterr().err == (
        f"pants: cannot start Pants in {tmp_path}: Pants works on the tree around the working directory, and this"
        f" launcher belongs to {ROOT}.\nChange to that folder or one below it and start Pants there.\n"
    )


def test_an_interrupt_is_not_a_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "prepare", interrupt)
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    monkeypatch.chdir(ROOT)
    assert main.main(["list", "::"], environment(tmp_path)) == 130


def test_goals_that_write_say_that_a_read_only_checkout_is_in_the_way(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The superuser, who runs these tests in many places, is refused by read-only file systems only.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(LauncherError) as caught:
        prepared(root, "package ::")
    assert str(caught.value) == (
        f"cannot run these goals in {root}: they write their results into the checkout, and it cannot be written.\n"
        "Clone it to a folder that can; goals such as list, lint, check and test work here as well."
    )
