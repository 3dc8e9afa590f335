"""The environment variables that the user's program sees."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any, Mapping, Sequence

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.contract import Paths
from sagemaker_sklearn_container.training.arguments import command_line
from sagemaker_sklearn_container.training.config import TrainingConfig

logger = logging.getLogger(__name__)

# Linux passes no single argument or variable that is longer, its end included.
_LONGEST_VARIABLE_BYTES = 128 * 1024


def program_environment(
    config: TrainingConfig, inherited: Mapping[str, str], import_path: Sequence[str], num_cpus: int, num_gpus: int
) -> dict[str, str]:
    """Everything the user's program inherits from the container, and what is said about the job.

    Args:
        config: The training job.
        inherited: The container's environment; passes through.
        import_path: Where this process finds modules; the program finds them there too, after the code directory.
        num_cpus: CPUs the container may use.
        num_gpus: GPUs the container has.

    Source: contract T-48, T-51, T-70 to T-87.
    """
    return {
        **inherited,
        **_preset_paths(config.paths, inherited),
        **_job_variables(config, inherited),
        **_passable(sm_variables(config, num_cpus, num_gpus)),
        "PYTHONPATH": os.pathsep.join(dict.fromkeys([str(config.paths.code), *filter(None, import_path)])),
    }


def _preset_paths(paths: Paths, inherited: Mapping[str, str]) -> dict[str, str]:
    """The variables of paths that the image presets, where it is another base directory's (L-09, T-30)."""
    preset = {
        "SM_INPUT": "input",
        "SM_INPUT_TRAINING_CONFIG_FILE": "hyperparameters",
        "SM_INPUT_DATA_CONFIG_FILE": "input_data_config",
        "SM_CHECKPOINT_CONFIG_FILE": "checkpoint_config",
    }
    usual = Paths(Path(contract.DEFAULT_BASE_DIR))
    return {
        name: str(getattr(paths, path))
        for name, path in preset.items()
        if inherited.get(name) == str(getattr(usual, path))
    }


def _passable(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that the system can pass on; the job can do without the others, which the log names."""
    left_out = {
        name: len(value)
        for name, value in variables.items()
        if "=" in name or len(f"{name}={value}".encode("utf-8", "surrogatepass")) >= _LONGEST_VARIABLE_BYTES
    }
    for name, length in left_out.items():
        logger.warning("The variable %s is left out: it has %d characters, or = in its name", name, length)
    return {name: value for name, value in variables.items() if name not in left_out}


def sm_variables(config: TrainingConfig, num_cpus: int, num_gpus: int) -> dict[str, str]:
    """The `SM_*` variables. Strings are raw, None is empty, everything else compact JSON with sorted keys.

    Source: contract T-70 to T-87.
    """
    facts = training_env(config, num_cpus, num_gpus)
    named = {
        "SM_HOSTS": facts["hosts"],
        "SM_CURRENT_HOST": facts["current_host"],
        "SM_NETWORK_INTERFACE_NAME": facts["network_interface_name"],
        "SM_HPS": facts["hyperparameters"],
        "SM_USER_ENTRY_POINT": facts["user_entry_point"],
        "SM_MODULE_NAME": facts["module_name"],
        "SM_MODULE_DIR": facts["module_dir"],
        "SM_USER_ARGS": command_line(config.hyperparameters),
        "SM_FRAMEWORK_PARAMS": facts["additional_framework_parameters"],
        "SM_FRAMEWORK_MODULE": facts["framework_module"],
        "SM_RESOURCE_CONFIG": facts["resource_config"],
        "SM_INPUT_DATA_CONFIG": facts["input_data_config"],
        "SM_CHANNELS": list(config.channels),
        "SM_INPUT_DIR": facts["input_dir"],
        "SM_INPUT_CONFIG_DIR": facts["input_config_dir"],
        "SM_OUTPUT_DIR": facts["output_dir"],
        "SM_OUTPUT_DATA_DIR": facts["output_data_dir"],
        "SM_OUTPUT_INTERMEDIATE_DIR": facts["output_intermediate_dir"],
        "SM_MODEL_DIR": facts["model_dir"],
        "SM_NUM_CPUS": facts["num_cpus"],
        "SM_NUM_GPUS": facts["num_gpus"],
        "SM_LOG_LEVEL": facts["log_level"],
        "SM_TRAINING_ENV": facts,
        "SM_CURRENT_INSTANCE_TYPE": facts["current_instance_type"],
        "SM_CURRENT_INSTANCE_GROUP": facts["current_instance_group"],
        "SM_CURRENT_INSTANCE_GROUP_HOSTS": facts["current_instance_group_hosts"],
        "SM_INSTANCE_GROUPS": facts["instance_groups"],
        "SM_INSTANCE_GROUPS_DICT": facts["instance_groups_dict"],
        "SM_DISTRIBUTION_INSTANCE_GROUPS": facts["distribution_instance_groups"],
        "SM_IS_HETERO": facts["is_hetero"],
        "SM_NUM_NEURONS": facts["num_neurons"],
        **({} if config.instance.topology is None else {"SM_TOPOLOGY": config.instance.topology}),
    }
    per_channel = {f"SM_CHANNEL_{name.upper()}": path for name, path in config.channels.items()}
    per_hyperparameter = {f"SM_HP_{name.upper()}": value for name, value in config.hyperparameters.items()}
    return {name: _text(value) for name, value in {**per_hyperparameter, **per_channel, **named}.items()}


def training_env(config: TrainingConfig, num_cpus: int, num_gpus: int) -> dict[str, Any]:
    """The content of SM_TRAINING_ENV.

    Source: contract T-86, T-87.
    """
    paths = config.paths
    instance = config.instance
    return {
        "additional_framework_parameters": config.framework_parameters,
        "channel_input_dirs": config.channels,
        "current_host": config.current_host,
        "current_instance_group": instance.group,
        "current_instance_group_hosts": instance.group_hosts,
        "current_instance_type": instance.type,
        "distribution_instance_groups": config.framework_parameters.get(contract.HP_DISTRIBUTION_INSTANCE_GROUPS, []),
        "framework_module": contract.OWN_TRAINING_MODULE,
        "hosts": list(config.hosts),
        "hyperparameters": config.hyperparameters,
        "input_config_dir": str(paths.input_config),
        "input_data_config": config.input_data_config,
        "input_dir": str(paths.input),
        "instance_groups": list(instance.groups),
        "instance_groups_dict": instance.groups,
        "is_hetero": len(instance.groups) > 1,
        "is_master": config.current_host == config.hosts[0],
        "job_name": config.job_name,
        "log_level": config.log_level,
        "master_hostname": config.hosts[0],
        "model_dir": str(paths.model),
        "module_dir": config.source,
        "module_name": config.module_name,
        "network_interface_name": config.network_interface,
        "num_cpus": num_cpus,
        "num_gpus": num_gpus,
        "num_neurons": 0,  # the image has no driver for them
        "output_data_dir": str(paths.output_data),
        "output_dir": str(paths.output),
        "output_intermediate_dir": str(paths.output_intermediate),
        "resource_config": config.resource_config,
        "user_entry_point": config.program,
    }


def _job_variables(config: TrainingConfig, inherited: Mapping[str, str]) -> dict[str, str]:
    """Variables of T-51 without the SM_ prefix."""
    return {
        "CURRENT_HOST": config.current_host,
        "SAGEMAKER_JOB_NAME": config.sdk_job_name or inherited.get("SAGEMAKER_JOB_NAME", ""),
        contract.REGION: config.region or inherited.get(contract.REGION) or "",
    }


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
