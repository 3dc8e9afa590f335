"""The registry of codecs."""

from __future__ import annotations

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
        "The content type 'a/b' cannot be read; send one of: application/json, text/csv, application/x-npy, or define "
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
