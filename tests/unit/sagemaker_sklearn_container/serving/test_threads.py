"""Thread limits of numeric libraries."""

from __future__ import annotations

from sagemaker_sklearn_container.serving.threads import thread_limits


def test_cpus_are_shared_out_and_openmp_gets_one() -> None:
    """M-38."""
    assert thread_limits({}, workers=2, cpus=8) == {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "4"}
    assert thread_limits({}, workers=8, cpus=2)["OPENBLAS_NUM_THREADS"] == "1"


def test_what_the_user_has_set_stays() -> None:
    """M-38."""
    assert thread_limits({"OMP_NUM_THREADS": "3"}, workers=1, cpus=8) == {}
    assert thread_limits({"OPENBLAS_NUM_THREADS": "3"}, workers=1, cpus=8) == {"OMP_NUM_THREADS": "1"}
