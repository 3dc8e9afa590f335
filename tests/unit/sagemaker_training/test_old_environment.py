"""The training job as scripts read it."""

from __future__ import annotations

import copy
import importlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

import sagemaker_containers
from sagemaker_containers.beta.framework import env as older
from sagemaker_sklearn_container.errors import ConfigurationError
from sagemaker_training import environment, logging_config

_RESOURCES = {"current_host": "algo-2", "hosts": ["algo-1", "algo-2"], "network_interface_name": "eth1", "x": 1}
_CHANNELS = {"train": {"TrainingInputMode": "File"}, "test": {}}
_HYPERPARAMETERS = {
    "sagemaker_program": '"train.py"',
    "sagemaker_submit_directory": '"s3://b/k.tar.gz"',
    "sagemaker_container_log_level": "10",
    "sagemaker_job_name": '"job-1"',
    "sagemaker_region": '"eu-west-1"',
    "sagemaker_s3_output": '"s3://out"',
    "sagemaker_extra": "5",
    "alpha": "0.5",
    "name": '"text"',
    "raw": "plain",
    "flag": "true",
}
_USERS = {"alpha": 0.5, "name": "text", "raw": "plain", "flag": True}


@pytest.fixture()
def base(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The platform's tree of a job of two hosts, named in this process' environment."""
    for name in [name for name in os.environ if name.startswith(("SM_", "SAGEMAKER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    monkeypatch.setenv("TRAINING_JOB_NAME", "tj")
    config = tmp_path / "input/config"
    config.mkdir(parents=True)
    for name, content in (
        ("hyperparameters", _HYPERPARAMETERS),
        ("inputdataconfig", _CHANNELS),
        ("resourceconfig", _RESOURCES),
    ):
        (config / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def _facts(base: Path) -> dict[str, Any]:
    """What the retired package says of the same tree."""
    return {
        "additional_framework_parameters": {"sagemaker_extra": 5},
        "channel_input_dirs": {"train": f"{base}/input/data/train", "test": f"{base}/input/data/test"},
        "current_host": "algo-2",
        "framework_module": "sagemaker_sklearn_container.training:main",
        "hosts": ["algo-1", "algo-2"],
        "hyperparameters": _USERS,
        "input_config_dir": f"{base}/input/config",
        "input_data_config": _CHANNELS,
        "input_dir": f"{base}/input",
        "is_master": False,
        "job_name": "tj",
        "log_level": 10,
        "master_hostname": "algo-1",
        "model_dir": f"{base}/model",
        "module_dir": "s3://b/k.tar.gz",
        "module_name": "train",
        "network_interface_name": "eth1",
        "num_cpus": environment.num_cpus(),
        "num_gpus": environment.num_gpus(),
        "output_data_dir": f"{base}/output/data",
        "output_dir": f"{base}/output",
        "output_intermediate_dir": f"{base}/output/intermediate",
        "resource_config": _RESOURCES,
        "user_entry_point": "train.py",
    }


@pytest.mark.parametrize(
    "make",
    [environment.Environment, older.TrainingEnv, sagemaker_containers.training_env],
    ids=lambda make: make.__name__,
)
def test_attributes_and_entries(base: Path, make: Any) -> None:
    """U-43, T-86, T-87."""
    job = make()
    facts = _facts(base)
    assert {name: getattr(job, name) for name in facts} == facts
    assert {name: job[name] for name in facts} == facts
    assert (job.current_instance_type, job["is_hetero"]) == ("local", False)
    assert facts.keys() <= set(job) == set(job.properties()) <= set(dir(job))
    assert len(job) == len(list(job))
    assert str(job) == str(dict(job))


def test_methods(base: Path) -> None:
    """U-43, T-50, T-70 to T-86."""
    job = older.TrainingEnv()
    assert job.sagemaker_s3_output() == "s3://out"
    assert job.to_cmd_args() == ["--alpha", "0.5", "--flag", "True", "--name", "text", "--raw", "plain"]
    variables = job.to_env_vars()
    names = ("SM_HPS", "SM_HP_ALPHA", "SM_CHANNEL_TRAIN", "SM_CHANNELS", "SM_CURRENT_HOST", "SM_FRAMEWORK_PARAMS")
    assert [variables[name] for name in names] == [
        '{"alpha":0.5,"flag":true,"name":"text","raw":"plain"}',
        "0.5",
        f"{base}/input/data/train",
        '["test","train"]',
        "algo-2",
        '{"sagemaker_extra":5}',
    ]
    assert json.loads(variables["SM_TRAINING_ENV"]) == dict(job)


def test_what_is_no_fact_is_no_attribute_and_no_entry(base: Path) -> None:
    """U-43."""
    job = environment.Environment()
    with pytest.raises(AttributeError, match="Environment has no attribute 'nope'"):
        _ = job.nope
    with pytest.raises(KeyError, match="no entry 'to_cmd_args'; there are: additional_framework_parameters"):
        job["to_cmd_args"]
    assert dict(copy.deepcopy(job)) == dict(job)


def test_an_empty_tree_with_a_program_is_a_job_of_one_host(monkeypatch: pytest.MonkeyPatch, base: Path) -> None:
    """U-43, T-27."""
    for path in (base / "input/config").iterdir():
        path.unlink()
    monkeypatch.delenv("TRAINING_JOB_NAME")
    monkeypatch.setenv("SAGEMAKER_PROGRAM", "train.py")
    job = environment.Environment()
    assert (job.is_master, job.hosts, job.hyperparameters, job.job_name) == (True, [job.current_host], {}, None)
    assert (job.module_dir, job.sagemaker_s3_output()) == (f"{base}/code", None)


def test_without_a_program_the_error_says_what_to_set(base: Path) -> None:
    """U-43, T-40."""
    (base / "input/config/hyperparameters.json").unlink()
    with pytest.raises(ConfigurationError, match="SAGEMAKER_PROGRAM"):
        environment.Environment()


def test_functions_that_read(base: Path) -> None:
    """U-43, T-20, T-21: all hyperparameters, the container's own among them."""
    assert environment.read_hyperparameters() == {
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": "s3://b/k.tar.gz",
        "sagemaker_container_log_level": 10,
        "sagemaker_job_name": "job-1",
        "sagemaker_region": "eu-west-1",
        "sagemaker_s3_output": "s3://out",
        "sagemaker_extra": 5,
        **_USERS,
    }
    assert environment.read_resource_config() == _RESOURCES
    assert environment.read_input_data_config() == _CHANNELS
    assert environment.channel_path("train") == f"{base}/input/data/train"


@pytest.mark.parametrize("name", ["sagemaker_training.environment", "sagemaker_containers.beta.framework.env"])
def test_paths_are_attributes_of_the_module(base: Path, name: str) -> None:
    """U-43."""
    module: Any = importlib.import_module(name)
    paths = {
        "base_dir": "",
        "code_dir": "/code",
        "model_dir": "/model",
        "input_dir": "/input",
        "input_config_dir": "/input/config",
        "output_dir": "/output",
        "output_data_dir": "/output/data",
        "output_intermediate_dir": "/output/intermediate",
        "hyperparameters_file_dir": "/input/config/hyperparameters.json",
        "input_data_config_file_dir": "/input/config/inputdataconfig.json",
        "resource_config_file_dir": "/input/config/resourceconfig.json",
    }
    assert {path: getattr(module, path) for path in paths} == {path: f"{base}{below}" for path, below in paths.items()}
    with pytest.raises(AttributeError, match="nope"):
        _ = module.nope


def test_write_env_vars(monkeypatch: pytest.MonkeyPatch) -> None:
    """U-43: what is given stays as it is."""
    monkeypatch.setenv("PYTHONPATH", "/before")
    monkeypatch.setenv("SM_X", "before")
    monkeypatch.setattr("sys.path", ["/a", "/b"])
    variables = {"SM_X": "1"}
    environment.write_env_vars(variables)
    environment.write_env_vars()
    assert (os.environ["SM_X"], os.environ["PYTHONPATH"], variables) == ("1", "/a:/b", {"SM_X": "1"})


def test_log_script_invocation(base: Path, caplog: pytest.LogCaptureFixture) -> None:
    """U-40."""
    with caplog.at_level("INFO"):
        logging_config.log_script_invocation(["python", "a b.py"], {"SM_X": "1"})
    assert "Invoking user script: python 'a b.py'" in caplog.text
    assert "\nSM_X=1\n" in caplog.text
    assert '"current_host": "algo-2"' in caplog.text
