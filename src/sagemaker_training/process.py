"""Starting processes: the container's business, so only names, and the interpreter's path.

Source: contract U-40.
"""

from __future__ import annotations

import sys
from typing import Any

from sagemaker_training import unavailable

_INSTEAD = "Start processes with subprocess.run"

create = unavailable.function("process.create", _INSTEAD)
check_error = unavailable.function("process.check_error", _INSTEAD)


class ProcessRunner:
    """Cannot be made here; stays importable."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        """Refuse."""
        raise unavailable.refusal("process.ProcessRunner", _INSTEAD)


def python_executable() -> str:
    """Path of the Python interpreter that runs this process."""
    return sys.executable
