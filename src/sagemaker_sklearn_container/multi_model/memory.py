"""How much memory there is for another model."""

from __future__ import annotations

import contextlib
import os
import resource
from pathlib import Path
from typing import Iterator

from sagemaker_sklearn_container.cpus import CGROUP_ROOT

_KIB = 1024
_DATA_FIELD = 5  # of /proc/PID/statm, pages
_MEMINFO = Path("/proc/meminfo")
# A new worker process costs a few MiB, and requests need some, too.
RESERVE_BYTES = 32 * 1024 * _KIB
# What version 1 of control groups says when there is no limit, give or take a page.
_NO_LIMIT = 2**62


def available(cgroup_root: Path = CGROUP_ROOT, meminfo: Path = _MEMINFO) -> int:
    """Bytes that the container can still take without losing anything but caches.

    Args:
        cgroup_root: Mount point of the cgroup file system, version 1 or 2.
        meminfo: What the kernel says about the machine.

    Source: contract M-07.
    """
    machine = _fields(meminfo).get("MemAvailable", 0)
    left = _left_in_cgroup(
        cgroup_root / "memory.max", cgroup_root / "memory.current", cgroup_root / "memory.stat", "inactive_file"
    )
    if left is None:
        old = cgroup_root / "memory"
        left = _left_in_cgroup(
            old / "memory.limit_in_bytes",
            old / "memory.usage_in_bytes",
            old / "memory.stat",
            "total_inactive_file",
        )
    return max(0, machine if left is None else min(machine, left))


def _left_in_cgroup(limit: Path, used: Path, stat: Path, cache: str) -> int | None:
    try:
        most = limit.read_text().strip()
        now = int(used.read_text())
    except (OSError, ValueError):
        return None
    if not most.isdigit() or int(most) >= _NO_LIMIT:
        return None
    return int(most) - now + _counters(stat).get(cache, 0)


def _counters(path: Path) -> dict[str, int]:
    try:
        lines = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return {}
    return {line[0]: int(line[1]) for line in lines if len(line) == 2 and line[1].isdigit()}


def _fields(path: Path) -> dict[str, int]:
    """Sizes in a file of the kernel's, bytes."""
    found = {}
    for line in path.read_text().splitlines():
        name, _, value = line.partition(":")
        number, _, unit = value.strip().partition(" ")
        if unit == "kB":
            found[name] = int(number) * _KIB
    return found


def size_of(directory: Path) -> int:
    """Bytes of the files below a directory: a model in memory takes no less, with few exceptions."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_size
    return total


def _data_bytes() -> int:
    """What the kernel counts as this process's data, and its stack."""
    # No file object, no path object: what Python touches on the way to them would be shared with other models no more.
    descriptor = os.open("/proc/self/statm", os.O_RDONLY)
    try:
        return int(os.read(descriptor, 256).split()[_DATA_FIELD]) * resource.getpagesize()
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def limited(most: int) -> Iterator[None]:
    """Let this process take `most` bytes more: an allocation beyond that raises MemoryError, instead of having the
    kernel end whichever process of the container it likes.

    Source: contract M-07.
    """
    before = resource.getrlimit(resource.RLIMIT_DATA)
    soft = _data_bytes() + most
    if before[0] != resource.RLIM_INFINITY:
        soft = min(soft, before[0])
    resource.setrlimit(resource.RLIMIT_DATA, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def used_by(pid: int) -> int | None:
    """Bytes of memory that a process uses, what it shares with others divided among them; None if it has ended."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
            return next(int(line.split()[1]) * _KIB for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration, ValueError):
        return None
