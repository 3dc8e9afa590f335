"""The training job as an object, for the program that `train` starts.

All facts come from the container's own reading of the platform's files and variables.

Source: contract U-43, T-20 to T-31, T-70 to T-87.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Mapping

from sagemaker_sklearn_container import settings
from sagemaker_sklearn_container.cpus import available_cpus
from sagemaker_sklearn_container.training import config as configuration
from sagemaker_sklearn_container.training.environment import sm_variables
from sagemaker_sklearn_container.training.gpus import count_gpus
from sagemaker_training import mapping

# Module attributes that are paths, and what the container calls them.
_PATHS = {
    "base_dir": "base",
    "code_dir": "code",
    "model_dir": "model",
    "input_dir": "input",
    "input_config_dir": "input_config",
    "output_dir": "output",
    "output_data_dir": "output_data",
    "output_intermediate_dir": "output_intermediate",
    "hyperparameters_file_dir": "hyperparameters",
    "input_data_config_file_dir": "input_data_config",
    "resource_config_file_dir": "resource_config",
}


def __getattr__(name: str) -> str:
    """The platform's path called `name`, as the environment has it now."""
    if name not in _PATHS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return str(getattr(settings.paths(os.environ), _PATHS[name]))


class Snapshot(mapping.MappingMixin):
    """Facts that can be read as attributes and as entries of a dictionary."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        """A snapshot of `facts`."""
        self._facts = dict(facts)

    def properties(self) -> list[str]:
        """Names of the facts, sorted."""
        return sorted(self._facts)

    def __getattr__(self, name: str) -> Any:
        # Private names are those of an object that is being copied and has no facts yet.
        if name.startswith("_") or name not in self._facts:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return self._facts[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._facts]


class Environment(Snapshot):
    """The training job that this process belongs to.

    Attributes and entries are those of SM_TRAINING_ENV:
        additional_framework_parameters: dict, unknown `sagemaker_*` hyperparameters.
        channel_input_dirs: dict of channel name to path.
        current_host, hosts, is_master, master_hostname: This host, all hosts (list), whether this is the first of them,
            the first.
        framework_module: str, what runs the training.
        current_instance_type, current_instance_group: str, and the other facts of T-87.
        hyperparameters: dict, the user's, decoded.
        input_dir, input_config_dir, output_dir, output_data_dir, output_intermediate_dir, model_dir: str, paths.
        input_data_config, resource_config: dict, contents of the platform's files.
        job_name: str, None outside the platform.
        log_level: int.
        module_dir: str, where the code came from.
        module_name, user_entry_point: str, the program without and with `.py`.
        network_interface_name: str.
        num_cpus, num_gpus: int.

    Source: contract U-43, T-86, T-87.
    """

    def __init__(self) -> None:
        """Read the platform's files and variables.

        Raises:
            ConfigurationError: a file or variable is malformed, or no program is named.
        """
        config = configuration.read(os.environ)
        self._variables = sm_variables(config, num_cpus(), num_gpus())
        self._s3_output = config.s3_output
        # The variable's own text, so that the two cannot differ.
        super().__init__(json.loads(self._variables["SM_TRAINING_ENV"]))

    def sagemaker_s3_output(self) -> str | None:
        """The hyperparameter sagemaker_s3_output, None if the job has none."""
        return self._s3_output

    def to_cmd_args(self) -> list[str]:
        """The hyperparameters as the program gets them on its command line.

        Source: contract T-50.
        """
        return mapping.to_cmd_args(self.hyperparameters)

    def to_env_vars(self) -> dict[str, str]:
        """The `SM_*` variables of the program.

        Source: contract T-70 to T-87.
        """
        return dict(self._variables)


def read_hyperparameters() -> dict[str, Any]:
    """All hyperparameters, the container's own among them, decoded.

    Source: contract T-20, T-21.
    """
    return configuration.hyperparameters(settings.paths(os.environ))


def read_input_data_config() -> dict[str, Any]:
    """The content of the platform's file of channels.

    Source: contract T-20.
    """
    return dict(configuration.read(os.environ).input_data_config)


def read_resource_config() -> dict[str, Any]:
    """The content of the platform's file of hosts.

    Source: contract T-20.
    """
    return dict(configuration.read(os.environ).resource_config)


def channel_path(channel: str) -> str:
    """The directory of the input channel `channel`.

    Source: contract T-24.
    """
    return str(settings.paths(os.environ).channel(channel))


def num_cpus() -> int:
    """Number of CPUs the container may use.

    Source: contract T-84.
    """
    return available_cpus()


def num_gpus() -> int:
    """Number of GPUs the container has.

    Source: contract T-84.
    """
    return count_gpus()


def write_env_vars(env_vars: Mapping[str, str] | None = None) -> None:
    """Set the variables `env_vars` in this process, and PYTHONPATH to where it finds modules."""
    os.environ.update({**(env_vars or {}), "PYTHONPATH": os.pathsep.join(sys.path)})
