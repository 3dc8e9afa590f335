"""application/jsonlines."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from sagemaker_sklearn_container.codecs import jsonlines_codec
from sagemaker_sklearn_container.errors import DecodeError


@pytest.mark.parametrize(
    ("body", "table"),
    [
        ("[1, 2]\n[3, 4]\n", [[1, 2], [3, 4]]),
        (b"[1, 2]\r\n\r\n[3, 4]", [[1, 2], [3, 4]]),
        ("1\n2\n3", [[1], [2], [3]]),
        ('["1", true]\n[2, 3]', [[1, 1], [2, 3]]),
        ("[1,2]\n" * 400, [[1, 2]] * 400),
        ('{"instances": [1, 2]}', [[1, 2]]),
    ],
)
def test_each_line_is_a_row(body: str | bytes, table: list[list[float]]) -> None:
    """C-09, B-05."""
    array = jsonlines_codec.decode(body)
    assert array.dtype == np.float32
    assert array.tolist() == table


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[1, 2]\n[3]", "line 2: it holds an array of shape (1,), but the first line one of shape (2,)"),
        ("[1, 2]\n\n[3, x]", "line 3: it is no valid JSON"),
        ("[1],[2]\n[3]", "line 1: it is no valid JSON"),
        ("[1,2],[3\n4]\n[5,6]", "line 1: it is no valid JSON"),
        ("[1\n,2]", "line 1: it is no valid JSON"),
        ("[[1]]\n[[2]]", "line 1: it holds an array of shape (1, 1)"),
        ("", "it has no lines"),
    ],
)
def test_errors_name_the_line(body: str, message: str) -> None:
    """C-09, S-42."""
    with pytest.raises(DecodeError) as caught:
        jsonlines_codec.decode(body)
    assert message in str(caught.value)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("prediction", "body"),
    [
        (np.array([1.5, math.nan]), b"1.5\nnull\n"),
        (np.array([[1, 2], [3, 4]]), b"[1, 2]\n[3, 4]\n"),
        (np.array([[0.5, math.inf]]), b"[0.5, null]\n"),
        (np.array(["a", "b"]), b'"a"\n"b"\n'),
        (np.float64(2), b"2.0\n"),
        (np.array(2), b"2\n"),
        ([{"label": 1}, np.array([1])], b'{"label": 1}\n[1]\n'),
        ({"a": 1}, b'{"a": 1}\n'),
        (sparse.csr_matrix([[0, 1]]), b"[0, 1]\n"),
        (np.empty((0, 2)), b""),
    ],
)
def test_each_row_is_a_line(prediction: Any, body: bytes) -> None:
    """C-09, C-21, B-05."""
    assert jsonlines_codec.encode(prediction) == body
