"""Start-up of the single-model server: everything that can fail happens before the port opens."""

from __future__ import annotations

import logging
import time

from sagemaker_sklearn_container.serving.code import load_user_module
from sagemaker_sklearn_container.serving.config import ServingConfig
from sagemaker_sklearn_container.single_model.app import Application
from sagemaker_sklearn_container.single_model.server import Server
from sagemaker_sklearn_container.user_code import handlers

logger = logging.getLogger(__name__)


def serve(config: ServingConfig) -> None:
    """Load the user's code and the model once, then serve from worker processes that share both.

    Does not return: the server ends the process.

    Raises:
        ContainerError: the code or the model cannot be found or fetched.
        Exception: whatever the user's script, model_fn or the functions around it raise.

    Source: contract S-03, S-04, S-06, U-20, U-27.
    """
    functions = handlers.resolve(load_user_module(config))
    started = time.monotonic()
    model = functions.load(str(config.paths.model))
    logger.info("Loaded the model from %s in %.2f s", config.paths.model, time.monotonic() - started)
    Server(Application(functions, model, config.default_accept, config.max_body_bytes), config).run()
