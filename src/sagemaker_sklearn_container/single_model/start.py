"""Start-up of the single-model server: everything that can fail happens before the port opens."""

from __future__ import annotations

import logging
import time
from functools import partial

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.gateway import listen, responses
from sagemaker_sklearn_container.gateway import process as gateway
from sagemaker_sklearn_container.gateway.limits import Limits
from sagemaker_sklearn_container.gateway.site import SiteSettings
from sagemaker_sklearn_container.processes import worker
from sagemaker_sklearn_container.processes.supervisor import Supervisor
from sagemaker_sklearn_container.serving.config import ServingConfig
from sagemaker_sklearn_container.single_model.routes import ROUTES
from sagemaker_sklearn_container.single_model.site import SingleModelSite

logger = logging.getLogger(__name__)

_MIB = 1024 * 1024


def serve(config: ServingConfig) -> int:
    """Load the user's code and the model once, then serve from worker processes that share both.

    Returns:
        Exit code, when told to stop or when the server cannot go on.

    Raises:
        ContainerError: the port cannot be had; or the code or the model cannot be found or fetched.
        Exception: whatever the user's script or model_fn raises.

    Source: contract S-01, S-03, S-04, S-06, S-08, U-20.
    """
    with listen.bound(config.port) as listener:
        limits = Limits(max_body_bytes=config.max_body_bytes, request_s=config.timeout_s)
        site = partial(SingleModelSite, limits=limits, default_accept=config.default_accept, workers=config.workers)
        settings = SiteSettings(limits, ROUTES, responses.error, headers=(), close_on_error=False, site=site)
        supervisor = Supervisor(lambda control: gateway.run(listener, control, settings))
    # Imported when the gateway is forked: it needs neither numpy nor the user's code.
    from sagemaker_sklearn_container.processes.application import Application
    from sagemaker_sklearn_container.serving.code import load_user_module
    from sagemaker_sklearn_container.user_code import handlers

    functions = handlers.resolve(load_user_module(config))
    started = time.monotonic()
    model = functions.load(str(config.paths.model))
    logger.info("Loaded the model from %s in %.2f s", config.paths.model, time.monotonic() - started)
    application = Application(functions, model, batch_defaults(config) if config.batch else None)
    return supervisor.run(
        lambda channel: worker.run(channel, application.answer, limits, config.default_accept), config.workers
    )


def batch_defaults(config: ServingConfig) -> dict[str, object]:
    """What a batch transform job is told when the user's script does not say (B-02, B-03, B-04).

    The SDK's local mode is not told the BatchStrategy, since it has another word for it and would end the job over the
    platform's; it takes many records per request anyway.
    """
    limit = config.max_body_bytes
    answer: dict[str, object] = {
        "MaxConcurrentTransforms": config.workers,
        # To the platform 0 means no limit.
        "MaxPayloadInMB": contract.DEFAULT_BATCH_PAYLOAD_MIB if limit is None else max(1, limit // _MIB),
    }
    return answer if config.sdk_local_batch else {**answer, "BatchStrategy": "MULTI_RECORD"}
