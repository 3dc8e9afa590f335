"""Installing what the user's code needs: its requirements.txt, and the code itself only if it has a setup.py."""

from __future__ import annotations

import logging
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Callable, Sequence

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.errors import InstallError

logger = logging.getLogger(__name__)

# Runs a command in a directory and gives its exit code.
Run = Callable[[Sequence[str], Path], int]


def is_package(code_dir: Path) -> bool:
    """Whether the user's code is a distribution of its own.

    Source: contract T-46, U-07.
    """
    return (code_dir / "setup.py").is_file()


def install(code_dir: Path, run: Run) -> None:
    """Install the requirements of the code in `code_dir`, and the code itself if it is a package.

    Without requirements.txt and setup.py nothing is run, so that no network is needed (U-05).

    Raises:
        InstallError: pip failed; its own output went to the container's log.

    Source: contract T-46, T-47, U-05, U-07.
    """
    requirements = code_dir / contract.REQUIREMENTS_FILE
    arguments = ["-r", str(requirements)] if requirements.is_file() else []
    if is_package(code_dir):
        # pip builds inside the tree it is given, and that tree may be the user's own directory, mounted (T-43).
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch, "package")
            shutil.copytree(code_dir, copy, ignore_dangling_symlinks=True)
            _pip_install(
                [str(copy), *arguments], code_dir, run, what="the user's package (setup.py) and its requirements"
            )
    elif arguments:
        _pip_install(arguments, code_dir, run, what=f"the user's {contract.REQUIREMENTS_FILE}")


def _pip_install(arguments: Sequence[str], code_dir: Path, run: Run, what: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    logger.info("Installing %s: %s", what, shlex.join(command))
    exit_code = run(command, code_dir)
    if exit_code != 0:
        raise InstallError(
            f"Installing {what} failed: pip install ended with exit code {exit_code}. Its messages are in the "
            "container's log; check the names and versions, and that the container can reach the package index."
        )
