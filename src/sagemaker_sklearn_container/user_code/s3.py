"""Fetching one object from S3."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Mapping

from sagemaker_sklearn_container import contract, settings
from sagemaker_sklearn_container.errors import CodeSourceError, ContainerError
from sagemaker_sklearn_container.user_code import children

_CONNECT_TIMEOUT_S = 10


@dataclass(frozen=True)
class S3Settings:
    """How to reach S3; None leaves the choice to the AWS client (T-45)."""

    region: str | None = None
    endpoint_url: str | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], region: str | None = None) -> S3Settings:
        """The settings the environment asks for; `region` is used when it names none.

        Source: contract T-45.
        """
        return cls(
            region=settings.text(environ, contract.AWS_REGION, contract.REGION) or region,
            endpoint_url=settings.text(environ, *contract.S3_ENDPOINT_URLS),
        )


def download(uri: str, target: Path, s3: S3Settings) -> None:
    """Write the object `uri` names to the file `target`.

    Raises:
        CodeSourceError: the URI names no object, or it cannot be read.

    Source: contract T-42, T-45.
    """
    bucket, _, key = uri.partition("://")[2].partition("/")
    key = key.lstrip("/")
    if not bucket or not key:
        raise CodeSourceError(
            f"The user code's address is {uri!r}; it must have the form s3://bucket/path/sourcedir.tar.gz."
        )
    try:
        children.call(lambda: _download(bucket, key, target, s3))
    except ContainerError as exc:
        raise CodeSourceError(
            f"Downloading the user code {uri} (region {s3.region or 'not set'}, endpoint {s3.endpoint_url or 'of AWS'}"
            f") failed: {exc}. Check that the object exists and that the job's role may read it."
        ) from exc


def _download(bucket: str, key: str, target: Path, s3: S3Settings) -> None:
    # Imported here: only jobs whose code lies in S3 pay for it (a third of a second).
    import boto3
    from botocore.config import Config  # pants: no-infer-dep (it comes with boto3)

    client = boto3.client(
        "s3",
        region_name=s3.region,
        endpoint_url=s3.endpoint_url,
        # The client's own limit of 60 s per attempt keeps a job without a route to S3 waiting for five minutes.
        config=Config(connect_timeout=_CONNECT_TIMEOUT_S, retries={"mode": "standard", "total_max_attempts": 5}),
    )
    client.download_file(bucket, key, str(target))
