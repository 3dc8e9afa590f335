"""The commands' choice of entry point."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from sagemaker_sklearn_container import entry
from sagemaker_sklearn_container.errors import ConfigurationError


@pytest.fixture()
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Calls of the functions `good` and `bad` of the module `own_entry`."""
    seen: list[str] = []

    def bad() -> None:
        raise RuntimeError("own failure")

    module = ModuleType("own_entry")
    module.__dict__.update(good=lambda: seen.append("good"), bad=bad, number=3)
    monkeypatch.setitem(sys.modules, "own_entry", module)
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    return seen


def test_serve_calls_the_function_the_environment_names(monkeypatch: pytest.MonkeyPatch, calls: list[str]) -> None:
    """L-09."""
    monkeypatch.setenv("SAGEMAKER_SERVING_MODULE", "own_entry:good")
    entry.serve()
    assert calls == ["good"]


def test_a_training_function_that_raises_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, calls: list[str], tmp_path: Path
) -> None:
    """T-02, T-04, T-54."""
    monkeypatch.setenv("SAGEMAKER_TRAINING_MODULE", "own_entry:bad")
    with pytest.raises(SystemExit) as caught:
        entry.train()
    assert caught.value.code == 1
    assert (tmp_path / "output/failure").read_text().startswith("RuntimeError: own failure\n")
    assert not (tmp_path / "output/success").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("own_entry", "must have the form module:function"),
        (":good", "must have the form module:function"),
        ("own_entry:none", "but own_entry has no function none"),
        ("own_entry:number", "but own_entry has no function number"),
    ],
)
def test_a_malformed_name_is_an_error(calls: list[str], name: str, message: str) -> None:
    """T-54."""
    with pytest.raises(ConfigurationError, match=message):
        entry._entry_point(name, "SAGEMAKER_TRAINING_MODULE")
