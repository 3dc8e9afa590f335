"""text/csv."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_sklearn_container.codecs import csv_codec
from sagemaker_sklearn_container.errors import DecodeError, EncodeError


@pytest.mark.parametrize(
    ("body", "table"),
    [
        ("1,2", [[1, 2]]),
        ("1\n2\n3", [[1], [2], [3]]),
        ("7", [[7]]),
        ("1,2\r\n3,4\r\n", [[1, 2], [3, 4]]),
        ("1,2\r3,4", [[1, 2], [3, 4]]),
        ('"1","2"\n3,"4"', [[1, 2], [3, 4]]),
        ("\ufeff1,2\n\n  \n3,4\n\n", [[1, 2], [3, 4]]),
        (b" 1 ,2e3\n-.5,+4.", [[1, 2000], [-0.5, 4]]),
    ],
)
def test_one_line_is_one_row(body: str | bytes, table: list[list[float]]) -> None:
    """C-02, C-04."""
    array = csv_codec.decode(body)
    assert array.dtype == np.float32
    assert array.tolist() == table


@pytest.mark.parametrize("body", ["1,\n,4", '1,""\n"",4', "1, \n ,4", "1,nan\nNaN,4"])
def test_an_empty_cell_is_nan(body: str) -> None:
    """C-03."""
    np.testing.assert_array_equal(csv_codec.decode(body), [[1, math.nan], [math.nan, 4]])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("1,2\n3", "row 2 has 1 columns (column 2 is missing), but row 1 has 2"),
        ("1,2\n3,4,5", "row 2 has 3 columns (column 3 is too many), but row 1 has 2"),
        ('"1",2\n3', "row 2 has 1 columns (column 2 is missing), but row 1 has 2"),
        ("a,b\n1,2", "row 1, column 1 is 'a'; every cell must be a number or empty."),
        ("1,2\n3,x", "row 2, column 2 is 'x'"),
        ('1,2\n3,"4,5"', "row 2, column 2 is '4,5'"),
        ("1,1_0", "row 1, column 2 is '1_0'"),
        ("1\n" * 2000 + "x", "row 2001, column 1 is 'x'"),
        ('1,"2', "line 1"),
        ("1,2\0", "NUL"),
        ("", "it has no rows"),
        ("\n\r\n", "it has no rows"),
    ],
)
def test_errors_name_row_and_column(body: str, message: str) -> None:
    """C-03, S-42."""
    with pytest.raises(DecodeError) as caught:
        csv_codec.decode(body)
    assert message in str(caught.value)
    assert caught.value.status == 400


CELLS = st.one_of(
    st.floats(width=32).map(repr),
    st.floats().map(repr),
    st.integers().map(str),
    st.sampled_from(["", " ", "x", "1e", "0x1", "1 ", "+1", ".5", "Infinity", "\u0661", "\t", "1_0"]),
)


def _outcome(function: Any, text: str) -> Any:
    try:
        array = function(text)
    except DecodeError as exc:
        return str(exc)
    return array.shape, array.tobytes()


@given(st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=6), st.sampled_from(["\n", "\r\n", "\r"]))
def test_the_plain_and_the_careful_path_agree(rows: list[list[str]], line_end: str) -> None:
    """C-02, C-26: same array or same error, with blank lines, ragged rows and text among them."""
    text = line_end.join(",".join(row) for row in rows).replace("_", "")
    assert _outcome(csv_codec._decode_plain, text) == _outcome(csv_codec._decode_carefully, text)


@pytest.mark.parametrize(
    ("prediction", "body"),
    [
        (np.ones((2, 2)), b"1.0,1.0\n1.0,1.0\n"),
        ([1, 2], b"1\n2\n"),
        (np.float64(0.1), b"0.1\n"),
        (np.array([0.1, math.nan], dtype=np.float32), b"0.1\nnan\n"),
        (np.array([True, False]), b"True\nFalse\n"),
        (np.array(['a,"b', "\u00e4"]), '"a,""b"\n\u00e4\n'.encode()),
        (np.array([["a", 1]], dtype=object), b"a,1\n"),
    ],
)
def test_predictions_become_lines(prediction: Any, body: bytes) -> None:
    """C-22."""
    assert csv_codec.encode(prediction) == body


def test_more_than_two_dimensions_are_an_error() -> None:
    """C-22."""
    with pytest.raises(EncodeError, match=r"shape \(1, 1, 1\)"):
        csv_codec.encode(np.ones((1, 1, 1)))


@given(st.lists(st.floats(width=32), min_size=1, max_size=5))
def test_float32_survives_the_round_trip(values: list[float]) -> None:
    """C-02, C-22."""
    array = np.array([values], dtype=np.float32)
    np.testing.assert_array_equal(csv_codec.decode(csv_codec.encode(array)), array)
