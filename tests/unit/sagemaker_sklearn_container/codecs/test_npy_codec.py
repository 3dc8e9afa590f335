"""application/x-npy."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_sklearn_container.codecs import npy_codec
from sagemaker_sklearn_container.errors import DecodeError, EncodeError


def _saved(array: Any, allow_pickle: bool = False) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=allow_pickle)
    return out.getvalue()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool", "U3"])
@pytest.mark.parametrize("shape", [(), (2,), (2, 3), (0, 3)])
def test_shape_and_dtype_survive(shape: tuple[int, ...], dtype: str) -> None:
    """C-05, C-06."""
    array = np.ones(shape).astype(dtype)
    decoded = npy_codec.decode(npy_codec.encode(array))
    assert (decoded.dtype, decoded.shape, decoded.tolist()) == (array.dtype, array.shape, array.tolist())
    assert decoded.flags.writeable


def test_objects_are_not_unpickled() -> None:
    """C-08, S-43."""
    with pytest.raises(DecodeError, match="holds pickled objects"):
        npy_codec.decode(_saved(np.array([print], dtype=object), allow_pickle=True))


def test_a_header_that_promises_too_much_is_refused_before_allocation() -> None:
    """C-07."""
    out = io.BytesIO()
    header: Any = {"descr": "<f8", "fortran_order": False, "shape": (999999999999,)}
    np.lib.format.write_array_header_1_0(out, header)  # type: ignore[no-untyped-call]
    body = out.getvalue() + bytes(8)
    with pytest.raises(DecodeError, match=r"promises 7999999999992 bytes .* but 8 follow"):
        npy_codec.decode(body)


@given(st.binary(max_size=200), st.integers(0, 127))
def test_damaged_bodies_are_client_errors(noise: bytes, keep: int) -> None:
    """S-42: whatever the bytes, the error is a DecodeError."""
    for body in (noise, _saved(np.zeros(3))[:keep] + noise):
        with pytest.raises(DecodeError):
            npy_codec.decode(body)


def test_text_in_object_arrays_gets_a_fixed_width() -> None:
    """C-23: and so do numbers."""
    assert npy_codec.decode(npy_codec.encode(np.array(["a", "bcd"], dtype=object))).dtype == np.dtype("U3")
    assert npy_codec.decode(npy_codec.encode(np.array([[1, 2.5]], dtype=object))).tolist() == [[1.0, 2.5]]


@pytest.mark.parametrize("prediction", [np.array(["a", 1], dtype=object), [[1, 2], [3]], [{}], [2**70]])
def test_other_objects_are_a_server_error(prediction: Any) -> None:
    """C-23."""
    with pytest.raises(EncodeError, match="has no fixed-width dtype"):
        npy_codec.encode(np.array(prediction, dtype=object))
