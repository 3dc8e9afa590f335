"""How much memory there is, told by files as the kernel writes them."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

import pytest

from sagemaker_sklearn_container.multi_model import memory
from sagemaker_sklearn_container.user_code import children

MIB = 1024 * 1024


@pytest.fixture()
def meminfo(tmp_path: Path) -> Path:
    """A machine with 1000 MiB."""
    path = tmp_path / "meminfo"
    path.write_text(f"MemTotal:  {4000 * 1024} kB\nMemAvailable:   {1000 * 1024} kB\nHugePages_Total:       0\n")
    return path


def _version_2(root: Path, most: object, now: int = 100 * MIB, stat: str = f"anon 1\ninactive_file {30 * MIB}") -> Path:
    (root / "memory.max").write_text(f"{most}\n")
    (root / "memory.current").write_text(f"{now}\n")
    (root / "memory.stat").write_text(stat)
    return root


def _version_1(root: Path, most: object, now: int = 100 * MIB) -> Path:
    (root / "memory").mkdir()
    (root / "memory/memory.limit_in_bytes").write_text(f"{most}\n")
    (root / "memory/memory.usage_in_bytes").write_text(f"{now}\n")
    (root / "memory/memory.stat").write_text(f"inactive_file 1\ntotal_inactive_file {30 * MIB}\n")
    return root


def test_without_control_groups_the_machine_counts(tmp_path: Path, meminfo: Path) -> None:
    """M-07."""
    assert memory.available(tmp_path / "none", meminfo) == 1000 * MIB


@pytest.mark.parametrize(
    ("most", "left"), [(500 * MIB, 430 * MIB), ("max", 1000 * MIB), (5000 * MIB, 1000 * MIB), (50 * MIB, 0)]
)
def test_control_groups_of_both_versions(tmp_path: Path, meminfo: Path, most: object, left: int) -> None:
    """M-07: caches can be had back; the machine may have less than is allowed; never less than nothing."""
    two, one = tmp_path / "two", tmp_path / "one"
    two.mkdir()
    one.mkdir()
    assert memory.available(_version_2(two, most), meminfo) == left
    assert memory.available(_version_1(one, 2**63 - 4096 if most == "max" else most), meminfo) == left


def test_control_groups_that_tell_nothing_useful(tmp_path: Path, meminfo: Path) -> None:
    """M-07: then the machine counts; without the caches' size nothing can be had back."""
    assert memory.available(_version_2(tmp_path, "junk"), meminfo) == 1000 * MIB
    assert memory.available(_version_2(tmp_path, 500 * MIB, stat="inactive_file x\n\n"), meminfo) == 400 * MIB
    (tmp_path / "memory.stat").unlink()
    assert memory.available(tmp_path, meminfo) == 400 * MIB
    (tmp_path / "memory.current").unlink()
    assert memory.available(tmp_path, meminfo) == 1000 * MIB


def test_this_machine_has_memory() -> None:
    """M-07: with the files that there are."""
    assert 0 < memory.available() < 2**50


def test_the_size_of_a_directory(tmp_path: Path) -> None:
    """M-07: links are not followed."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one").write_bytes(b"x" * 1000)
    (tmp_path / "two").write_bytes(b"x" * 500)
    (tmp_path / "a/up").symlink_to("..")
    (tmp_path / "a/gone").symlink_to("nowhere")
    assert memory.size_of(tmp_path) == 1500 + len("nowhere")
    assert memory.size_of(tmp_path / "none") == 0


def _allocates(mib: int) -> bool:
    try:
        return len(bytearray(mib * MIB)) > 0
    except MemoryError:
        return False


def test_an_allocation_beyond_the_limit_raises() -> None:
    """M-07: while the limit holds, and no longer."""

    def work() -> None:
        before = resource.getrlimit(resource.RLIMIT_DATA)
        with memory.limited(100 * MIB):
            within, beyond = _allocates(50), _allocates(200)
        assert (within, beyond, _allocates(200)) == (True, False, True)
        assert resource.getrlimit(resource.RLIMIT_DATA) == before
        os._exit(7)

    assert _exit_code_of(work) == 7


def test_a_lower_limit_stays() -> None:
    """M-07."""

    def work() -> None:
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        with memory.limited(50 * MIB):
            low = resource.getrlimit(resource.RLIMIT_DATA)
            with memory.limited(500 * MIB):
                assert resource.getrlimit(resource.RLIMIT_DATA) == low
            assert resource.getrlimit(resource.RLIMIT_DATA) == low
            assert low[1] == hard
        os._exit(7)

    assert _exit_code_of(work) == 7


def _exit_code_of(work: object) -> int:
    """The exit code of a process of its own."""
    assert callable(work)
    return int(children.call(lambda: _forked(work)))


def _forked(work: object) -> int:
    assert callable(work)
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(1)
    return os.WEXITSTATUS(os.waitpid(pid, 0)[1])


def test_what_a_process_uses() -> None:
    """M-14: nothing, once it has ended."""
    held = os.urandom(MIB) * 50
    used = memory.used_by(os.getpid())
    assert used is not None
    assert used > len(held)
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    deadline = time.monotonic() + 10
    while memory.used_by(pid) is not None:
        assert time.monotonic() < deadline
