"""Choosing how a training program is started: the container's business, so only names.

Source: contract U-40.
"""

from __future__ import annotations

import enum

from sagemaker_training import unavailable


class RunnerType(enum.Enum):
    """Ways of starting a training program; this container knows the plain process only."""

    MPI = "MPI"
    Process = "Process"


MPIRunnerType = RunnerType.MPI
ProcessRunnerType = RunnerType.Process

get = unavailable.function("runner.get", "Start processes with subprocess.run")
