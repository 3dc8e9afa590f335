"""What the environment says about serving."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_sklearn_container.contract import Paths
from sagemaker_sklearn_container.errors import ConfigurationError
from sagemaker_sklearn_container.serving.config import ServingConfig, read
from sagemaker_sklearn_container.user_code.s3 import S3Settings


def test_the_defaults() -> None:
    """S-01, S-02, S-10, S-11, S-26, S-29, K-07: empty values are as good as unset."""
    empty = dict.fromkeys(("SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY", "SAGEMAKER_MULTI_MODEL"), "")
    assert read(empty, cpus=3) == ServingConfig(
        paths=Paths(Path("/opt/ml")),
        multi_model=False,
        batch=False,
        sdk_local_batch=False,
        port=8080,
        workers=3,
        timeout_s=60,
        program=None,
        source=None,
        default_accept="application/json",
        max_body_bytes=None,
        log_level=20,
        s3=S3Settings(None, None),
        model_workers=1,
        job_queue_size=100,
        max_model_body_bytes=6_291_456,
    )


@pytest.mark.parametrize(
    ("environ", "limit"),
    [
        ({"MAX_CONTENT_LENGTH": "20000000"}, 20_000_000),
        ({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "6"}, 6_291_456),
        ({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "6", "MAX_CONTENT_LENGTH": "100"}, 6_291_456),
        ({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "0", "MAX_CONTENT_LENGTH": "100"}, None),
    ],
)
def test_the_body_limit(environ: dict[str, str], limit: int | None) -> None:
    """S-29, S-47, B-06."""
    assert read(environ, cpus=1).max_body_bytes == limit


@pytest.mark.parametrize(
    ("environ", "batch", "timeout_s"),
    [
        ({"SAGEMAKER_BATCH": "true"}, True, 3600),
        ({"SAGEMAKER_BATCH": "True", "SAGEMAKER_MODEL_SERVER_TIMEOUT": "7"}, True, 7),
        ({"SAGEMAKER_BATCH": "false"}, False, 60),
    ],
)
def test_batch_jobs_have_more_time(environ: dict[str, str], batch: bool, timeout_s: int) -> None:
    """B-01, B-08."""
    config = read(environ, cpus=1)
    assert (config.batch, config.timeout_s) == (batch, timeout_s)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAGEMAKER_BIND_TO_PORT", "0"),
        ("SAGEMAKER_BIND_TO_PORT", "65536"),
        ("SAGEMAKER_MODEL_SERVER_WORKERS", "0"),
        ("SAGEMAKER_MODEL_SERVER_TIMEOUT", "1h"),
        ("SAGEMAKER_CONTAINER_LOG_LEVEL", "debug"),
        ("MAX_CONTENT_LENGTH", "-1"),
        ("SAGEMAKER_NUM_MODEL_WORKERS", "0"),
        ("SAGEMAKER_MODEL_JOB_QUEUE_SIZE", "0"),
        ("SAGEMAKER_MAX_REQUEST_SIZE", "6MB"),
    ],
)
def test_wrong_values_name_the_variable(name: str, value: str) -> None:
    """S-01, S-10, S-11, S-15, S-29, M-36."""
    with pytest.raises(ConfigurationError, match=f"The environment variable {name} is '{value}'; it must be a whole"):
        read({name: value}, cpus=1)


@pytest.mark.parametrize(
    ("environ", "workers", "waiting", "limit"),
    [
        ({"SAGEMAKER_NUM_MODEL_WORKERS": "2", "SAGEMAKER_MODEL_SERVER_WORKERS": "3"}, 2, 100, 6_291_456),
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "3"}, 3, 100, 6_291_456),
        ({"SAGEMAKER_MODEL_JOB_QUEUE_SIZE": "7"}, 1, 7, 6_291_456),
        ({"SAGEMAKER_MAX_REQUEST_SIZE": "30000000", "MAX_CONTENT_LENGTH": "5"}, 1, 100, 30_000_000),
        ({"MAX_CONTENT_LENGTH": "20000000"}, 1, 100, 20_000_000),
        ({"MAX_CONTENT_LENGTH": "30000000"}, 1, 100, 20_971_520),
        ({"MAX_CONTENT_LENGTH": "0"}, 1, 100, 20_971_520),
        ({"SAGEMAKER_MAX_HEAP_SIZE": "10g", "SAGEMAKER_MAX_DIRECT_MEMORY_SIZE": "10g"}, 1, 100, 6_291_456),
    ],
)
def test_the_knobs_of_many_models(environ: dict[str, str], workers: int, waiting: int, limit: int) -> None:
    """M-36: those of the Java server's memory are not read."""
    config = read(environ, cpus=8)
    assert (config.model_workers, config.job_queue_size, config.max_model_body_bytes) == (workers, waiting, limit)
