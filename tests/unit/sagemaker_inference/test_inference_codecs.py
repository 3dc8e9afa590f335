"""Decoders, encoders and the default handler of sagemaker_inference; values as that package has them, where no other
reason is given."""

from __future__ import annotations

import io
import pickle
from typing import Any, Callable

import numpy as np
import pytest
import scipy.sparse

from sagemaker_inference import content_types, decoder, encoder, errors
from sagemaker_inference.default_inference_handler import DefaultInferenceHandler
from sagemaker_sklearn_container.errors import DecodeError


class Bomb:
    """An object whose pickle fails the test when it is read."""

    def __reduce__(self) -> Any:
        return pytest.fail, ("the pickle was executed",)


def _npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def test_content_types() -> None:
    """U-44."""
    names = ("JSON", "CSV", "NPY", "NPZ", "ANY", "OCTET_STREAM", "UTF8_TYPES")
    assert [getattr(content_types, name) for name in names] == [
        "application/json",
        "text/csv",
        "application/x-npy",
        "application/x-npz",
        "*/*",
        "application/octet-stream",
        ["application/json", "text/csv"],
    ]


@pytest.mark.parametrize(
    ("body", "content_type", "value", "dtype"),
    [
        ("[[1, 2], [3, 4]]", "application/json", [[1, 2], [3, 4]], "int64"),
        ("[42.0, 6.0]", "application/json", [42, 6], "float64"),
        ("42, 6, 9", "text/csv", [42, 6, 9], "int64"),
        ("42.0\n6.0\n", "text/csv", [42, 6], "float64"),
        (b"1,2\n3,4", "text/csv", [[1, 2], [3, 4]], "int64"),
        ("7", "text/csv", 7, "int64"),
        ("a,b\nc,d", "text/csv", [["a", "b"], ["c", "d"]], "<U1"),
        ("1,2.5\n3,4", "text/csv", [[1, 2.5], [3, 4]], "float64"),  # the package gives records
        ("1,a\n2,b", "text/csv", [["1", "a"], ["2", "b"]], "<U1"),  # here, too
        (_npy(np.array([[1.5]])), "application/x-npy", [[1.5]], "float64"),
    ],
)
def test_decode(body: Any, content_type: str, value: Any, dtype: str) -> None:
    """U-44."""
    array = decoder.decode(body, content_type)
    assert (array.tolist(), array.dtype) == (value, np.dtype(dtype))


def test_an_empty_cell_is_nan() -> None:
    """U-44, C-03."""
    array = decoder.decode("1,\n3,4.5\n", "text/csv")
    assert array.shape == (2, 2)
    assert np.isnan(array[0, 1])


@pytest.mark.parametrize("make", [scipy.sparse.csr_matrix, scipy.sparse.coo_matrix, scipy.sparse.dia_matrix])
def test_npz_is_a_sparse_matrix(make: Any) -> None:
    """U-44."""
    stream = io.BytesIO()
    scipy.sparse.save_npz(stream, make([[0, 0, 3], [4, 0, 0]]))
    matrix = decoder.decode(stream.getvalue(), "application/x-npz")
    assert type(matrix) is make
    assert matrix.toarray().tolist() == [[0, 0, 3], [4, 0, 0]]


def _npz_with_a_pickle() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, format=np.array("csr"), shape=(1, 1), indices=[0], indptr=[0, 1], data=np.array([Bomb()]))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (_npy(np.array([Bomb()], dtype=object)), "application/x-npy"),
        (pickle.dumps(Bomb()), "application/x-npy"),
        (_npz_with_a_pickle(), "application/x-npz"),
        (pickle.dumps(Bomb()), "application/x-npz"),
        (_npy(np.array([Bomb()], dtype=object)), "application/x-npz"),
    ],
)
def test_nothing_is_unpickled(body: bytes, content_type: str) -> None:
    """C-08: the package reads pickles in NPY."""
    with pytest.raises(DecodeError) as caught:
        decoder.decode(body, content_type)
    assert caught.value.status == 400


@pytest.mark.parametrize("body", ["1,2\n3", "", " \n"])
def test_csv_without_equal_rows_is_refused(body: str) -> None:
    """S-42."""
    with pytest.raises(DecodeError, match="Reading the text/csv body"):
        decoder.decode(body, "text/csv")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", "[[1.0, 1.0], [1.0, 1.0]]"),
        ("text/csv", "1.0,1.0\n1.0,1.0\n"),
        ("application/x-npy", _npy(np.ones((2, 2)))),
    ],
)
def test_encode(content_type: str, body: str | bytes) -> None:
    """U-44, C-20, C-22, C-23."""
    assert encoder.encode(np.ones((2, 2)), content_type) == body
    assert content_type in encoder.SUPPORTED_CONTENT_TYPES
    assert DefaultInferenceHandler().default_output_fn(np.ones((2, 2)), f"a/b, {content_type}") == (body, content_type)


def test_other_types_are_unsupported() -> None:
    """U-44, S-40, S-41."""
    handler = DefaultInferenceHandler()
    calls: tuple[tuple[Callable[..., Any], int], ...] = (
        (decoder.decode, 415),
        (handler.default_input_fn, 415),
        (encoder.encode, 406),
        (handler.default_output_fn, 406),
    )
    for function, status in calls:
        with pytest.raises(errors.UnsupportedFormatError) as caught:
            function([1], "a/b, c/d")
        assert caught.value.status == status


def test_the_default_handler_has_no_model() -> None:
    """U-44."""
    handler = DefaultInferenceHandler()
    assert handler.default_input_fn("[1]", "application/json", None).tolist() == [1]
    with pytest.raises(NotImplementedError, match="Define model_fn"):
        handler.default_model_fn("dir")
    with pytest.raises(NotImplementedError, match="Define predict_fn"):
        handler.default_predict_fn([1], None)
