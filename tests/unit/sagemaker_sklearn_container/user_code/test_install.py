"""Installing what the user's code needs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Mapping, Sequence

import pytest

from sagemaker_sklearn_container.commands import Outcome
from sagemaker_sklearn_container.errors import ConfigurationError, InstallError
from sagemaker_sklearn_container.user_code.install import install


class Recorder:
    """Remembers commands, and gives the same outcome for each."""

    def __init__(self, exit_code: int = 0, error_tail: bytes = b"") -> None:
        self.outcome = Outcome(exit_code, error_tail)
        self.commands: list[list[str]] = []

    def __call__(self, command: Sequence[str], cwd: Path, environ: Mapping[str, str]) -> Outcome:
        assert command[:4] == [sys.executable, "-I", "-m", "pip"]
        self.commands.append([word for word in command[4:] if not word.startswith("--")])
        return self.outcome


def test_nothing_is_run_for_a_plain_script(tmp_path: Path) -> None:
    """U-05, U-06: so no network is needed, CodeArtifact's included."""
    (tmp_path / "train.py").touch()
    run = Recorder()
    install(tmp_path, {"CA_REPOSITORY_ARN": "arn:aws:codeartifact:eu-west-1:1:repository/d/r"}, run)
    assert run.commands == []


def test_requirements_are_installed(tmp_path: Path) -> None:
    """T-47, U-05."""
    (tmp_path / "requirements.txt").touch()
    run = Recorder()
    install(tmp_path, {}, run)
    assert run.commands == [["install", "-r", str(tmp_path / "requirements.txt")]]


def test_a_package_is_built_from_a_copy(tmp_path: Path) -> None:
    """T-43, T-46, U-07: pip writes into the tree it builds, and that may be the user's own."""
    (tmp_path / "setup.py").touch()
    (tmp_path / "requirements.txt").touch()
    run = Recorder()
    install(tmp_path, {}, run)
    built, installed = run.commands
    assert built[0] == "wheel"
    assert built[-1] != str(tmp_path)
    assert installed == ["install", "-r", str(tmp_path / "requirements.txt")]


def test_what_pip_says_is_in_the_message_last_error_first(tmp_path: Path) -> None:
    """T-05, T-47: the step, and the requirement that cannot be had."""
    (tmp_path / "requirements.txt").touch()
    said = b"WARNING: old\nERROR: Could not find a version (from versions: none)\nERROR: No match for nosuch==9\n"
    with pytest.raises(InstallError) as caught:
        install(tmp_path, {}, Recorder(2, said))
    assert str(caught.value).startswith(
        "Installing the user's requirements.txt failed: No match for nosuch==9; Could not find a version (from "
        "versions: none); pip ended with exit code 2."
    )


@pytest.mark.parametrize("arn", ["nonsense", "arn:aws:s3:eu-west-1:1:repository/d/r", "arn:aws:codeartifact:e:1:d/r"])
def test_a_malformed_repository_is_named(tmp_path: Path, arn: str) -> None:
    """T-47."""
    (tmp_path / "requirements.txt").touch()
    with pytest.raises(ConfigurationError, match="CA_REPOSITORY_ARN is .*; it must have the form arn:"):
        install(tmp_path, {"CA_REPOSITORY_ARN": arn}, Recorder())


def test_what_a_build_said_last_is_in_the_message(tmp_path: Path) -> None:
    """T-05, T-46."""
    (tmp_path / "setup.py").touch()
    said = b"""  error: subprocess-exited-with-error
  x Preparing metadata (pyproject.toml) did not run successfully.
      Traceback (most recent call last):
      RuntimeError: no such compiler
      [end of output]

  note: This error originates from a subprocess.
"""
    with pytest.raises(InstallError, match="wheel failed: RuntimeError: no such compiler; pip ended with exit code 1"):
        install(tmp_path, {}, Recorder(1, said))


def test_pips_own_exception_is_in_the_message(tmp_path: Path) -> None:
    """T-05, T-47."""
    (tmp_path / "requirements.txt").touch()
    said = b"ERROR: Exception:\nTraceback (most recent call last):\nUnicodeDecodeError: invalid continuation byte\n"
    with pytest.raises(InstallError, match="failed: UnicodeDecodeError: invalid continuation byte; pip ended"):
        install(tmp_path, {}, Recorder(2, said))


def test_requirements_that_are_no_file_are_an_error(tmp_path: Path) -> None:
    """T-47: not silently nothing."""
    (tmp_path / "requirements.txt").symlink_to("nowhere")
    with pytest.raises(InstallError, match="is no file, or a link to nothing"):
        install(tmp_path, {}, Recorder())


@pytest.mark.parametrize(("text", "isolated"), [("[tool.black]\n", False), ("[build-system]\nrequires = []\n", True)])
def test_only_a_package_with_build_requirements_is_built_in_isolation(
    tmp_path: Path, text: str, isolated: bool
) -> None:
    """T-46, U-05: the others need no network."""
    (tmp_path / "setup.py").touch()
    (tmp_path / "pyproject.toml").write_text(text)
    commands: list[Sequence[str]] = []

    def run(command: Sequence[str], cwd: Path, environ: Mapping[str, str]) -> Outcome:
        commands.append(command)
        return Outcome(0, b"")

    install(tmp_path, {}, run)
    assert ("--no-build-isolation" in commands[0]) is not isolated


def test_a_package_that_cannot_be_copied_is_an_error(tmp_path: Path) -> None:
    """T-46."""
    (tmp_path / "setup.py").touch()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InstallError, match=r"Installing the user's package \(setup.py\) failed: copying"):
        install(tmp_path, {}, Recorder())
