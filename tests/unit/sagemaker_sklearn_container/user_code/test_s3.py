"""Fetching from S3, against a small server that speaks enough of its protocol."""

from __future__ import annotations

import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Iterator

import pytest

from sagemaker_sklearn_container.errors import CodeSourceError
from sagemaker_sklearn_container.user_code import source
from sagemaker_sklearn_container.user_code.s3 import S3Settings, download

# botocore 1.37 uses it on Python 3.8 to 3.11.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow")


def _archive() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        info = tarfile.TarInfo("train.py")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"1+1"))
    return out.getvalue()


class _Bucket(BaseHTTPRequestHandler):
    objects = {"/bucket/jobs/sourcedir.tar.gz": _archive()}

    def do_GET(self) -> None:  # noqa: N802 - the base class decides
        self._answer(with_body=True)

    def do_HEAD(self) -> None:  # noqa: N802
        self._answer(with_body=False)

    def _answer(self, with_body: bool) -> None:
        body = self.objects.get(self.path.partition("?")[0])
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.send_header("ETag", '"1"')
        self.end_headers()
        if with_body and body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture()
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Settings]:
    """Settings that lead to a bucket on this machine."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    server = HTTPServer(("127.0.0.1", 0), _Bucket)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield S3Settings.from_environ(
        {"AWS_REGION": "eu-west-1", "S3_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"}
    )
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_archive_in_s3_is_fetched_and_unpacked(tmp_path: Path, settings: S3Settings) -> None:
    """T-42, T-45, U-02."""
    source.fetch("s3://bucket/jobs/sourcedir.tar.gz", tmp_path / "code", settings)
    assert (tmp_path / "code/train.py").read_text() == "1+1"


def test_a_missing_object_is_named(tmp_path: Path, settings: S3Settings) -> None:
    """T-42."""
    with pytest.raises(CodeSourceError, match=r"Downloading the user code s3://bucket/none .* region eu-west-1|404"):
        download("s3://bucket/none", tmp_path / "x", settings)


@pytest.mark.parametrize("uri", ["s3://bucket", "s3:///key"])
def test_an_address_without_object_is_refused(tmp_path: Path, uri: str) -> None:
    """T-42."""
    with pytest.raises(CodeSourceError, match="must have the form s3://"):
        download(uri, tmp_path / "x", S3Settings())


def test_region_and_endpoint_come_from_the_environment_in_this_order() -> None:
    """T-45."""
    both = {"AWS_REGION": "a", "SAGEMAKER_REGION": "b", "S3_ENDPOINT_URL": "c", "AWS_ENDPOINT_URL_S3": "d"}
    assert S3Settings.from_environ(both) == S3Settings("a", "c")
    assert S3Settings.from_environ({"SAGEMAKER_REGION": "b", "AWS_ENDPOINT_URL_S3": "d"}) == S3Settings("b", "d")
    assert S3Settings.from_environ({}, region="e") == S3Settings("e", None)
