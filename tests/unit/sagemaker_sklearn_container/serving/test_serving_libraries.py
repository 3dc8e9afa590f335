"""What libraries are told in a server; the real library is in the extension image, whose tests hold it, too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# As far as the library's own goes.
_SEQUENCES = """
import os
N_TSFRESH_JOBS = 0 if os.environ.get("SAGEMAKER_PROGRAM") == "sagemaker_serve" else 4
def jobs():
    return N_TSFRESH_JOBS
"""
_HOOK = "from sagemaker_sklearn_container.serving.libraries import extract_features_without_pools as hook\n"


@pytest.fixture()
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "sagemaker_sklearn_extension" / "feature_extraction"
    folder.mkdir(parents=True)
    for package in (folder, folder.parent):
        (package / "__init__.py").write_text("")
    for module in ("sequences", "text"):
        (folder / f"{module}.py").write_text(_SEQUENCES)
    return tmp_path


def _printed(script: str, *path: Path) -> str:
    environment = {"PYTHONPATH": os.pathsep.join([*map(str, path), *map(os.path.abspath, sys.path)])}
    done = subprocess.run([sys.executable, "-c", _HOOK + script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("order", ["hook(); {import_}", "{import_}; hook()", "hook(); {import_}; reload(sequences)"])
def test_features_are_extracted_without_pools(library: Path, order: str) -> None:
    """A-02, L-14: whatever the program is called."""
    import_ = "from sagemaker_sklearn_extension.feature_extraction import sequences, text"
    script = f"from importlib import reload; {order.format(import_=import_)}; print(sequences.jobs(), text.jobs())"
    assert _printed(script, library) == "0 4"


def test_the_module_is_otherwise_as_python_loads_it(library: Path) -> None:
    """L-14: its source can be shown, and it can be found without being loaded."""
    script = """
hook()
import importlib.util, inspect, sys
name = "sagemaker_sklearn_extension.feature_extraction.sequences"
found = importlib.util.find_spec(name)
assert name not in sys.modules
import sagemaker_sklearn_extension.feature_extraction.sequences as sequences
assert (sequences.__file__, type(sequences.__loader__)) == (found.origin, type(sys.modules["inspect"].__loader__))
print(inspect.getsource(sequences.jobs))
"""
    assert _printed(script, library) == "def jobs():\n    return N_TSFRESH_JOBS"


def test_without_the_library_nothing_changes(tmp_path: Path) -> None:
    """L-14: a folder that has the parent packages only, as after another release."""
    folder = tmp_path / "sagemaker_sklearn_extension" / "feature_extraction"
    folder.mkdir(parents=True)
    for package in (folder, folder.parent):
        (package / "__init__.py").write_text("")
    script = """
hook()
try:
    import sagemaker_sklearn_extension.feature_extraction.sequences
except ModuleNotFoundError as error:
    print(error.name)
"""
    assert _printed(script, tmp_path) == "sagemaker_sklearn_extension.feature_extraction.sequences"
