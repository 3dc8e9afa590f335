"""Finding a CPython 3.8 where Pants would, and refusing a wrong interpreter for Pants itself."""

from pathlib import Path
from typing import Tuple

import pytest

from pants_launcher.errors import LauncherError
from pants_launcher.interpreter import require_cpython39, require_python38, search_path
from tests.unit.pants_launcher import fakes

CPYTHON38 = "echo cpython 3 8"


@pytest.fixture()
def launcher_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "cache" / "launcher"
    folder.mkdir(parents=True)
    return folder


def test_pyenvs_versions_come_before_path_as_in_pants(tmp_path: Path) -> None:
    for version in ("3.9.18", "3.8.18"):
        (tmp_path / "pyenv" / "versions" / version).mkdir(parents=True)
    settings = fakes.settings(tmp_path, pyenv_root=str(tmp_path / "pyenv"), path=("/usr/bin", "/bin", "/usr/bin"))
    versions = f"{tmp_path}/pyenv/versions"
    assert search_path(settings) == (f"{versions}/3.8.18/bin", f"{versions}/3.9.18/bin", "/usr/bin", "/bin")


def test_a_pyenv_that_is_not_there_adds_nothing(tmp_path: Path) -> None:
    assert search_path(fakes.settings(tmp_path, pyenv_root="/nonexistent", path=("/bin",))) == ("/bin",)


def test_the_first_that_works_is_taken_and_remembered(tmp_path: Path, launcher_dir: Path) -> None:
    # What pyenv's shims do for versions that are not switched on.
    fakes.program(tmp_path / "shims" / "python3.8", "exit 127")
    fakes.program(tmp_path / "other" / "python3.8", "echo pypy 3 8")
    works = fakes.program(tmp_path / "bin" / "python3.8", CPYTHON38)
    settings = fakes.settings(tmp_path, path=tuple(f"{tmp_path}/{name}" for name in ("shims", "other", "bin")))
    assert require_python38(settings) == works
    assert (launcher_dir / "python3.8").read_text() == f"{works}\n"


def test_what_is_remembered_is_not_run_again(tmp_path: Path, launcher_dir: Path) -> None:
    works = fakes.program(tmp_path / "bin" / "python3.8", f'echo run >>"{tmp_path}/runs"; {CPYTHON38}')
    settings = fakes.settings(tmp_path, path=(str(tmp_path / "bin"),))
    assert [require_python38(settings), require_python38(settings)] == [works, works]
    assert (tmp_path / "runs").read_text() == "run\n"


def test_what_is_remembered_but_no_longer_on_the_search_path_is_not_taken(tmp_path: Path, launcher_dir: Path) -> None:
    fakes.program(tmp_path / "old" / "python3.8", CPYTHON38)
    new = fakes.program(tmp_path / "new" / "python3.8", CPYTHON38)
    require_python38(fakes.settings(tmp_path, path=(str(tmp_path / "old"),)))
    assert require_python38(fakes.settings(tmp_path, path=(str(tmp_path / "new"),))) == new


def test_a_cache_that_cannot_be_written_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    works = fakes.program(tmp_path / "bin" / "python3.8", CPYTHON38)
    assert require_python38(fakes.settings(tmp_path, path=(str(tmp_path / "bin"),))) == works


def test_the_error_lists_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(LauncherError) as caught:
        require_python38(fakes.settings(tmp_path, path=("/nonexistent/bin", "/nonexistent/sbin")))
    assert str(caught.value) == (
        "cannot find a CPython 3.8, for which everything in this tree is built.\n"
        "Looked for a working `python3.8` in: /nonexistent/bin, /nonexistent/sbin.\n"
        "Install one (for example `pyenv install 3.8`) or put its folder on PATH, then start Pants again."
    )


def test_the_error_says_when_there_was_nowhere_to_look(tmp_path: Path) -> None:
    with pytest.raises(LauncherError, match=r"in: \(no folders: PATH and pyenv are empty\)\."):
        require_python38(fakes.settings(tmp_path))


def test_a_cpython39_may_run_pants() -> None:
    require_cpython39("cpython", (3, 9, 18), "/usr/bin/python3.9", "/cache/launcher")


@pytest.mark.parametrize(("implementation", "version"), [("cpython", (3, 11, 7)), ("pypy", (3, 9, 18))])
def test_another_interpreter_may_not_run_pants(implementation: str, version: Tuple[int, int, int]) -> None:
    with pytest.raises(LauncherError) as caught:
        require_cpython39(implementation, version, "/usr/bin/other", "/cache/launcher")
    assert str(caught.value) == (
        f"cannot start Pants with /usr/bin/other: it is a {implementation} {version[0]}.{version[1]}, and Pants 2.17"
        " needs a CPython 3.9.\n"
        "Start ./pants itself; if it chose this interpreter, remove /cache/launcher/python3.9 first."
    )
