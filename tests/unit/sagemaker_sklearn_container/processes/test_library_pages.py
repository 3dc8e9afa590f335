"""Pages of libraries, in a process of its own: what is unmapped would be missed by the other tests' measurements."""

from __future__ import annotations

import os
import subprocess
import sys

_MEASURED = """
import os
import numpy
from sagemaker_sklearn_container.processes import library_pages

def held_kib():
    lines = open("/proc/self/smaps_rollup").read().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}

square = numpy.arange(40_000.0).reshape(200, 200) / 40_000
product = square @ square
before = held_kib()
library_pages.unmap_unused()
after = held_kib()
assert (square @ square == product).all()
pid = os.fork()
if pid == 0:
    os._exit(0 if (square @ square == product).all() else 1)
assert os.waitpid(pid, 0)[1] == 0
print(before["Rss"] - after["Rss"], after["Anonymous"] - before["Anonymous"])
"""


def _run(script: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_what_only_imports_needed_is_given_back_and_what_is_used_works() -> None:
    """S-12: the code of the libraries is shared, and what a process has written stays."""
    given_back_kib, more_own_kib = map(int, _run(_MEASURED).split())
    assert given_back_kib > 5 * 1024
    assert more_own_kib < 1024


def test_without_proc_nothing_happens() -> None:
    """L-06: a container may be given no /proc."""
    script = _MEASURED.replace("before = held", "library_pages._SMAPS = '/nowhere'\nbefore = held")
    given_back_kib, _ = map(int, _run(script).split())
    assert given_back_kib < 1024
