"""Reading, writing and fetching files.

Source: contract U-40.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

from sagemaker_sklearn_container import settings
from sagemaker_sklearn_container.user_code import s3, source


def read_file(path: str, mode: str = "r") -> Any:
    """The content of the file `path`: text, or bytes in a binary mode."""
    with open(path, mode) as file:
        return file.read()


def write_file(path: str, data: Any, mode: str = "w") -> None:
    """Write `data`, text or in a binary mode bytes, to the file `path`."""
    with open(path, mode) as file:
        file.write(data)


def read_json(path: str) -> Any:
    """The value in the JSON file `path`."""
    return json.loads(read_file(path))


def write_success_file() -> None:
    """Mark the training as successful.

    Source: contract T-07.
    """
    write_file(str(settings.paths(os.environ).success), "")


def write_failure_file(failure_msg: str) -> None:
    """Tell the platform why training failed; the container leaves the file as it is then.

    Source: contract T-04, T-06.
    """
    write_file(str(settings.paths(os.environ).failure), failure_msg)


@contextmanager
def tmpdir(suffix: str = "", prefix: str = "tmp", directory: str | None = None) -> Iterator[str]:
    """A temporary directory for a `with` statement; it and its content are removed at the end."""
    path = tempfile.mkdtemp(suffix=suffix, prefix=prefix, dir=directory)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def download_and_extract(uri: str, path: str) -> None:
    """Fill the directory `path` with the code at `uri`, unless it has content already.

    Args:
        uri: s3:// address of a tar file, or local directory, tar file or single file.
        path: Directory, created on demand.

    Raises:
        CodeSourceError: there is nothing at `uri`, it cannot be read, or is no safe archive.

    Source: contract T-42, T-43, T-44.
    """
    source.fetch(uri, Path(path), s3.S3Settings.from_environ(os.environ))


def s3_download(url: str, dst: str) -> None:
    """Write the object at the s3:// address `url` to the file `dst`.

    Raises:
        ValueError: the address does not start with s3://.
        CodeSourceError: the object cannot be read.

    Source: contract T-45.
    """
    if not url.startswith("s3://"):
        raise ValueError(f"Downloading {url!r}: the address must have the form s3://bucket/key.")
    s3.download(url, Path(dst), s3.S3Settings.from_environ(os.environ))
