"""The command that starts the user's program."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sagemaker_sklearn_container.errors import CodeSourceError
from sagemaker_sklearn_container.training.launch import command


def test_a_script_is_run_by_this_interpreter(tmp_path: Path) -> None:
    """T-46, T-48."""
    (tmp_path / "train.py").touch()
    assert command("train.py", ["--a", "1"], tmp_path) == [sys.executable, "train.py", "--a", "1"]


def test_a_package_is_run_as_module(tmp_path: Path) -> None:
    """T-46."""
    (tmp_path / "setup.py").touch()
    assert command("pkg/train.py", [], tmp_path) == [sys.executable, "-m", "pkg.train"]


def test_anything_else_is_run_by_the_shell_quoted(tmp_path: Path) -> None:
    """T-46."""
    (tmp_path / "go now").touch(mode=0o644)
    assert command("go now", ["a b"], tmp_path) == ["/bin/sh", "-c", "exec './go now' 'a b'"]
    assert os.access(tmp_path / "go now", os.X_OK)


def test_a_missing_program_is_an_error(tmp_path: Path) -> None:
    """T-40."""
    with pytest.raises(CodeSourceError, match="'train.py' is not in .* There are no files"):
        command("train.py", [], tmp_path)
