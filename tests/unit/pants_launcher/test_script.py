"""The `pants` script, with stand-ins for interpreters."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Dict, List

import pytest

from tests.unit.pants_launcher import fakes

SCRIPT = Path(__file__).parents[3] / "pants"
# Passes for a CPython 3.9, and tells how it was started.
CPYTHON39 = 'case "$*" in *sys.exit*) exit 0 ;; esac; echo "$0"; for word; do echo "$word"; done'


@pytest.fixture()
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree").mkdir()
    shutil.copy(SCRIPT, tmp_path / "tree" / "pants")
    return tmp_path / "tree"


def environment(tree: Path, *path: str) -> Dict[str, str]:
    return {"HOME": str(tree.parent / "home"), "PATH": os.pathsep.join((*path, "/usr/bin", "/bin"))}


def started(script: Path, env: Dict[str, str], *args: str) -> List[str]:
    """The interpreter that the script started, and its arguments."""
    done = subprocess.run([str(script), *args], env=env, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().splitlines()


def test_python_is_started_isolated_and_keeps_byte_code_out_of_the_tree(tree: Path) -> None:
    python = fakes.program(tree.parent / "bin" / "python3.9", CPYTHON39)
    env = environment(tree, os.path.dirname(python))
    assert started(tree / "pants", env, "list", "a b", "--", "*") == [
        python,
        "-I",
        "-S",
        "-X",
        f"pycache_prefix={env['HOME']}/.cache/sklearn-images/launcher/pycache",
        f"{tree}/src/pants_launcher/__main__.py",
        "list",
        "a b",
        "--",
        "*",
    ]


def test_the_choice_of_an_earlier_launch_comes_first(tree: Path) -> None:
    fakes.program(tree.parent / "bin" / "python3.9", CPYTHON39)
    remembered = fakes.program(tree.parent / "old" / "python3.9", CPYTHON39)
    launcher_dir = tree.parent / "cache" / "launcher"
    launcher_dir.mkdir(parents=True)
    (launcher_dir / "python3.9").write_text(f"{remembered}\n")
    env = {**environment(tree, f"{tree.parent}/bin"), "SKLEARN_IMAGES_CACHE": f"{tree.parent}/cache"}
    assert started(tree / "pants", env)[0] == remembered


def test_a_remembered_interpreter_that_is_gone_is_searched_anew(tree: Path) -> None:
    python = fakes.program(tree.parent / "bin" / "python3.9", CPYTHON39)
    launcher_dir = tree.parent / "cache" / "launcher"
    launcher_dir.mkdir(parents=True)
    (launcher_dir / "python3.9").write_text("/nonexistent/python3.9\n")
    env = {**environment(tree, f"{tree.parent}/bin"), "SKLEARN_IMAGES_CACHE": f"{tree.parent}/cache"}
    assert started(tree / "pants", env)[0] == python


def test_pyenvs_own_interpreter_comes_before_its_shim(tree: Path) -> None:
    fakes.program(tree.parent / "pyenv" / "shims" / "python3.9", CPYTHON39)
    python = fakes.program(tree.parent / "pyenv" / "versions" / "3.9.18" / "bin" / "python", CPYTHON39)
    env = {**environment(tree, f"{tree.parent}/pyenv/shims"), "PYENV_ROOT": f"{tree.parent}/pyenv"}
    assert started(tree / "pants", env)[0] == python


def test_what_is_no_cpython39_is_passed_over(tree: Path) -> None:
    fakes.program(tree.parent / "bad" / "python3.9", "exit 1")
    python = fakes.program(tree.parent / "good" / "python3.9", CPYTHON39)
    assert started(tree / "pants", environment(tree, f"{tree.parent}/bad", f"{tree.parent}/good"))[0] == python


def test_a_link_starts_the_tree_it_points_to(tree: Path) -> None:
    python = fakes.program(tree.parent / "bin" / "python3.9", CPYTHON39)
    (tree.parent / "link").symlink_to(tree / "pants")
    lines = started(tree.parent / "link", environment(tree, os.path.dirname(python)))
    assert lines[-1] == f"{tree}/src/pants_launcher/__main__.py"


def test_without_a_cache_folder_no_byte_code_is_written(tree: Path) -> None:
    python = fakes.program(tree.parent / "bin" / "python3.9", CPYTHON39)
    env = {"PATH": f"{os.path.dirname(python)}:/usr/bin:/bin"}
    assert started(tree / "pants", env)[1:4] == ["-I", "-S", "-B"]


def test_a_machine_without_cpython39_is_told(tree: Path) -> None:
    env = environment(tree, "/nonexistent")
    if any(os.path.exists(f"{folder}/python3.9") for folder in ("/usr/bin", "/bin", "/usr/local/bin")):
        pytest.skip("this machine has a CPython 3.9 where the script always looks")
    done = subprocess.run([str(tree / "pants"), "list"], env=env, capture_output=True)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == (
        "pants: cannot start Pants: it needs a CPython 3.9, and none was found.\n"
        f"Looked for python3.9 on PATH ({env['PATH']}), in /usr/local/bin and /usr/bin, and for pyenv's"
        " versions/3.9.* in\n"
        f"(PYENV_ROOT is not set) and {env['HOME']}/.pyenv.\n"
        "Install one (for example `pyenv install 3.9`) or put its folder on PATH, then start Pants again.\n"
    )
