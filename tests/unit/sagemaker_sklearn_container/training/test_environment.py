"""The environment of the user's program."""

from __future__ import annotations

from pathlib import Path

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
