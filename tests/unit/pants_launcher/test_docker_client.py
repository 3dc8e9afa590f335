"""The choice among Docker clients, with stand-ins that build or refuse to."""

from pathlib import Path
from typing import List, Optional

import pytest

from pants_launcher.docker_client import client_folder
from pants_launcher.errors import LauncherError
from tests.unit.pants_launcher import fakes

ENGINE = "unix:///engine.sock"
BUILDS = 'echo "$0 $*" >>"$CALLS"; [ "$DOCKER_BUILDKIT" = 1 ] && grep -q "^FROM scratch$"'
REFUSES = 'echo "$0 $*" >>"$CALLS"; echo "ERROR: BuildKit is enabled but the buildx component is missing"; exit 1'


class Machine:
    """Folders with clients, and a memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path: List[str] = []

    def client(self, name: str, text: str) -> str:
        """Put a client into the folder `name` and that folder at the end of `PATH`; the folder's path."""
        fakes.program(self._folder / name / "docker", text)
        self.path.append(str(self._folder / name))
        return str(self._folder / name)

    def choice(self, engine: str = ENGINE) -> Optional[str]:
        """The folder of the chosen client."""
        env = {"PATH": "/usr/bin:/bin", "CALLS": str(self._folder / "calls")}
        return client_folder(engine, self.path, str(self._folder / "memory"), env, usual=())

    def calls(self) -> int:
        """How often a client was run."""
        calls = self._folder / "calls"
        return len(calls.read_text().splitlines()) if calls.exists() else 0


@pytest.fixture()
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_first_client_is_left_where_pants_finds_it(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.client("a", BUILDS)
    machine.client("b", BUILDS)
    assert machine.choice() is None
    assert machine.calls() == 1
    assert capsys.readouterr().err == ""


def test_a_client_that_cannot_build_is_passed_over_and_that_is_said(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    refuses = machine.client("a", REFUSES)
    builds = machine.client("b", BUILDS)
    assert machine.choice() == builds
    assert capsys.readouterr().err == (
        f"pants: took the Docker client {builds}/docker; the first found, {refuses}/docker, cannot build with the"
        " engine\n"
    )


def test_the_choice_is_made_once(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.client("a", REFUSES)
    builds = machine.client("b", BUILDS)
    machine.choice()
    capsys.readouterr()
    assert machine.choice() == builds
    assert machine.calls() == 2
    assert capsys.readouterr().err == ""


def test_a_changed_client_is_tried_again(machine: Machine) -> None:
    refuses = machine.client("a", REFUSES)
    builds = machine.client("b", BUILDS)
    assert machine.choice() == builds
    fakes.program(Path(refuses) / "docker", BUILDS)
    assert machine.choice() is None


def test_another_engine_is_tried_anew(machine: Machine) -> None:
    machine.client("a", BUILDS)
    machine.choice()
    machine.choice("tcp://other:2375")
    assert machine.calls() == 2


def test_one_file_under_two_names_is_tried_once(machine: Machine, tmp_path: Path) -> None:
    refuses = machine.client("a", REFUSES)
    (tmp_path / "link").symlink_to(refuses)
    machine.path.append(str(tmp_path / "link"))
    builds = machine.client("b", BUILDS)
    assert machine.choice() == builds
    assert machine.calls() == 2


def test_a_client_off_path_is_named_to_pants(machine: Machine, tmp_path: Path) -> None:
    builds = machine.client("a", BUILDS)
    env = {"PATH": "/usr/bin:/bin", "CALLS": str(tmp_path / "calls")}
    assert client_folder(ENGINE, (), str(tmp_path / "memory"), env, usual=(builds,)) == builds


def test_a_memory_that_cannot_be_written_is_no_obstacle(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "memory").touch()
    machine.client("a", BUILDS)
    assert machine.choice() is None


def test_a_choice_that_cannot_be_kept_leaves_nothing_behind(machine: Machine, tmp_path: Path) -> None:
    builds = machine.client("a", BUILDS)
    machine.choice()
    [link] = (tmp_path / "memory").iterdir()
    link.unlink()
    (link / "in-the-way").mkdir(parents=True)
    assert machine.choice() is None
    assert machine.path == [builds]
    assert [path.name for path in (tmp_path / "memory").iterdir()] == [link.name]


def test_where_none_can_build_each_is_quoted(machine: Machine) -> None:
    first = machine.client("a", REFUSES)
    second = machine.client("b", "exit 2")
    with pytest.raises(LauncherError) as caught:
        machine.choice()
    assert str(caught.value) == (
        f"no Docker client here can build with BuildKit on the engine at {ENGINE}.\n"
        f"{first}/docker said:\n  ERROR: BuildKit is enabled but the buildx component is missing\n"
        f"{second}/docker said:\n  (no output)\n"
        "Install the client's buildx plugin, or a client that has BuildKit inside (on Debian 12: apt-get install"
        " docker.io), then start Pants again."
    )


def test_where_there_is_none_that_is_told(tmp_path: Path) -> None:
    with pytest.raises(LauncherError) as caught:
        client_folder(
            ENGINE, (str(tmp_path),), str(tmp_path / "memory"), {}, usual=("/nonexistent/a", "/nonexistent/b")
        )
    assert str(caught.value) == (
        "these goals need a Docker client, and there is no `docker` on PATH nor in /nonexistent/a or /nonexistent/b.\n"
        "Install one (on Debian: apt-get install docker.io), then start Pants again."
    )
