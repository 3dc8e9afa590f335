"""Fetching one object from S3."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Mapping
from urllib.parse import urlparse

from sagemaker_sklearn_container import contract, settings
from sagemaker_sklearn_container.errors import CodeSourceError


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
    parts = urlparse(uri)
    bucket, key = parts.netloc, parts.path.lstrip("/")
    if not bucket or not key:
        raise CodeSourceError(
            f"The user code's address is {uri!r}; it must have the form s3://bucket/path/sourcedir.tar.gz."
        )
    # Imported here: only jobs whose code lies in S3 pay for it (a third of a second).
    import boto3

    try:
        client = boto3.client("s3", region_name=s3.region, endpoint_url=s3.endpoint_url)
        client.download_file(bucket, key, str(target))
    except Exception as exc:  # botocore raises a dozen unrelated kinds
        raise CodeSourceError(
            f"Downloading the user code {uri} (region {s3.region or 'not set'}, endpoint {s3.endpoint_url or 'of AWS'}"
            f") failed: {type(exc).__name__}: {exc}. Check that the object exists and that the job's role may read it."
        ) from exc
