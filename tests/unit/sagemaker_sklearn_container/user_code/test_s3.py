"""How S3 is reached; fetching itself is in the cases of the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_sklearn_container.errors import CodeSourceError
from sagemaker_sklearn_container.user_code.s3 import S3Settings, download


@pytest.mark.parametrize("uri", ["s3://bucket", "s3:///key"])
def test_an_address_without_object_is_refused(tmp_path: Path, uri: str) -> None:
    """T-42."""
    with pytest.raises(CodeSourceError, match="must have the form s3://"):
        download(uri, tmp_path / "x", S3Settings())


def test_an_endpoint_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """T-42, T-45."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(CodeSourceError, match="region eu-west-1, endpoint http://127.0.0.1:9.*EndpointConnectionError"):
        download("s3://bucket/key", tmp_path / "x", S3Settings("eu-west-1", "http://127.0.0.1:9"))


def test_region_and_endpoint_come_from_the_environment_in_this_order() -> None:
    """T-45."""
    both = {"AWS_REGION": "a", "SAGEMAKER_REGION": "b", "S3_ENDPOINT_URL": "c", "AWS_ENDPOINT_URL_S3": "d"}
    assert S3Settings.from_environ(both) == S3Settings("a", "c")
    assert S3Settings.from_environ({"SAGEMAKER_REGION": "b", "AWS_ENDPOINT_URL_S3": "d"}) == S3Settings("b", "d")
    assert S3Settings.from_environ({}, region="e") == S3Settings("e", None)
