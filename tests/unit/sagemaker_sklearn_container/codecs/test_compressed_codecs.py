"""application/x-npz and application/x-parquet."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import sparse

from sagemaker_sklearn_container.codecs import bounds, npz_codec, parquet_codec
from sagemaker_sklearn_container.errors import DecodeError

DENSE = np.array([[0, 1.5, 0], [2, 0, 0]], dtype=np.float32)


@pytest.mark.parametrize("format_", ["csr", "csc", "bsr", "coo", "dia"])
@pytest.mark.parametrize("compressed", [True, False])
def test_sparse_matrices_are_read_as_sent(format_: str, compressed: bool) -> None:
    """C-09: what scipy.sparse.load_npz makes of the same bytes."""
    out = io.BytesIO()
    sparse.save_npz(out, sparse.csr_matrix(DENSE).asformat(format_), compressed=compressed)
    found = npz_codec.decode(out.getvalue())
    expected = sparse.load_npz(io.BytesIO(out.getvalue()))
    assert (found.format, found.dtype, found.shape) == (expected.format, expected.dtype, expected.shape)
    np.testing.assert_array_equal(found.toarray(), DENSE)


def test_other_archives_are_refused() -> None:
    """C-09, S-42."""
    out = io.BytesIO()
    np.savez(out, DENSE)
    with pytest.raises(DecodeError, match="application/x-npz body: .*format.npy"):
        npz_codec.decode(out.getvalue())


def test_what_a_body_may_hold_follows_its_length() -> None:
    """C-07."""
    assert bounds.most_inflated(1) == 64 * 2**20
    assert bounds.most_inflated(100 * 2**20) == 2000 * 2**20
    bounds.check_inflated(64 * 2**20, 1, "a/b")
    with pytest.raises(DecodeError, match="1 bytes that hold 67108865; at most 67108864 are taken"):
        bounds.check_inflated(64 * 2**20 + 1, 1, "a/b")


def _parquet(columns: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, row_group_size=7000)
    return out.getvalue()


def test_columns_of_numbers_become_a_table() -> None:
    """C-09: nulls are NaN, all is float32, and several row groups are one table."""
    body = _parquet({"b": pa.array([1.5, None]), "a": pa.array([None, 7], pa.int64()), "c": pa.array([True, None])})
    found = parquet_codec.decode(body)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [[1.5, math.nan, 1], [math.nan, 7, math.nan]])
    many = np.arange(20_000)
    np.testing.assert_array_equal(parquet_codec.decode(_parquet({"a": many})), many.reshape(-1, 1))


@pytest.mark.parametrize("values", [pa.array(["x"]), pa.array([[1.0]]), pa.array([0], pa.timestamp("s"))])
def test_other_columns_are_named(values: Any) -> None:
    """C-09, S-42."""
    with pytest.raises(DecodeError, match="column 'a' is of type .*; every column must be of numbers") as caught:
        parquet_codec.decode(_parquet({"a": values}))
    assert caught.value.status == 400
