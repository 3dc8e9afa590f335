"""What a tree of processes uses, from /proc: it is the same for containers and for processes on the host."""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path

_TICKS_S = os.sysconf("SC_CLK_TCK")
# Small against the time of the request whose memory is looked at, large against that of a look.
_SAMPLE_S = 0.005
_REFRESH_SAMPLES = 100


def tree(root: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            fields = _stat(int(entry))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry))
    found, seen = [root], 0
    while seen < len(found):
        found += children.get(found[seen], [])
        seen += 1
    return found


def cpu_s(root: int) -> float:
    """Processor time that the tree has used, those included that have ended and were waited for."""
    return sum(sum(map(int, fields[11:15])) for fields in map(_stat, tree(root)) if fields) / _TICKS_S


def foreign_cpu_s() -> float:
    """Processor time that the machine has used so far, but for this process and the children it waited for."""
    fields = Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()[1:]
    # All but idle and waiting for disks, the fourth and fifth; what guests used, after the eighth, is in the first two.
    busy = sum(int(ticks) for place, ticks in enumerate(fields[:8]) if place not in (3, 4)) / _TICKS_S
    return busy - sum(os.times()[:4])


def pss(root: int) -> int:
    """Memory of the tree in bytes, shared pages once: the sum of proportional set sizes."""
    return sum(_kilobytes(pid, "smaps_rollup", ("Pss",)) for pid in tree(root)) * 1024


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat after the name, state first; none if the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _kilobytes(pid: int, file: str, names: tuple[str, ...]) -> int:
    try:
        text = Path(f"/proc/{pid}/{file}").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    return sum(int(number) for name in names for number in re.findall(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE))


class Peak:
    """The most memory in bytes that a tree held while the block ran.

    Proportional sizes are too slow to read often. So the growth of what is not backed by files is added to the
    proportional size before: pages that were shared then stay counted once.
    """

    def __init__(self, root: int) -> None:
        """Nothing is looked at yet."""
        self._root = root
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._before = 0
        self._start = 0
        self._most = 0

    def __enter__(self) -> Peak:
        """Note what is used now, and watch."""
        self._before = pss(self._root)
        self._start = self._most = self._held(tree(self._root))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Watch no longer."""
        self._stop.set()
        self._thread.join()

    @property
    def bytes(self) -> int:
        """The peak."""
        return self._before + (self._most - self._start) * 1024

    def _held(self, pids: list[int]) -> int:
        return sum(_kilobytes(pid, "status", ("RssAnon", "RssShmem")) for pid in pids)

    def _watch(self) -> None:
        looks = 0
        pids: list[int] = []
        while not self._stop.is_set():
            if looks % _REFRESH_SAMPLES == 0:
                pids = tree(self._root)
            looks += 1
            self._most = max(self._most, self._held(pids))
            time.sleep(_SAMPLE_S)
