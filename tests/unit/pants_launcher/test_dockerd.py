"""Starting an engine, with a stand-in that listens on a real socket."""

import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Iterator, List

import pytest

from pants_launcher.dockerd import Daemon, running_pid, start, version_of, wait_for
from pants_launcher.errors import LauncherError
from tests.unit.pants_launcher import fakes

# An engine outlives the launcher, so nobody waits for its end.
pytestmark = pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")

ENGINE = """#!{python}
import os, socket, sys
pid_file, path = sys.argv[1:3]
print("engine of", sorted(os.environ), flush=True)
if os.path.exists(pid_file):
    sys.exit("pid file found")
with open(pid_file, "w") as file:
    file.write(str(os.getpid()))
if os.path.exists(path):
    os.remove(path)
server = socket.socket(socket.AF_UNIX)
server.bind(path)
server.listen()
while True:
    connection, _ = server.accept()
    connection.recv(1024)
    connection.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\nOK")
    connection.close()
"""


@pytest.fixture()
def folder() -> Iterator[Path]:
    # The name of a socket may have 107 bytes at most, so it is not put below pytest's own folder.
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture()
def started() -> Iterator[List[int]]:
    """Process ids to end after the test."""
    pids: List[int] = []
    yield pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def daemon(folder: Path, text: str = ENGINE, patience_s: float = 20.0) -> Daemon:
    program = folder / "dockerd"
    program.write_text(text.format(python=sys.executable))
    program.chmod(0o755)
    address, pid_file = str(folder / "docker.sock"), str(folder / "docker.pid")
    command = (str(program), pid_file, address)
    return Daemon(command, f"unix://{address}", pid_file, str(folder / "dockerd.log"), patience_s)


def test_an_engine_is_started_in_a_session_of_its_own_with_little_environment(folder: Path, started: List[int]) -> None:
    engine = daemon(folder)
    env = {"HOME": "/root", "https_proxy": "proxy", "SECRET": "word", "PATH": "/odd"}
    started.append(start(engine, env))
    assert os.getsid(started[0]) == started[0]
    assert running_pid(engine) == started[0]
    seen = Path(engine.log).read_text()
    assert "SECRET" not in seen
    assert "https_proxy" in seen


def test_what_a_dead_engine_left_does_not_stop_a_new_one(folder: Path, started: List[int]) -> None:
    engine = daemon(folder)
    (folder / "docker.sock").touch()
    # A process that is alive but no engine: the number was given to another.
    Path(engine.pid_file).write_text(str(os.getpid()))
    started.append(start(engine, {}))
    assert wait_for(engine.address, 0.0)


@pytest.mark.parametrize("content", ["", "word", "999999999", "-1"])
def test_a_pid_file_without_a_live_engine_names_none(folder: Path, content: str) -> None:
    engine = daemon(folder)
    Path(engine.pid_file).write_text(content)
    assert running_pid(engine) is None


def test_an_engine_that_runs_is_waited_for(folder: Path, started: List[int]) -> None:
    engine = daemon(folder)
    started.append(start(engine, {}))
    assert start(engine, {}) == started[0]


def test_an_engine_that_runs_and_does_not_answer_is_told(folder: Path, started: List[int]) -> None:
    engine = daemon(folder)
    started.append(start(engine, {}))
    os.remove(folder / "docker.sock")
    with pytest.raises(LauncherError) as caught:
        start(engine._replace(patience_s=0.1), {})
    assert str(caught.value) == (
        f"these goals need a Docker engine; {folder}/dockerd runs (pid {started[0]}) but has not answered at"
        f" unix://{folder}/docker.sock within 0 s.\n"
        "Look at its log, or end that process and start Pants again."
    )


def test_an_engine_that_ends_is_quoted(folder: Path) -> None:
    engine = daemon(folder, "#!/bin/sh\necho starting\necho 'iptables: Permission denied' >&2\nexit 3\n")
    with pytest.raises(LauncherError) as caught:
        start(engine, {})
    assert str(caught.value) == (
        f"these goals need a Docker engine; started {' '.join(engine.command)}, but it ended with status 3.\n"
        "Its log ends with:\n  starting\n  iptables: Permission denied\n"
        f"Correct that (all of it is in {engine.log}; a container needs `--privileged` to run an engine), or set"
        " DOCKER_HOST to the address of another engine."
    )


def test_an_engine_that_never_answers_is_told(folder: Path, started: List[int]) -> None:
    engine = daemon(folder, '#!/bin/sh\necho $$ >"$1"\nexec sleep 60\n', patience_s=1.0)
    began = time.monotonic()
    with pytest.raises(
        LauncherError, match=r"but it has not answered within 1 s\.\nIts log ends with:\n  \(no output\)\n"
    ):
        start(engine, {})
    assert time.monotonic() - began < 10
    started.append(int(Path(engine.pid_file).read_text()))


def test_the_version_is_read_from_the_program(folder: Path) -> None:
    program = fakes.program(folder / "dockerd", 'echo "Docker version 20.10.24+dfsg1, build 5d6db84"')
    assert version_of(program) == "20.10.24"


def test_a_program_that_tells_no_version_has_none(folder: Path) -> None:
    assert version_of(fakes.program(folder / "dockerd", "exit 1")) == "of unknown version"


def test_an_engine_that_ends_on_what_a_killed_one_left_is_started_again(folder: Path, started: List[int]) -> None:
    left = folder / "containerd-of-a-killed-engine"
    left.touch()
    guard = f'if os.path.exists("{left}"):\n    os.remove("{left}")\n    sys.exit("timeout waiting for containerd")\n'
    engine = daemon(
        folder, ENGINE.replace("pid_file, path = sys.argv[1:3]\n", f"pid_file, path = sys.argv[1:3]\n{guard}")
    )
    started.append(start(engine, {}))
    assert running_pid(engine) == started[0]
    assert not left.exists()
