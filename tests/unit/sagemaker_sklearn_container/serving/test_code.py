"""Finding the user's serving code."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_sklearn_container.errors import CodeSourceError, ConfigurationError
from sagemaker_sklearn_container.serving.code import find, load_user_module
from sagemaker_sklearn_container.serving.config import ServingConfig, read


def _config(base: Path, *files: str, **environ: str) -> ServingConfig:
    for name in files:
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).touch()
    return read({"SAGEMAKER_BASE_DIR": str(base), **environ}, cpus=1)


def test_no_code_at_all_is_allowed(tmp_path: Path) -> None:
    """U-03."""
    assert find(_config(tmp_path, "model/model.joblib")) is None


@pytest.mark.parametrize("program", ["", "serve.py", "serve"])
def test_the_code_directory_comes_first(tmp_path: Path, program: str) -> None:
    """U-01, U-02."""
    config = _config(tmp_path, "code/serve.py", "model/code/inference.py", SAGEMAKER_PROGRAM=program)
    assert find(config) == (tmp_path / "code", program or "serve.py")


def test_then_the_models_code_directory_then_the_model(tmp_path: Path) -> None:
    """U-03, K-20."""
    assert find(_config(tmp_path, "model/inference.py")) == (tmp_path / "model", "inference.py")
    assert find(_config(tmp_path, "model/code/inference.py")) == (tmp_path / "model/code", "inference.py")
    config = _config(tmp_path, "model/code/own.py", SAGEMAKER_PROGRAM="own.py")
    assert find(config) == (tmp_path / "model/code", "own.py")


def test_a_program_that_is_nowhere_is_an_error(tmp_path: Path) -> None:
    """U-01, U-03: it lists the places looked at, in order, and what is there."""
    with pytest.raises(CodeSourceError) as caught:
        find(_config(tmp_path, "model/code/owm.py", "model/model.joblib", SAGEMAKER_PROGRAM="own.py"))
    assert str(caught.value) == (
        "The program 'own.py' is not in any of the places looked at: "
        f"{tmp_path}/code (no files); {tmp_path}/model/code (owm.py); {tmp_path}/model (code/owm.py, model.joblib). "
        "Nearest: 'owm.py'. Set SAGEMAKER_PROGRAM to the script's path inside the code directory."
    )


def test_serving_without_code_says_where_it_was_looked_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """U-03."""
    with caplog.at_level("INFO"):
        assert load_user_module(_config(tmp_path, "model/model.joblib")) is None
    places = f"{tmp_path}/code, {tmp_path}/model/code, {tmp_path}/model"
    assert f"SAGEMAKER_PROGRAM is unset, and there is no inference.py in {places}" in caplog.text


def test_several_scripts_without_a_program_are_an_error(tmp_path: Path) -> None:
    """U-03."""
    with pytest.raises(ConfigurationError, match="SAGEMAKER_PROGRAM is not set. .* scripts there: a.py, b.py"):
        find(_config(tmp_path, "code/a.py", "code/b.py"))
