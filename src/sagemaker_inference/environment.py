"""The serving container as an object, and its paths.

Source: contract U-44.
"""

from __future__ import annotations

import os

from sagemaker_sklearn_container import contract, settings
from sagemaker_sklearn_container.cpus import available_cpus
from sagemaker_sklearn_container.serving import config as configuration
from sagemaker_training import params

DEFAULT_MODULE_NAME = contract.DEFAULT_SERVING_PROGRAM
DEFAULT_MODEL_SERVER_TIMEOUT = str(contract.DEFAULT_TIMEOUT_S)
DEFAULT_HTTP_PORT = str(contract.DEFAULT_PORT)

_paths = settings.paths(os.environ)

base_dir = str(_paths.base)
# Several models lie in a directory of their own.
model_dir = str(_paths.base / ("models" if settings.boolean(os.environ, contract.MULTI_MODEL) else "model"))
code_dir = os.path.join(model_dir, "code")


class Environment:
    """The serving container that this process belongs to, read when the object is made.

    What was about Java's virtual machine is not here.

    Attributes:
        module_name: str, the program without `.py`.
        model_server_timeout: int, seconds.
        model_server_workers: str.
        default_accept: str, media type of answers when the client asks for none.
        http_port, inference_http_port, management_http_port: str, all the same port.
        safe_port_range: str or None.
        max_request_size: int, bytes; None for no limit.

    Source: contract U-44, S-01, S-10, S-11, S-26, S-29.
    """

    def __init__(self) -> None:
        """Read the variables of the environment.

        Raises:
            ConfigurationError: a value is not allowed.
        """
        config = configuration.read(os.environ, available_cpus())
        program = config.program or DEFAULT_MODULE_NAME
        self.module_name = program[:-3] if program.endswith(".py") else program
        self.model_server_timeout = config.timeout_s
        self.model_server_workers = str(config.workers)
        self.default_accept = config.default_accept
        self.http_port = self.inference_http_port = self.management_http_port = str(config.port)
        self.safe_port_range = settings.text(os.environ, params.SAGEMAKER_SAFE_PORT_RANGE_ENV)
        self.max_request_size = config.max_body_bytes
