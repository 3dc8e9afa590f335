"""Start-up of the multi-model server: the port opens at once, models come and go later."""

from __future__ import annotations

import importlib
import io
import logging
import os
from functools import partial
from pathlib import Path
from types import ModuleType

from sagemaker_sklearn_container import commands, contract
from sagemaker_sklearn_container.errors import CodeSourceError
from sagemaker_sklearn_container.gateway import listen
from sagemaker_sklearn_container.gateway import process as gateway
from sagemaker_sklearn_container.gateway.limits import Limits
from sagemaker_sklearn_container.gateway.site import SiteSettings
from sagemaker_sklearn_container.multi_model import answers
from sagemaker_sklearn_container.multi_model.routes import ROUTES
from sagemaker_sklearn_container.multi_model.site import MultiModelSite
from sagemaker_sklearn_container.multi_model.specification import ModelSpecification
from sagemaker_sklearn_container.processes.channel import Channel
from sagemaker_sklearn_container.processes.supervisor import Supervisor, Work
from sagemaker_sklearn_container.serving.config import ServingConfig

logger = logging.getLogger(__name__)

# What models are made of, loaded once for all of them; each import here is memory and time that no model takes.
_SHARED_LIBRARIES = (
    "numpy",
    "scipy.sparse",
    "joblib",
    "pandas",
    "sklearn.calibration",
    "sklearn.cluster",
    "sklearn.compose",
    "sklearn.decomposition",
    "sklearn.ensemble",
    "sklearn.feature_extraction.text",
    "sklearn.feature_selection",
    "sklearn.impute",
    "sklearn.isotonic",
    "sklearn.linear_model",
    "sklearn.naive_bayes",
    "sklearn.neighbors",
    "sklearn.neural_network",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    "sklearn.svm",
    "sklearn.tree",
)


def serve(config: ServingConfig) -> int:
    """Serve models from processes that are forked from one which has the libraries and the user's script.

    Returns:
        Exit code, when told to stop or when the server cannot go on.

    Raises:
        ContainerError: the port cannot be had; or the code cannot be found, fetched or installed.
        Exception: whatever the user's script raises.

    Source: contract M-01, M-02, M-32, M-33, M-35, M-39.
    """
    with listen.bound(config.port) as listener:
        limits = Limits(
            max_body_bytes=config.max_model_body_bytes,
            request_s=config.timeout_s,
            max_waiting=config.job_queue_size,
        )
        site = partial(
            MultiModelSite,
            limits=limits,
            default_accept=config.default_accept,
            base=config.paths.base,
            workers=config.model_workers,
        )
        settings = SiteSettings(
            limits, ROUTES, answers.error_body, headers=answers.HEADERS, close_on_error=True, site=site
        )
        supervisor = Supervisor(lambda control: gateway.run(listener, control, settings))
    # Imported when the gateway is forked: it needs neither numpy nor the user's code.
    for library in _SHARED_LIBRARIES:
        importlib.import_module(library)
    from sagemaker_sklearn_container.multi_model.model_process import ModelProcess
    from sagemaker_sklearn_container.user_code import handlers

    _warm_up()
    module, code_dir = _shared_module(config)
    program = config.program or contract.DEFAULT_SERVING_PROGRAM
    process = ModelProcess(handlers.resolve(module), code_dir, program, limits, config.default_accept)

    def new_work(told: bytes) -> Work:
        specification = ModelSpecification.unpacked(told)

        def work(channel: Channel) -> None:
            process.run(channel, specification)

        return work

    return supervisor.run_pools(new_work)


def _warm_up() -> None:
    """Load a model and answer with it, as every model will: what is made once, on first use, is then shared."""
    import joblib

    from sagemaker_sklearn_container.user_code.handlers import Handlers

    # By name, so that the wheel asks for no version of what the image has.
    linear_model, pipeline, preprocessing = (
        importlib.import_module(f"sklearn.{name}") for name in ("linear_model", "pipeline", "preprocessing")
    )
    stored = io.BytesIO()
    estimator = pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression())
    joblib.dump(estimator.fit([[0.0], [1.0]], [0, 1]), stored)
    stored.seek(0)
    model, functions = joblib.load(stored), Handlers()
    for body, media_type in ((b"0", contract.CSV), (b"[[0]]", contract.JSON)):
        functions.invoke(model, body, media_type, media_type)


def _shared_module(config: ServingConfig) -> tuple[ModuleType | None, Path | None]:
    """The script for models without code of their own, and its directory; None if there is no such script."""
    from sagemaker_sklearn_container.serving import code
    from sagemaker_sklearn_container.user_code import install

    models_code = config.paths.base / "models" / "code"
    if (models_code / contract.REQUIREMENTS_FILE).is_file():
        install.install(models_code, os.environ, commands.run)
    try:
        found = code.find(config)
    except CodeSourceError:
        if config.source:
            raise
        found = None  # the program may be in the models' own code (M-33)
    module = code.load_user_module(config) if found is not None else None
    return module, None if found is None else found[0]
