"""How many threads numeric libraries may start in a worker process."""

from __future__ import annotations

from typing import Mapping


def thread_limits(environ: Mapping[str, str], workers: int, cpus: int) -> dict[str, str]:
    """Variables to set before numeric libraries are loaded; what the user has set stays.

    OpenMP gets one thread: its GNU library does not survive a fork after its first parallel region, so a prediction in
    model_fn with more threads would make every later prediction hang in the workers (seen with scikit-learn 0.23.2's
    HistGradientBoosting). BLAS survives forks and shares the CPUs out among the workers.

    Args:
        environ: The container's environment.
        workers: Number of worker processes.
        cpus: CPUs the container may use.

    Source: contract M-38 (the same limit for multi-model serving), S-12.
    """
    wanted = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": str(max(1, cpus // workers))}
    if "OMP_NUM_THREADS" in environ:
        return {}
    return {name: value for name, value in wanted.items() if name not in environ}
