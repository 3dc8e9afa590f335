"""Loading the user's script."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Iterator

import pytest

from sagemaker_sklearn_container.errors import CodeSourceError
from sagemaker_sklearn_container.user_code import loader


@pytest.fixture(autouse=True)
def _same_interpreter_afterwards(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before, main = set(sys.modules), sys.modules["__main__"].__dict__
    had = main.get("__getattr__")
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]
    main.pop("__getattr__", None) if had is None else main.update(__getattr__=had)


@pytest.mark.parametrize("program", ["user_script.py", "user_script", "./user_script.py"])
def test_a_script_is_found_with_and_without_suffix(tmp_path: Path, program: str) -> None:
    """U-01."""
    (tmp_path / "user_script.py").write_text("import user_sibling\nVALUE = user_sibling.VALUE\n")
    (tmp_path / "user_sibling.py").write_text("VALUE = 3\n")
    module = loader.load(tmp_path, program)
    assert (module.VALUE, module.__name__) == (3, "user_script")
    assert sys.modules["user_script"] is module


def test_a_script_in_a_subdirectory_sees_both_directories(tmp_path: Path) -> None:
    """U-04."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/user_script.py").write_text("import user_top, user_beside\n")
    (tmp_path / "user_top.py").touch()
    (tmp_path / "sub/user_beside.py").touch()
    loader.load(tmp_path, "sub/user_script.py")


def test_a_missing_script_is_named_with_what_is_there(tmp_path: Path) -> None:
    """U-01."""
    (tmp_path / "user_script.py").touch()
    with pytest.raises(CodeSourceError) as caught:
        loader.load(tmp_path, "user_scrip.py")
    assert str(caught.value) == (
        f"The program 'user_scrip.py' is not in {tmp_path}. Files there: user_script.py. Nearest: 'user_script.py'. "
        "Set SAGEMAKER_PROGRAM to the script's path inside the code directory."
    )


def test_a_script_named_like_a_loaded_module_is_refused(tmp_path: Path) -> None:
    """U-06: it would be shadowed, or shadow."""
    (tmp_path / "json.py").touch()
    with pytest.raises(CodeSourceError, match="'json.py' has the name of a module that Python has already loaded"):
        loader.load(tmp_path, "json.py")


def test_errors_in_the_script_are_left_as_they_are(tmp_path: Path) -> None:
    """S-06: an import that fails inside the script is not a missing script."""
    (tmp_path / "user_script.py").write_text("import no_such_module_here\n")
    with pytest.raises(ModuleNotFoundError, match="no_such_module_here"):
        loader.load(tmp_path, "user_script.py")
    assert "user_script" not in sys.modules


def test_pickles_of_main_find_the_script(tmp_path: Path) -> None:
    """U-33."""
    (tmp_path / "user_script.py").write_text("class Model:\n    pass\n")
    module = loader.load(tmp_path, "user_script.py")
    assert isinstance(pickle.loads(b"c__main__\nModel\n)\x81."), module.Model)
    with pytest.raises(AttributeError):
        pickle.loads(b"c__main__\nOther\n.")
