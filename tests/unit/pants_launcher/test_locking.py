"""The lock between launches, with real processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import List

import pytest

from pants_launcher.locking import exclusive
from tests.unit.pants_launcher.fakes import python_environment

HOLD = """
import sys, time
from pants_launcher.locking import exclusive
with exclusive(sys.argv[1], lambda: None):
    print("held", flush=True)
    time.sleep(60)
"""
HOLD_WITH_CHILD = """
import subprocess, sys, time
from pants_launcher.locking import exclusive
with exclusive(sys.argv[1], lambda: None) as descriptor:
    subprocess.Popen(["sleep", "1"], pass_fds=(descriptor,), stdout=subprocess.DEVNULL)
    print("held", flush=True)
    time.sleep(60)
"""


def holder(code: str, lock: Path) -> "subprocess.Popen[bytes]":
    """A process that runs `code` and holds `lock` when this returns."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(lock)], env=python_environment(), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def kill(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_free_lock_is_taken_without_waiting(tmp_path: Path) -> None:
    waited: List[str] = []
    with exclusive(str(tmp_path / "lock"), lambda: waited.append("once")):
        pass
    with exclusive(str(tmp_path / "lock"), lambda: waited.append("once")):
        pass
    assert waited == []


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    kill(holder(HOLD, tmp_path / "lock"))
    waited: List[str] = []
    with exclusive(str(tmp_path / "lock"), lambda: waited.append("once")):
        assert waited == []


def test_one_waits_for_the_other_and_says_so_once(tmp_path: Path) -> None:
    process = holder(HOLD, tmp_path / "lock")
    waited: List[str] = []

    def end_the_other() -> None:
        waited.append("once")
        kill(process)

    with exclusive(str(tmp_path / "lock"), end_the_other):
        assert waited == ["once"]


def test_a_child_that_outlives_its_killed_parent_still_holds_the_lock(tmp_path: Path) -> None:
    kill(holder(HOLD_WITH_CHILD, tmp_path / "lock"))
    waited: List[str] = []
    began = time.monotonic()
    with exclusive(str(tmp_path / "lock"), lambda: waited.append("once")):
        assert waited == ["once"]
    assert time.monotonic() - began > 0.3


def test_the_lock_is_given_back_after_an_error(tmp_path: Path) -> None:
    lock = str(tmp_path / "lock")
    with pytest.raises(KeyError), exclusive(lock, lambda: None):
        raise KeyError
    waited: List[str] = []
    with exclusive(lock, lambda: waited.append("once")):
        assert waited == []


def test_a_lock_in_a_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), exclusive(str(tmp_path / "missing" / "lock"), lambda: None):
        pass
    assert os.listdir(tmp_path) == []
