"""The training job, or the serving container, as an object.

Source: contract U-43.
"""

from __future__ import annotations

import os

from sagemaker_sklearn_container import contract, settings
from sagemaker_sklearn_container.serving import config as configuration
from sagemaker_training import params
from sagemaker_training.environment import (
    Environment,
    Snapshot,
    channel_path,
    num_cpus,
    num_gpus,
    read_hyperparameters,
    read_input_data_config,
    read_resource_config,
    write_env_vars,
)
from sagemaker_training.environment import (
    __getattr__ as __getattr__,
)

__all__ = [
    "ServingEnv",
    "TrainingEnv",
    "channel_path",
    "num_cpus",
    "num_gpus",
    "read_hyperparameters",
    "read_input_data_config",
    "read_resource_config",
    "write_env_vars",
]


class TrainingEnv(Environment):
    """The training job that this process belongs to, under its older name."""


class ServingEnv(Snapshot):
    """The serving container that this process belongs to.

    Attributes and entries:
        current_host: str or None.
        default_accept: str, media type of answers when the client asks for none.
        framework_module: str or None, what serves.
        http_port: str.
        log_level: int.
        model_dir: str, path.
        model_server_timeout: int, seconds.
        model_server_workers: int.
        module_dir: str, where the code came from.
        module_name, user_entry_point: str or None, the program without and with `.py`.
        num_cpus, num_gpus: int.
        safe_port_range: str or None.
        use_nginx: bool, always False: no proxy stands before this server.

    Source: contract U-43, S-01, S-10, S-11, S-26.
    """

    def __init__(self) -> None:
        """Read the variables of the environment.

        Raises:
            ConfigurationError: a value is not allowed.
        """
        cpus = num_cpus()
        config = configuration.read(os.environ, cpus)
        program = config.program
        super().__init__(
            {
                "current_host": settings.text(os.environ, params.CURRENT_HOST_ENV),
                "default_accept": config.default_accept,
                "framework_module": settings.text(os.environ, contract.SERVING_MODULE),
                "http_port": str(config.port),
                "log_level": config.log_level,
                "model_dir": str(config.paths.model),
                "model_server_timeout": config.timeout_s,
                "model_server_workers": config.workers,
                "module_dir": config.source or str(config.paths.code),
                "module_name": program[:-3] if program is not None and program.endswith(".py") else program,
                "num_cpus": cpus,
                "num_gpus": num_gpus(),
                "safe_port_range": settings.text(os.environ, params.SAGEMAKER_SAFE_PORT_RANGE_ENV),
                "use_nginx": False,
                "user_entry_point": program,
            }
        )
