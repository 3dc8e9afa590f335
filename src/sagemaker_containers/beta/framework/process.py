"""Starting processes: only names, and the interpreter's path.

Source: contract U-40.
"""

from __future__ import annotations

from sagemaker_training.process import (
    ProcessRunner,
    check_error,
    create,
    python_executable,
)

__all__ = [
    "ProcessRunner",
    "check_error",
    "create",
    "python_executable",
]
