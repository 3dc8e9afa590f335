"""What scripts import from sagemaker_containers."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import pytest

import sagemaker_containers
from sagemaker_containers.beta import framework
from sagemaker_training.unavailable import NotAvailableError

MODULES = (
    "content_types",
    "encoders",
    "entry_point",
    "env",
    "errors",
    "files",
    "functions",
    "logging",
    "mapping",
    "modules",
    "params",
    "process",
    "runner",
    "server",
    "trainer",
    "transformer",
    "worker",
)


@pytest.mark.parametrize("name", MODULES)
def test_every_module_is_an_attribute_and_a_submodule(name: str) -> None:
    """U-40."""
    module = importlib.import_module(f"sagemaker_containers.beta.framework.{name}")
    assert getattr(framework, name) is module
    assert name in framework.__all__


def test_the_lines_that_scripts_begin_with() -> None:
    """U-40, U-43: as in the platform's own examples; they load no NumPy, which only the encoders' functions need."""
    lines = (
        "from sagemaker_containers.beta.framework import content_types, encoders, env, modules, transformer, worker",
        "from sagemaker_containers.beta.framework import (errors, files, functions, logging, mapping, params, process,"
        " runner, server, trainer, entry_point)",
        "from sagemaker_containers.beta.framework.env import TrainingEnv, ServingEnv, model_dir",
        "from sagemaker_containers import training_env",
        "import sys; print('numpy' in sys.modules, 'boto3' in sys.modules)",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert done.stdout == b"False False\n"


def test_training_env_is_one_function() -> None:
    """U-43."""
    assert framework.training_env is sagemaker_containers.training_env


@pytest.mark.parametrize(
    "name",
    [
        "entry_point.install",
        "entry_point.run",
        "modules.download_and_install",
        "modules.install",
        "modules.prepare",
        "modules.run",
        "modules.run_module",
        "process.ProcessRunner",
        "process.check_error",
        "process.create",
        "runner.get",
        "server.start",
        "trainer.train",
        "transformer.Transformer",
        "transformer.default_model_fn",
        "transformer.default_predict_fn",
        "worker.Request",
        "worker.Worker",
    ],
)
def test_what_the_container_does_itself_says_so_when_it_is_called(name: str) -> None:
    """U-40: the message names the function and the next step."""
    module, _, attribute = name.partition(".")
    function = getattr(getattr(framework, module), attribute)
    with pytest.raises(NotAvailableError, match=rf"^{name} was called\. .* does not offer it\. \S+ .*\.$"):
        function("any", number=1)


def test_params_have_the_values_that_scripts_compare_with() -> None:
    """U-40, T-22."""
    params = framework.params
    assert params.SAGEMAKER_HYPERPARAMETERS == (
        "sagemaker_program",
        "sagemaker_submit_directory",
        "sagemaker_enable_cloudwatch_metrics",
        "sagemaker_region",
        "sagemaker_container_log_level",
        "sagemaker_job_name",
        "default_user_module_name",
        "_tuning_objective_metric",
        "sagemaker_s3_output",
    )
    assert (params.USER_PROGRAM_ENV, params.SUBMIT_DIR_ENV, params.LOG_LEVEL_ENV, params.TRAINING_JOB_ENV) == (
        "SAGEMAKER_PROGRAM",
        "SAGEMAKER_SUBMIT_DIRECTORY",
        "SAGEMAKER_CONTAINER_LOG_LEVEL",
        "TRAINING_JOB_NAME",
    )


def test_errors_keep_their_kinds_and_texts() -> None:
    """U-40, U-42."""
    errors = framework.errors
    assert issubclass(errors.ExecuteUserScriptError, errors.ClientError)
    assert not issubclass(errors.UnsupportedFormatError, errors.ClientError)
    assert str(errors.ExecuteUserScriptError("x y", 3, b"boom")) == 'ExecuteUserScriptError:\nCommand "x y"\nboom'
    assert str(errors.InstallModuleError(cmd="x y")) == 'InstallModuleError:\nCommand "x y"'
    assert str(errors.ChannelDoesNotExistException("q")) == "Channel q is not a valid channel"
    unsupported = errors.UnsupportedFormatError("a/b")
    assert unsupported.message == str(unsupported)
    assert unsupported.message.startswith("Content type a/b is not supported by this framework.")


def test_loggers_have_their_old_names() -> None:
    """U-40."""
    from sagemaker_training import logging_config

    names = (framework.logging.get_logger().name, logging_config.get_logger().name)
    assert names == ("sagemaker-containers", "sagemaker-training-toolkit")
