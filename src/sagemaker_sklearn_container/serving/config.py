"""What the environment says about serving, read and checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping

from sagemaker_sklearn_container import contract, settings
from sagemaker_sklearn_container.contract import Paths
from sagemaker_sklearn_container.user_code.s3 import S3Settings

_MIB = 1024 * 1024


@dataclass(frozen=True)
class ServingConfig:
    """One serving container.

    Attributes:
        paths: The platform's directories and files.
        multi_model: Serve many models, loaded on request.
        batch: Serve a batch transform job.
        sdk_local_batch: It is one of the SDK's local mode, not of the platform.
        port: TCP port to listen on.
        workers: Number of worker processes.
        timeout_s: Longest time for one request, seconds.
        program: The user's script, or None.
        source: Where the user's code is: s3:// address or local path, or None.
        default_accept: Media type of answers when the client asks for none.
        max_body_bytes: Longest request body, or None for no limit.
        log_level: Numeric level of the `logging` module.
        s3: How to reach S3.
        model_workers: Number of worker processes of each of many models.
        job_queue_size: Most requests that wait for a worker of one of many models.
        max_model_body_bytes: Longest request body for one of many models.
    """

    paths: Paths
    multi_model: bool
    batch: bool
    sdk_local_batch: bool
    port: int
    workers: int
    timeout_s: int
    program: str | None
    source: str | None
    default_accept: str
    max_body_bytes: int | None
    log_level: int
    s3: S3Settings
    model_workers: int
    job_queue_size: int
    max_model_body_bytes: int


def read(environ: Mapping[str, str], cpus: int) -> ServingConfig:
    """The serving container that the environment describes.

    Args:
        environ: The container's environment; empty values are as good as unset (K-07).
        cpus: CPUs the container may use, the default number of workers.

    Raises:
        ConfigurationError: a value is not allowed; names the variable, the value and what is allowed.

    Source: contract S-01, S-02, S-10, S-11, S-15, S-26, S-29, U-01, U-02, B-01, B-08, M-36.
    `SAGEMAKER_USE_NGINX` (S-13) is not read, since there is no nginx to use or leave out; nor is
    `SAGEMAKER_SAFE_PORT_RANGE` (S-14), since no second port is opened: processes of the container reach each other by
    Unix sockets without names.
    """
    batch = settings.boolean(environ, contract.BATCH)
    default_timeout_s = contract.DEFAULT_BATCH_TIMEOUT_S if batch else contract.DEFAULT_TIMEOUT_S
    return ServingConfig(
        paths=settings.paths(environ),
        multi_model=settings.boolean(environ, contract.MULTI_MODEL),
        batch=batch,
        sdk_local_batch=environ.get(contract.BATCH) == contract.SDK_BATCH,
        port=settings.integer(environ, contract.BIND_TO_PORT, contract.DEFAULT_PORT, 1, 65535),
        workers=settings.integer(environ, contract.MODEL_SERVER_WORKERS, cpus, 1),
        timeout_s=settings.integer(environ, contract.MODEL_SERVER_TIMEOUT, default_timeout_s, 1),
        program=settings.text(environ, contract.PROGRAM),
        source=settings.text(environ, contract.SUBMIT_DIRECTORY),
        default_accept=settings.text(environ, contract.DEFAULT_INVOCATIONS_ACCEPT) or contract.JSON,
        max_body_bytes=_max_body_bytes(environ),
        log_level=settings.integer(environ, contract.LOG_LEVEL, contract.DEFAULT_LOG_LEVEL),
        s3=S3Settings.from_environ(environ),
        model_workers=_model_workers(environ),
        job_queue_size=settings.integer(environ, contract.MODEL_JOB_QUEUE_SIZE, contract.DEFAULT_JOB_QUEUE_SIZE, 1),
        max_model_body_bytes=_max_model_body_bytes(environ),
    )


def _max_body_bytes(environ: Mapping[str, str]) -> int | None:
    """The larger of the two limits, so that neither variable refuses what the other was set to allow; 0 is no limit."""
    limits = []
    for name, unit_bytes in ((contract.MAX_CONTENT_LENGTH, 1), (contract.MAX_PAYLOAD_IN_MB, _MIB)):
        if settings.text(environ, name) is not None:
            limits.append(settings.integer(environ, name, 0) * unit_bytes)
    return max(limits) if limits and 0 not in limits else None


def _model_workers(environ: Mapping[str, str]) -> int:
    """How many workers a model gets: the variable of multi-model endpoints, else that of all, else one."""
    for name in (contract.NUM_MODEL_WORKERS, contract.MODEL_SERVER_WORKERS):
        if settings.text(environ, name) is not None:
            return settings.integer(environ, name, contract.DEFAULT_MODEL_WORKERS, 1)
    return contract.DEFAULT_MODEL_WORKERS


def _max_model_body_bytes(environ: Mapping[str, str]) -> int:
    if settings.text(environ, contract.MAX_REQUEST_SIZE) is not None:
        return settings.integer(environ, contract.MAX_REQUEST_SIZE, 0, 1)
    if settings.text(environ, contract.MAX_CONTENT_LENGTH) is not None:
        wanted = settings.integer(environ, contract.MAX_CONTENT_LENGTH, 0)
        return min(wanted, contract.MOST_MODEL_BODY_BYTES) or contract.MOST_MODEL_BODY_BYTES
    return contract.DEFAULT_MODEL_BODY_BYTES
