"""The environment of the user's program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sklearn_container.training import config as configuration
from sagemaker_sklearn_container.training.environment import program_environment


def test_strings_are_raw_none_is_empty_and_the_rest_compact_json(tmp_path: Path) -> None:
    """T-70 to T-86."""
    path = tmp_path / "input/config/hyperparameters.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"b": "[1, 2]", "a-x": "text", "n": "null", "t": "true", "u": "\\"\u00e4\\""}')
    config = configuration.read({"SAGEMAKER_BASE_DIR": str(tmp_path), "SAGEMAKER_PROGRAM": "pkg/train.py"})
    env = program_environment(config, {"HOME": "/h", "PYTHONPATH": "/p"}, ["/p", "", "/site"], 4, 0)
    seen = {name: env[name] for name in ("SM_HP_B", "SM_HP_A-X", "SM_HP_N", "SM_HP_T", "SM_HPS", "SM_NUM_CPUS")}
    assert seen == {
        "SM_HP_B": "[1,2]",
        "SM_HP_A-X": "text",
        "SM_HP_N": "",
        "SM_HP_T": "true",
        "SM_HPS": '{"a-x":"text","b":[1,2],"n":null,"t":true,"u":"\u00e4"}',
        "SM_NUM_CPUS": "4",
    }
    assert (env["HOME"], env["PYTHONPATH"]) == ("/h", f"{tmp_path}/code:/p:/site")
    assert (env["SM_MODULE_NAME"], env["CURRENT_HOST"]) == ("pkg/train", "localhost")


def test_a_hyperparameter_cannot_replace_a_variable_of_the_platform(tmp_path: Path) -> None:
    """T-73, T-80: the region of the container passes through when the job names none."""
    config = configuration.read({"SAGEMAKER_BASE_DIR": str(tmp_path), "SAGEMAKER_PROGRAM": "t.py"})
    env = program_environment(config, {"SAGEMAKER_REGION": "r", "SM_MODEL_DIR": "/preset"}, [], 1, 0)
    assert (env["SAGEMAKER_REGION"], env["SM_MODEL_DIR"]) == ("r", str(tmp_path / "model"))


def test_instance_groups_are_those_of_the_resource_config(tmp_path: Path) -> None:
    """T-87."""
    groups = [
        {"instance_group_name": "big", "instance_type": "ml.m5.large", "hosts": ["algo-1"]},
        {"instance_group_name": "small", "instance_type": "ml.t3.medium", "hosts": ["algo-2", "algo-3"]},
    ]
    resources = {
        "current_host": "algo-2",
        "hosts": ["algo-1", "algo-2", "algo-3"],
        "current_instance_type": "ml.t3.medium",
        "current_group_name": "small",
        "instance_groups": groups,
        "topology": [{"hostName": "algo-1"}],
    }
    env = _variables(tmp_path, resources)
    assert {name: env[name] for name in _INSTANCE_VARIABLES} == {
        "SM_CURRENT_INSTANCE_TYPE": "ml.t3.medium",
        "SM_CURRENT_INSTANCE_GROUP": "small",
        "SM_CURRENT_INSTANCE_GROUP_HOSTS": '["algo-2","algo-3"]',
        "SM_INSTANCE_GROUPS": '["big","small"]',
        "SM_DISTRIBUTION_INSTANCE_GROUPS": "[]",
        "SM_IS_HETERO": "true",
        "SM_NUM_NEURONS": "0",
        "SM_TOPOLOGY": '[{"hostName":"algo-1"}]',
    }
    assert json.loads(env["SM_INSTANCE_GROUPS_DICT"]) == {group["instance_group_name"]: group for group in groups}


def test_outside_of_the_platform_there_are_no_instance_groups(tmp_path: Path) -> None:
    """T-87."""
    env = _variables(tmp_path, {})
    assert {name: env.get(name) for name in _INSTANCE_VARIABLES} == {
        "SM_CURRENT_INSTANCE_TYPE": "local",
        "SM_CURRENT_INSTANCE_GROUP": "homogeneousCluster",
        "SM_CURRENT_INSTANCE_GROUP_HOSTS": "[]",
        "SM_INSTANCE_GROUPS": "[]",
        "SM_DISTRIBUTION_INSTANCE_GROUPS": "[]",
        "SM_IS_HETERO": "false",
        "SM_NUM_NEURONS": "0",
        "SM_TOPOLOGY": None,
    }
    assert env["SM_INSTANCE_GROUPS_DICT"] == "{}"


def test_what_the_system_cannot_pass_on_is_left_out_by_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """T-72, T-73: the program starts, and has everything on its command line."""
    path = tmp_path / "input/config/hyperparameters.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({**{f"p{n}": "x" * 2500 for n in range(100)}, "a=b": "1", "c": "2"}))
    config = configuration.read({"SAGEMAKER_BASE_DIR": str(tmp_path), "SAGEMAKER_PROGRAM": "t.py"})
    env = program_environment(config, {}, [], 1, 0)
    assert env["SM_HP_C"] == "2"
    assert len(env["SM_HP_P99"]) == 2500
    for name in ("SM_HPS", "SM_TRAINING_ENV", "SM_USER_ARGS", "SM_HP_A=B"):
        assert name not in env
        assert f"The variable {name} is left out" in caplog.text


def test_paths_that_the_image_presets_follow_the_base_directory(tmp_path: Path) -> None:
    """L-09, T-30: unless they were set to something else."""
    config = configuration.read({"SAGEMAKER_BASE_DIR": str(tmp_path), "SAGEMAKER_PROGRAM": "t.py"})
    inherited = {"SM_INPUT": "/opt/ml/input", "SM_CHECKPOINT_CONFIG_FILE": "/elsewhere"}
    env = program_environment(config, inherited, [], 1, 0)
    assert (env["SM_INPUT"], env["SM_CHECKPOINT_CONFIG_FILE"]) == (str(tmp_path / "input"), "/elsewhere")


_INSTANCE_VARIABLES = (
    "SM_CURRENT_INSTANCE_TYPE",
    "SM_CURRENT_INSTANCE_GROUP",
    "SM_CURRENT_INSTANCE_GROUP_HOSTS",
    "SM_INSTANCE_GROUPS",
    "SM_DISTRIBUTION_INSTANCE_GROUPS",
    "SM_IS_HETERO",
    "SM_NUM_NEURONS",
    "SM_TOPOLOGY",
)


def _variables(base: Path, resources: dict[str, Any]) -> dict[str, str]:
    path = base / "input/config/resourceconfig.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(resources))
    config = configuration.read({"SAGEMAKER_BASE_DIR": str(base), "SAGEMAKER_PROGRAM": "t.py"})
    return program_environment(config, {}, [], 1, 0)
