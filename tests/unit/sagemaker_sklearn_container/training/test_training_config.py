"""What the platform says about a training job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sklearn_container.errors import ConfigurationError
from sagemaker_sklearn_container.training.config import TrainingConfig, read


def _read(base: Path, hyperparameters: dict[str, Any] | None = None, **environ: str) -> TrainingConfig:
    config = base / "input/config"
    config.mkdir(parents=True, exist_ok=True)
    if hyperparameters is not None:
        (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    return read({"SAGEMAKER_BASE_DIR": str(base), "SAGEMAKER_PROGRAM": "train.py", **environ})


@pytest.mark.parametrize(
    ("raw", "value"),
    [("0.5", 0.5), ("true", True), ('"a"', "a"), ("plain", "plain"), ('"[1]"', "[1]"), ("", ""), (3, 3), ([1], [1])],
)
def test_values_are_decoded_once(tmp_path: Path, raw: Any, value: Any) -> None:
    """T-21."""
    assert _read(tmp_path, {"x": raw}).hyperparameters == {"x": value}


def test_the_source_is_the_hyperparameter_then_the_variable_then_the_code_directory(tmp_path: Path) -> None:
    """T-41."""
    hyperparameters = {"sagemaker_submit_directory": '"s3://a/b"'}
    assert _read(tmp_path, hyperparameters, SAGEMAKER_SUBMIT_DIRECTORY="/v").source == "s3://a/b"
    assert _read(tmp_path, {}, SAGEMAKER_SUBMIT_DIRECTORY="/v").source == "/v"
    assert _read(tmp_path, {}).source == str(tmp_path / "code")


def test_the_log_level_is_the_hyperparameter_then_the_variable(tmp_path: Path) -> None:
    """T-31."""
    assert _read(tmp_path, {"sagemaker_container_log_level": "10"}, SAGEMAKER_CONTAINER_LOG_LEVEL="30").log_level == 10
    assert _read(tmp_path, {}, SAGEMAKER_CONTAINER_LOG_LEVEL="30").log_level == 30
    assert _read(tmp_path, {}).log_level == 20
    with pytest.raises(ConfigurationError, match="The hyperparameter sagemaker_container_log_level is 'loud'"):
        _read(tmp_path, {"sagemaker_container_log_level": "loud"})


def test_a_job_without_files_is_one_host_without_channels(tmp_path: Path) -> None:
    """T-27, T-28."""
    config = _read(tmp_path)
    assert (config.hosts, config.current_host, config.network_interface) == (("localhost",), "localhost", "eth0")
    assert (config.channels, config.hyperparameters, config.job_name) == ({}, {}, None)


@pytest.mark.parametrize(("text", "reason"), [("{", "no valid JSON"), ("[]", "a JSON list; it must be an object")])
def test_a_malformed_file_is_named(tmp_path: Path, text: str, reason: str) -> None:
    """T-20."""
    _read(tmp_path)
    (tmp_path / "input/config/inputdataconfig.json").write_text(text)
    with pytest.raises(ConfigurationError, match=f"inputdataconfig.json: it .*{reason}"):
        _read(tmp_path)
