"""The registry of codecs."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from sagemaker_sklearn_container import codecs
from sagemaker_sklearn_container.errors import UnsupportedAcceptError, UnsupportedContentTypeError


def test_bodies_are_read_by_media_type() -> None:
    """S-24."""
    assert codecs.decode("1,2", "Text/CSV; charset=utf-8").tolist() == [[1, 2]]
    assert codecs.decode("[1,2]", "application/json").tolist() == [1, 2]


def test_unknown_content_types_are_415() -> None:
    """S-40."""
    with pytest.raises(UnsupportedContentTypeError) as caught:
        codecs.decode("", "a/b")
    assert caught.value.status == 415
    assert str(caught.value) == (
        "The content type 'a/b' cannot be read; send one of: application/json, text/csv, application/x-npy, "
        "application/jsonlines, application/x-recordio-protobuf, application/x-npz, application/x-parquet, or define "
        "input_fn."
    )


def test_answers_are_written_as_the_client_accepts() -> None:
    """S-27, D-3: the answer's type carries no parameters."""
    assert codecs.encode(np.array([1.0]), "text/csv; charset=utf-8") == (b"1.0\n", "text/csv")


def test_types_that_cannot_be_written_are_406() -> None:
    """S-41."""
    with pytest.raises(UnsupportedAcceptError, match="Accept is 'a/b'; this server writes: application/json") as caught:
        codecs.encode([1], "a/b")
    assert caught.value.status == 406


@pytest.mark.parametrize("accept", ["application/x-npz", "application/x-parquet"])
def test_types_for_requests_only_are_406(accept: str) -> None:
    """C-09, S-41."""
    with pytest.raises(UnsupportedAcceptError) as caught:
        codecs.encode([1], accept)
    assert caught.value.status == 406
    assert codecs.encode([1], accept + ", application/jsonlines;q=0.1") == (b"1\n", "application/jsonlines")


def test_what_users_seldom_send_is_imported_when_it_comes() -> None:
    """C-26: neither Arrow nor SciPy is loaded by a server's start."""
    program = "import sys, sagemaker_sklearn_container.codecs; print({'pyarrow', 'scipy', 'pandas'} & set(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, check=True, text=True
    )
    assert done.stdout.strip() == "set()"
