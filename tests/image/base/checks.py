"""What every image owes its users; runs on the base image and on all that are built on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from image_layers.lock import read_lock
from tests.support.engine import Image

# What the replaced images brought along and these leave out (contract L-11; docker/README.md gives the reasons).
_LEFT_OUT = ("cc", "conda", "curl", "gcc", "git", "java", "jq", "nginx", "unzip", "wget")

# Built from the tree, not locked.
_FIRST_PARTY = ("sagemaker-sklearn-container", "sagemaker-sklearn-mlio")


def test_installed_distributions_are_those_of_the_locks(image: Image, locks: list[Path]) -> None:
    """L-12, L-14: nothing else, nothing missing."""
    installed = json.loads(image.run(["pip", "list", "--format=json", "--disable-pip-version-check"]).stdout)
    found = {item["name"].lower().replace("_", "-"): item["version"] for item in installed}
    locked = {name: version for name, version in found.items() if name not in _FIRST_PARTY}
    assert locked == {name: str(pin.version) for lock in locks for name, pin in read_lock(lock).items()}


def test_the_framework_is_scikit_learn_0_23_2(image: Image) -> None:
    """L-12."""
    assert image.python("import sklearn; print(sklearn.__version__)") == "0.23.2"


def test_declared_dependencies_hold(image: Image) -> None:
    """L-12: corrected metadata included."""
    finished = image.run(["pip", "check", "--disable-pip-version-check"])
    assert (finished.exit_code, finished.stdout) == (0, "No broken requirements found.\n")


def test_a_model_is_fitted_and_predicts(image: Image) -> None:
    """L-10."""
    script = """
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
x, y = load_iris(return_X_y=True)
print((RandomForestClassifier(random_state=0).fit(x, y).predict(x) == y).mean() > 0.99)
"""
    assert image.python(script) == "True"


def test_a_fit_that_does_not_converge_warns_instead_of_raising(image: Image) -> None:
    """L-12: what SciPy is kept at 1.5 for."""
    script = """
import warnings
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    LogisticRegression(max_iter=1).fit(*load_iris(return_X_y=True))
print("ConvergenceWarning" in {w.category.__name__ for w in caught})
"""
    assert image.python(script) == "True"


def test_a_data_frame_becomes_a_parquet_file(image: Image) -> None:
    """L-13."""
    script = """
import io, pandas
table = pandas.DataFrame({"a": [1, 2], "b": ["x", None]})
file = io.BytesIO()
table.to_parquet(file, engine="pyarrow")
print(pandas.read_parquet(file).equals(table))
"""
    assert image.python(script) == "True"


def test_a_process_ends_whose_last_act_was_to_read_parquet(image: Image) -> None:
    """L-13: on one processor, where Arrow's threads are the last to be done."""
    script = """
import io, os, subprocess, sys
import pandas
file = io.BytesIO()
pandas.DataFrame({"a": [1, 2], "b": ["x", None]}).to_parquet(file, engine="pyarrow")
program = "import io, sys, pandas; pandas.read_parquet(io.BytesIO(sys.stdin.buffer.read()))"
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
for _ in range(16):
    subprocess.run([sys.executable, "-c", program], input=file.getvalue(), check=True, timeout=20)
print("ended")
"""
    assert image.python(script) == "ended"


@pytest.mark.parametrize("command", ["bash", "gzip", "pip", "pip3", "python", "python3", "sh", "tar"])
def test_command_is_on_path(image: Image, command: str) -> None:
    """L-10."""
    assert image.run(["bash", "-c", f"command -v {command}"]).exit_code == 0


@pytest.mark.parametrize("command", _LEFT_OUT)
def test_what_serves_nobody_here_is_left_out(image: Image, command: str) -> None:
    """L-11, L-16."""
    assert image.run(["bash", "-c", f"command -v {command}"]).exit_code == 1


def test_python_and_python3_are_one_interpreter(image: Image) -> None:
    """L-10."""
    script = "import sys; print(sys.version_info[:2], sys.prefix)"
    assert image.python(script) == "(3, 8) /usr/local"
    assert image.run(["python3", "-c", script]).stdout == "(3, 8) /usr/local\n"


def test_every_extension_module_of_the_interpreter_loads(image: Image) -> None:
    """L-10: what it is linked with is in the operating system layer."""
    script = """
import importlib, pathlib, sysconfig
folder = pathlib.Path(sysconfig.get_path("stdlib"), "lib-dynload")
names = sorted(path.name.partition(".")[0] for path in folder.glob("*.so"))
for name in names:
    importlib.import_module(name)
print(len(names) > 50)
"""
    assert image.python(script) == "True"


def test_imports_find_compiled_bytecode(image: Image) -> None:
    """L-09: the images set PYTHONDONTWRITEBYTECODE, so a source without bytecode is compiled at each start."""
    finished = image.run(
        ["python", "-v", "-c", "import pandas, pyarrow.parquet, sklearn.ensemble, sklearn.linear_model"]
    )
    compiled = [line for line in finished.stderr.splitlines() if line.startswith("# code object from '/usr/local")]
    sources = [line for line in compiled if line.endswith(".py'")]
    assert (finished.exit_code, sources) == (0, [])


def test_any_command_runs_and_its_exit_code_is_kept(image: Image) -> None:
    """L-01, L-02: no entry point stands in the way."""
    finished = image.run(["/bin/bash", "-c", "echo out; echo err >&2; exit 7"])
    assert (finished.exit_code, finished.stdout, finished.stderr) == (7, "out\n", "err\n")
    config = image.inspect()["Config"]
    assert not config["Entrypoint"]
    assert not config["Cmd"]


def test_another_entry_point_works(image: Image) -> None:
    """L-02: Processing jobs and the SDK's drivers bring their own."""
    finished = image.run(["-c", "print(6 * 7)"], entrypoint=["python3"])
    assert (finished.exit_code, finished.stdout) == (0, "42\n")


def test_the_user_is_root(image: Image) -> None:
    """L-05."""
    assert image.run(["id", "-u"]).stdout == "0\n"


def test_environment_of_the_interpreter(image: Image) -> None:
    """L-09."""
    names = ["LANG", "LC_ALL", "PYTHONDONTWRITEBYTECODE", "PYTHONIOENCODING", "PYTHONUNBUFFERED"]
    script = f"import json, os; print(json.dumps([os.environ[name] for name in {names}]))"
    assert json.loads(image.python(script)) == ["C.UTF-8", "C.UTF-8", "1", "UTF-8", "1"]


def test_certificates_are_trusted_by_default(image: Image) -> None:
    """L-10: pip and boto3 talk TLS."""
    script = "import ssl; print(len(ssl.create_default_context().get_ca_certs()) > 100)"
    assert image.python(script, network_mode="none") == "True"


def test_it_runs_as_any_user_on_a_read_only_root(image: Image) -> None:
    """L-06."""
    script = "import os, sklearn.linear_model, pandas; print(os.getuid())"
    assert image.python(script, user="54321:54321", read_only=True, network_mode="none") == "54321"


def test_nothing_is_said_of_the_machine_it_was_built_on(image: Image) -> None:
    """No path of the interpreter's first home, no name server and no host name of the builder."""
    script = "grep -rIl -e /.pyenv/ /usr/local/bin /usr/local/lib/python3.8/*.py; cat /etc/machine-id 2>/dev/null"
    assert image.run(["bash", "-c", script]).stdout == ""


def test_debian_knows_its_packages_and_users_can_add_more(image: Image) -> None:
    """L-10: scanners read the package data base, derived images call apt-get."""
    finished = image.run(["bash", "-c", "dpkg --verify && dpkg --audit && apt-get --version && dpkg -s libssl3t64"])
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert "Status: install ok installed" in finished.stdout
