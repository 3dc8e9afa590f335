"""Installing what the user's code needs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Sequence

import pytest

from sagemaker_sklearn_container.errors import InstallError
from sagemaker_sklearn_container.user_code.install import install


class Recorder:
    """Remembers commands and gives `exit_code` for each."""

    def __init__(self, exit_code: int = 0) -> None:
        self.exit_code = exit_code
        self.commands: list[list[str]] = []

    def __call__(self, command: Sequence[str], cwd: Path) -> int:
        self.commands.append(list(command))
        return self.exit_code


PIP = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]


def test_nothing_is_run_for_a_plain_script(tmp_path: Path) -> None:
    """U-05, U-06: so no network is needed."""
    (tmp_path / "train.py").touch()
    run = Recorder()
    install(tmp_path, run)
    assert run.commands == []


def test_requirements_are_installed(tmp_path: Path) -> None:
    """T-47, U-05."""
    (tmp_path / "requirements.txt").touch()
    run = Recorder()
    install(tmp_path, run)
    assert run.commands == [[*PIP, "-r", str(tmp_path / "requirements.txt")]]


def test_a_package_is_installed_from_a_copy(tmp_path: Path) -> None:
    """T-43, T-46, U-07: pip writes into the tree it builds, and that may be the user's own."""
    (tmp_path / "setup.py").touch()
    (tmp_path / "requirements.txt").touch()
    run = Recorder()
    install(tmp_path, run)
    ((*pip, package, _, requirements),) = run.commands
    assert pip == PIP
    assert package != str(tmp_path)
    assert requirements == str(tmp_path / "requirements.txt")


def test_a_failed_installation_names_the_step_and_the_exit_code(tmp_path: Path) -> None:
    """T-47, U-05."""
    (tmp_path / "requirements.txt").touch()
    with pytest.raises(InstallError, match="Installing the user's requirements.txt failed: .* exit code 2"):
        install(tmp_path, Recorder(2))
