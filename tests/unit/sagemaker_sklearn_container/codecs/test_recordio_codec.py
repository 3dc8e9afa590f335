"""application/x-recordio-protobuf."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from sagemaker_sklearn_container.codecs import recordio_codec
from sagemaker_sklearn_container.errors import DecodeError, EncodeError


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize("labels", [None, np.array([1.0, -2.0, 300.0])])
def test_dense_rows_survive(dtype: str, labels: Any) -> None:
    """C-09, C-25: labels are skipped."""
    table = np.array([[1, -2], [300, 4], [-70000, 0]], dtype=dtype)
    found = recordio_codec.decode(recordio_codec.encode_labelled(table, labels))
    assert found.dtype == table.dtype
    np.testing.assert_array_equal(found, table)
    assert found.flags.writeable


def test_sparse_rows_survive() -> None:
    """C-09, C-25: an empty row among them."""
    matrix = sparse.csr_matrix(np.array([[0, 1.5, 0], [0, 0, 0], [2, 0, 3]], dtype=np.float32))
    found = recordio_codec.decode(recordio_codec.encode_labelled(matrix))
    assert (found.format, found.dtype, found.shape) == ("csr", matrix.dtype, matrix.shape)
    np.testing.assert_array_equal(found.toarray(), matrix.toarray())


def test_unused_room_of_a_sparse_matrix_is_not_written() -> None:
    """C-25: scipy leaves some at the end of a matrix whose zeros were taken away."""
    matrix = sparse.csr_matrix(np.array([[0, 1.5], [2, 0]]))
    expected = recordio_codec.encode_labelled(matrix)
    matrix.data = np.append(matrix.data, 7.0)
    matrix.indices = np.append(matrix.indices, matrix.indices[:1])
    assert recordio_codec.encode_labelled(matrix) == expected


def test_a_payload_that_looks_like_a_frame_is_read() -> None:
    """C-25: the magic number among the values."""
    table = np.array([[1, 2], [3, 4]], np.uint32)
    table[0, 1] = 0xCED7230A
    rows = sparse.csr_matrix(table.view(np.float32))
    found = recordio_codec.decode(recordio_codec.encode_labelled(rows))
    np.testing.assert_array_equal(found.toarray().view(np.uint32), table)


@given(
    st.lists(st.lists(st.floats(width=32, allow_nan=False), min_size=3, max_size=3), min_size=1, max_size=9),
    st.booleans(),
)
def test_both_ways_of_reading_agree(rows: list[list[float]], labelled: bool) -> None:
    """C-25: records that differ in their values only are read at once, others one by one."""
    table = np.array(rows, dtype=np.float32)
    labels = np.arange(len(rows)) if labelled else None
    np.testing.assert_array_equal(recordio_codec.decode(recordio_codec.encode_labelled(table, labels)), table)


def test_values_that_are_not_packed_are_read() -> None:
    """C-25: protobuf allows both forms."""
    tensor = b"".join(b"\x0d" + struct.pack("<f", value) for value in (1.5, -2))
    value = b"\x12" + bytes([len(tensor)]) + tensor
    entry = b"\x0a\x06values\x12" + bytes([len(value)]) + value
    message = b"\x0a" + bytes([len(entry)]) + entry
    frame = struct.pack("<II", 0xCED7230A, len(message)) + message + bytes(-len(message) % 4)
    assert recordio_codec.decode(frame).tolist() == [[1.5, -2]]


ROW = recordio_codec.encode_labelled(np.array([1.0, 2.0]))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "it has no records"),
        (b"12345678", "record 1: its frame begins with 0x34333231 instead of 0xced7230a"),
        (ROW + ROW[:20], "record 2: its frame promises"),
        (ROW + b"123", "record 2: 3 bytes are no frame"),
        (ROW + recordio_codec.encode_labelled(np.array([1.0])), "record 2: its dtype, kind or number of columns"),
        (struct.pack("<II", 0xCED7230A, 0), "record 1: it has no features named 'values'"),
    ],
)
def test_errors_name_the_record(body: bytes, message: str) -> None:
    """C-09, S-42."""
    with pytest.raises(DecodeError) as caught:
        recordio_codec.decode(body)
    assert message in str(caught.value)
    assert caught.value.status == 400


def test_predictions_become_records() -> None:
    """C-09: one per number of a 1-D array."""
    assert recordio_codec.decode(recordio_codec.encode(np.array([1.5, 2.5]))).tolist() == [[1.5], [2.5]]
    assert recordio_codec.decode(recordio_codec.encode([[True, False]])).tolist() == [[1, 0]]


@pytest.mark.parametrize("prediction", [np.array(["a"]), np.ones((1, 1, 1))])
def test_other_predictions_are_a_servers_error(prediction: Any) -> None:
    """S-44."""
    with pytest.raises(EncodeError) as caught:
        recordio_codec.encode(prediction)
    assert caught.value.status == 500
