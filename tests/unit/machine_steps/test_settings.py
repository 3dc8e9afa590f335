"""Settings of the machine on their way to a step, with the shell that runs steps."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from machine_steps.settings import LINK, SHARED_CACHE, WITH_SETTINGS, write_settings

ODD = """it's "$HOME"; `id` \\ \n two"""


def run(sandbox: Path, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A step that runs a shell script, in an environment like that of a step: no PATH."""
    command = ["/bin/bash", "-c", WITH_SETTINGS, "step", "/bin/bash", "-c", script]
    return subprocess.run(command, cwd=sandbox, env=environment, stdout=subprocess.PIPE, text=True, timeout=60)


def test_a_step_that_asks_sees_them_to_the_letter(tmp_path: Path) -> None:
    write_settings(tmp_path / LINK, {"PIP_INDEX_URL": ODD, "HOME": "/home/ann"})
    seen = run(tmp_path, 'printf "%s|%s" "$PIP_INDEX_URL" "$HOME"', MACHINE_SETTINGS="yes")
    assert seen.stdout == f"{ODD}|/home/ann"


def test_a_step_that_does_not_ask_sees_none(tmp_path: Path) -> None:
    write_settings(tmp_path / LINK, {"OS_MIRROR": "x"})
    assert run(tmp_path, 'printf "%s" "${OS_MIRROR-none}"').stdout == "none"


def test_a_machine_without_settings_runs_its_steps(tmp_path: Path) -> None:
    assert run(tmp_path, "printf done", MACHINE_SETTINGS="yes").stdout == "done"


def test_the_status_of_the_program_is_the_steps(tmp_path: Path) -> None:
    assert run(tmp_path, "exit 7", MACHINE_SETTINGS="yes").returncode == 7


def test_only_the_user_can_read_them(tmp_path: Path) -> None:
    write_settings(tmp_path / "settings", {"PIP_INDEX_URL": "http://user:word@localhost/"})
    (file,) = (tmp_path / "settings").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_settings_that_are_gone_are_gone_for_the_next_step(tmp_path: Path) -> None:
    write_settings(tmp_path / LINK, {"OS_MIRROR": "x"})
    write_settings(tmp_path / LINK, {})
    assert run(tmp_path, 'printf "%s" "${OS_MIRROR-none}"', MACHINE_SETTINGS="yes").stdout == "none"
    assert len(list((tmp_path / LINK).iterdir())) == 1


def test_a_daemon_writes_them_for_several_steps_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / LINK
    versions = [{"OS_MIRROR": "x" * number} for number in range(400)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda settings: write_settings(folder, settings), versions))
    (file,) = folder.iterdir()
    assert file.read_text().rstrip("\n") in {f"OS_MIRROR={'x' * number or shlex.quote('')}" for number in range(400)}


def test_a_failure_waits_for_the_shared_cache_and_can_be_ended(tmp_path: Path) -> None:
    write_settings(tmp_path / LINK, {SHARED_CACHE: "yes"})
    step = subprocess.Popen(
        ["/bin/bash", "-c", WITH_SETTINGS, "step", "/bin/bash", "-c", "echo failed; exit 7"],
        cwd=tmp_path,
        env={"MACHINE_SETTINGS": "yes"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert step.stdout is not None
    assert step.stdout.readline() == "failed\n"
    time.sleep(0.5)
    assert step.poll() is None
    # As Pants ends a step whose result came from elsewhere.
    os.killpg(step.pid, signal.SIGKILL)
    step.wait(10)
    step.stdout.close()
