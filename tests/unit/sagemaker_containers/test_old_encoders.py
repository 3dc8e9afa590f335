"""Encoders and decoders; the expected values are those of the retired package, where no other reason is given."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from sagemaker_containers.beta.framework import content_types, encoders, errors, transformer
from sagemaker_sklearn_container.errors import DecodeError, EncodeError

_OBJECTS = io.BytesIO()
np.save(_OBJECTS, np.array([{}], dtype=object))


def test_content_types() -> None:
    """U-42."""
    names = ("JSON", "CSV", "NPY", "ANY", "OCTET_STREAM", "UTF8_TYPES")
    assert [getattr(content_types, name) for name in names] == [
        "application/json",
        "text/csv",
        "application/x-npy",
        "*/*",
        "application/octet-stream",
        ["application/json", "text/csv"],
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.ones((2, 2)), "1.0,1.0\n1.0,1.0\n"),
        (np.array([1, 2]), "1\n2\n"),
        ([1, 2, 3], "1\n2\n3\n"),
        ([[1, "a,b"], ['q"', 2]], '1,"a,b"\n"q""",2\n'),
        (np.array([0.1, 1 / 3], dtype="float32"), "0.1\n0.33333334\n"),
        (np.array([True, False]), "True\nFalse\n"),
        (np.array([None, 1.5], dtype=object), '""\n1.5\n'),
        (np.array([np.nan, np.inf]), "nan\ninf\n"),
        (np.array(["x", "y"]), "x\ny\n"),
        ([], ""),
        (5, "5\n"),  # the retired package fails
    ],
)
def test_array_to_csv(value: Any, text: str) -> None:
    """U-42, C-22."""
    assert encoders.array_to_csv(value) == text
    assert encoders.encode(value, "text/csv") == text


def test_array_to_csv_refuses_three_axes() -> None:
    """C-22: the retired package writes the inner axes as NumPy prints them."""
    with pytest.raises(EncodeError, match=r"\(1, 2, 2\)"):
        encoders.array_to_csv(np.ones((1, 2, 2)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.ones((2, 2)), "[[1.0, 1.0], [1.0, 1.0]]"),
        (np.array([0.1, 1 / 3], dtype="float32"), "[0.10000000149011612, 0.3333333432674408]"),
        (np.array([True, False]), "[true, false]"),
        (np.array([None, 1.5], dtype=object), "[null, 1.5]"),
        ({"a": np.array([1]), "b": "\u00e4"}, '{"a": [1], "b": "\\u00e4"}'),
        (5, "5"),
        (np.array([np.nan, np.inf, 1]), "[null, null, 1.0]"),  # C-21: NaN and Infinity are no JSON
    ],
)
def test_array_to_json(value: Any, text: str) -> None:
    """U-42, C-20, C-21."""
    assert encoders.array_to_json(value) == text
    assert encoders.encode(value, "application/json") == text


@pytest.mark.parametrize("value", [np.ones((2, 3), "float32"), np.array(1), [[1, 2]], np.array(["x"]), []])
def test_npy_both_ways(value: Any) -> None:
    """U-42, C-05: the bytes are numpy.save's."""
    saved = io.BytesIO()
    np.save(saved, value)
    assert encoders.array_to_npy(value) == encoders.encode(value, "application/x-npy") == saved.getvalue()
    read = encoders.npy_to_numpy(saved.getvalue())
    assert (read.dtype, read.shape) == (np.asarray(value).dtype, np.shape(value))
    assert np.array_equal(read, encoders.decode(saved.getvalue(), "application/x-npy"))


def test_npy_never_holds_pickles() -> None:
    """C-08, C-23: the retired package writes and executes them."""
    with pytest.raises(DecodeError, match="pickled objects"):
        encoders.decode(_OBJECTS.getvalue(), "application/x-npy")
    assert encoders.npy_to_numpy(encoders.array_to_npy(np.array(["a", "bc"], dtype=object))).dtype == np.dtype("<U2")


@pytest.mark.parametrize(
    ("text", "dtype", "value", "result_dtype"),
    [
        ("[[1,2],[3,4]]", None, [[1, 2], [3, 4]], "int64"),
        ("[1.5]", None, [1.5], "float64"),
        ("[1.5]", "float32", [1.5], "float32"),
        (b"7", None, 7, "int64"),
        ('["a","bc"]', None, ["a", "bc"], "<U2"),
        ('{"a": 1}', None, {"a": 1}, "object"),
    ],
)
def test_json_to_numpy(text: str | bytes, dtype: Any, value: Any, result_dtype: str) -> None:
    """U-42."""
    array = encoders.json_to_numpy(text, dtype)
    assert (array.tolist(), array.dtype) == (value, np.dtype(result_dtype))
    if dtype is None:
        assert encoders.decode(text, "application/json").tolist() == value


def test_json_to_numpy_refuses_what_is_no_json() -> None:
    """U-42."""
    with pytest.raises(ValueError, match="Expecting value"):
        encoders.json_to_numpy("nope")


@pytest.mark.parametrize(
    ("text", "dtype", "value", "result_dtype"),
    [
        ("1,2\n3,4", None, [[1.0, 2.0], [3.0, 4.0]], "float64"),
        ("1,2\r\n3,4\r\n", "float32", [[1.0, 2.0], [3.0, 4.0]], "float32"),
        ("1,2", None, [1.0, 2.0], "float64"),
        ("1\n2\n3", None, [1.0, 2.0, 3.0], "float64"),
        ("7", None, 7.0, "float64"),
        ("", None, [], "float64"),
        ("a,b\n1,2", None, [["a", "b"], ["1", "2"]], "<U1"),
        ('"x, y",2\n', None, ["x, y", "2"], "<U4"),
        ("1,\n", None, ["1", ""], "<U1"),
        ("1,2\n3\n", None, [["1", "2"], ["3"]], "object"),
        ("1,2\n\n3,4", None, [["1", "2"], [], ["3", "4"]], "object"),
    ],
)
def test_csv_to_numpy(text: str, dtype: Any, value: Any, result_dtype: str) -> None:
    """U-42: axes of one entry are dropped, text stays text."""
    array = encoders.csv_to_numpy(text, dtype)
    assert (array.tolist(), array.dtype) == (value, np.dtype(result_dtype))
    if dtype is None:
        assert encoders.decode(text, "text/csv").tolist() == value


@pytest.mark.parametrize(
    ("text", "dtype", "message"),
    [
        (
            "a,1",
            "float32",
            "Error while writing numpy array: could not convert string to float: 'a'. dtype is: float32",
        ),
        ("1,2\n3", "float32", "Error while writing numpy array: setting an array element with a sequence"),
        ("1", "nope", "Error while writing numpy array: data type 'nope' not understood"),
        ('"a', None, "Error while decoding csv: unexpected end of data"),
        (b"1,2", None, "Error while decoding csv: initial_value must be str or None, not bytes"),
    ],
)
def test_csv_to_numpy_refuses(text: Any, dtype: Any, message: str) -> None:
    """U-42."""
    with pytest.raises(errors.ClientError) as raised:
        encoders.csv_to_numpy(text, dtype)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("content_type", ["text/plain", "application/JSON", "text/csv; charset=utf-8", ""])
def test_other_content_types_are_unsupported(content_type: str) -> None:
    """U-42, S-40, S-41: names are compared as they are; which of the two it was decides the status."""
    with pytest.raises(errors.UnsupportedFormatError, match="is not supported by this framework") as caught:
        encoders.encode([1], content_type)
    assert caught.value.status == 406
    with pytest.raises(errors.UnsupportedFormatError, match="is not supported by this framework") as caught:
        encoders.decode("1", content_type)
    assert caught.value.status == 415
    assert errors.UnsupportedFormatError(content_type).status == 415


def test_the_transformers_default_functions() -> None:
    """U-40."""
    assert transformer.default_input_fn("[1]", "application/json").tolist() == [1]
    response = transformer.default_output_fn(np.array([1, 2]), "text/csv")
    assert (response.data, response.content_type) == (b"1\n2\n", "text/csv; charset=utf-8")
