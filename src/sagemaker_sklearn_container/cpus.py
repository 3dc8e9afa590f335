"""How many CPUs this container may use."""

from __future__ import annotations

import os
from pathlib import Path

CGROUP_ROOT = Path("/sys/fs/cgroup")


def available_cpus(cgroup_root: Path = CGROUP_ROOT) -> int:
    """Number of CPUs the process may use: the smaller of its affinity mask and its cgroup quota, at least 1.

    Args:
        cgroup_root: Mount point of the cgroup file system.

    Returns:
        Whole CPUs; a quota of 1.5 CPUs gives 2, so that it can be used up.

    Source: contract T-84, S-11.
    """
    affinity = len(os.sched_getaffinity(0))
    quota = _quota(cgroup_root)
    return affinity if quota is None else max(1, min(affinity, quota))


def _quota(root: Path) -> int | None:
    version_2 = _read(root / "cpu.max").split()
    if len(version_2) == 2 and version_2[0].isdigit():
        return _round_up(int(version_2[0]), int(version_2[1]))
    quota_us = _read(root / "cpu" / "cpu.cfs_quota_us")
    period_us = _read(root / "cpu" / "cpu.cfs_period_us")
    if quota_us.isdigit() and period_us.isdigit():  # no limit is written as -1
        return _round_up(int(quota_us), int(period_us))
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _round_up(quota_us: int, period_us: int) -> int:
    return -(-quota_us // period_us)
