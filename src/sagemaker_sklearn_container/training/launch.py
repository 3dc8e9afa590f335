"""The command that starts the user's program."""

from __future__ import annotations

import os
import shlex
import stat
import sys
from pathlib import Path
from typing import Sequence

from sagemaker_sklearn_container.errors import CodeSourceError
from sagemaker_sklearn_container.user_code.install import is_package
from sagemaker_sklearn_container.user_code.loader import missing_program

_SHELL = "/bin/sh"


def command(program: str, arguments: Sequence[str], code_dir: Path) -> list[str]:
    """The command for `program`: a module of the user's package, a Python script, or any executable.

    Args:
        program: Path relative to `code_dir`, or module name if the code is a package.
        arguments: From the hyperparameters.
        code_dir: Directory of the user's code, and working directory of the program.

    Raises:
        CodeSourceError: the program is not there, or cannot be made executable.

    Source: contract T-46, T-49.
    """
    if is_package(code_dir):
        module = (program[:-3] if program.endswith(".py") else program).replace("/", ".")
        return [sys.executable, "-m", module, *arguments]
    path = code_dir / program
    if not path.is_file():
        raise missing_program(code_dir, program)
    if program.endswith(".py"):
        # A name like -c.py would be an option.
        return [sys.executable, f"./{program}" if program.startswith("-") else program, *arguments]
    _make_executable(path)
    # exec: the shell becomes the program, which then receives the signals itself (T-08).
    return [_SHELL, "-c", f"exec {shlex.join([f'./{program}', *arguments])}"]


def is_shell_command(command: Sequence[str]) -> bool:
    """Whether `command` starts a program that need not be Python; a shell script, most often (T-46).

    Source: contract T-08: a shell does not pass signals on to what it runs.
    """
    return command[0] == _SHELL


def _make_executable(path: Path) -> None:
    if os.access(path, os.X_OK):
        return
    try:
        path.chmod(stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
    except OSError as exc:
        raise CodeSourceError(f"The program {path} is not executable and cannot be made so: {exc}.") from exc
