"""Runs the layer tool as the build does: a process of its own, with the build's environment and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from image_layers import __main__

MTIME = 1767225600
# Of this process, and absolute since commands run in other directories.
_PYTHONPATH = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)


def run(cwd: Path, *arguments: str, **environ: str) -> str:
    """Run one command of the tool in `cwd`; what it printed.

    Args:
        cwd: Working directory, for scratch files as well.
        arguments: Of the command line.
        environ: Changes of the environment.

    Raises:
        AssertionError: the command failed; with its message.
    """
    done = attempt(cwd, *arguments, **environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


def attempt(cwd: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run one command of the tool in `cwd`, whether or not it succeeds."""
    environment = {
        "PYTHONPATH": _PYTHONPATH,
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": str(MTIME),
        **environ,
    }
    command = [sys.executable, "-B", "-m", __main__.__name__, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
