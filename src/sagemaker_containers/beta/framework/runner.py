"""Choosing how a training program is started: only names.

Source: contract U-40.
"""

from __future__ import annotations

from sagemaker_training.runner import (
    MPIRunnerType,
    ProcessRunnerType,
    RunnerType,
    get,
)

__all__ = [
    "MPIRunnerType",
    "ProcessRunnerType",
    "RunnerType",
    "get",
]
