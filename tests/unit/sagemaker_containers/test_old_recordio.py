"""RecordIO-protobuf; all bytes are those that the retired package writes, where no other reason is given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from sagemaker_containers.beta.framework import encoders

_SPARSE = sparse.csr_matrix(np.array([[0, 1.5, 0], [0, 0, 0], [2.0, 0, 3.0]]))
_FLOAT64_SPARSE = (
    "0a23d7ce1e0000000a1c0a0676616c75657312121a100a08000000000000f83f1201011a01030000"
    "0a23d7ce110000000a0f0a0676616c75657312051a031a0103000000"
    "0a23d7ce270000000a250a0676616c756573121b1a190a1000000000000000400000000000000840120200021a010300"
)


@pytest.mark.parametrize(
    ("rows", "labels", "expected"),
    [
        pytest.param(
            np.array([[1, 2], [3, 4]], dtype="float32"),
            None,
            "0a23d7ce180000000a160a0676616c756573120c120a0a080000803f00000040"
            "0a23d7ce180000000a160a0676616c756573120c120a0a080000404000008040",
            id="float32",
        ),
        pytest.param(
            np.array([1.5, -2.0]),
            None,
            "0a23d7ce200000000a1e0a0676616c75657312141a120a10000000000000f83f00000000000000c0",
            id="one axis is one row",
        ),
        pytest.param(
            np.array([[1, -1], [300, 0]]),
            None,
            "0a23d7ce1b0000000a190a0676616c756573120f3a0d0a0b01ffffffffffffffffff0100"
            "0a23d7ce130000000a110a0676616c75657312073a050a03ac020000",
            id="int64 is written as int32",
        ),
        pytest.param(
            np.array([[1, -1], [300, 0]], dtype="int32"),  # which the retired package refuses
            None,
            "0a23d7ce1b0000000a190a0676616c756573120f3a0d0a0b01ffffffffffffffffff0100"
            "0a23d7ce130000000a110a0676616c75657312073a050a03ac020000",
            id="int32",
        ),
        pytest.param(
            np.array([[1], [2]], dtype="float32"),
            np.array([0.5, 1.0]),
            "0a23d7ce2c0000000a120a0676616c756573120812060a040000803f12160a0676616c756573120c1a0a0a08000000000000e03f"
            "0a23d7ce2c0000000a120a0676616c756573120812060a040000004012160a0676616c756573120c1a0a0a08000000000000f03f",
            id="float64 labels",
        ),
        pytest.param(
            np.array([[1.0], [2.0]]),
            np.array([0, 1]),
            "0a23d7ce290000000a160a0676616c756573120c1a0a0a08000000000000f03f120f0a0676616c75657312053a030a0100000000"
            "0a23d7ce290000000a160a0676616c756573120c1a0a0a080000000000000040120f0a0676616c75657312053a030a0101000000",
            id="int64 labels",
        ),
        pytest.param(_SPARSE, None, _FLOAT64_SPARSE, id="sparse"),
        pytest.param(_SPARSE.tocoo(), None, _FLOAT64_SPARSE, id="sparse, other layout"),
        pytest.param(
            _SPARSE.astype("int64"),
            None,
            "0a23d7ce170000000a150a0676616c756573120b3a090a01011201011a010300"
            "0a23d7ce110000000a0f0a0676616c75657312053a031a0103000000"
            "0a23d7ce190000000a170a0676616c756573120d3a0b0a020203120200021a0103000000",
            id="sparse int64",
        ),
        pytest.param(
            _SPARSE.astype("float32")[:1],
            np.array([1.0]),
            "0a23d7ce320000000a180a0676616c756573120e120c0a040000c03f1201011a0103"
            "12160a0676616c756573120c1a0a0a08000000000000f03f0000",
            id="sparse float32 with labels",
        ),
        pytest.param(
            sparse.csr_matrix((np.array([1.0, 2.0]), np.array([300, 5]), np.array([0, 2])), shape=(1, 100000)),
            None,
            "0a23d7ce2a0000000a280a0676616c756573121e1a1c0a10000000000000f03f00000000000000401203ac02051a03a08d060000",
            id="wide sparse, keys out of order",
        ),
        pytest.param(
            np.ones((1, 0)), None, "0a23d7ce0e0000000a0c0a0676616c75657312021a000000", id="row without columns"
        ),
        pytest.param(np.ones((0, 2)), None, "", id="no rows"),
    ],
)
def test_records(rows: Any, labels: Any, expected: str) -> None:
    """U-42, C-25."""
    assert encoders.array_to_recordio_protobuf(rows, labels).hex() == expected


def test_long_records_have_lengths_of_several_bytes() -> None:
    """C-25."""
    rows = np.arange(40, dtype="float64").reshape(1, 40)
    head = bytes.fromhex("0a23d7ce540100000ad1020a0676616c75657312c6021ac3020ac002")
    assert encoders.array_to_recordio_protobuf(rows) == head + rows.tobytes()


@pytest.mark.parametrize(
    ("rows", "labels", "message"),
    [
        (np.array([[2**40]]), None, "integers in the array go from 1099511627776 .*fit 32 bits.*float64"),
        (sparse.csr_matrix(np.array([[-(2**31) - 1]])), None, "fit 32 bits"),
        (np.array([[1.0]]), np.array([2**31]), "integers in the labels"),
        (np.ones((1, 1, 1)), None, r"shape is \(1, 1, 1\)"),
        (np.array(1.0), None, r"shape is \(\)"),
        (np.array([["a"]]), None, "dtype of the array is <U1; it must be one of: float32, float64, int32, int64"),
        (np.array([[True]]), None, "dtype of the array is bool"),
        (np.ones((3, 2)), np.ones((3, 1)), r"labels' shape is \(3, 1\); it must be \(3,\)"),
        (np.ones((3, 2)), np.ones(2), r"labels' shape is \(2,\); it must be \(3,\)"),
        (np.ones(3), np.ones(3), r"labels' shape is \(3,\); it must be \(1,\)"),
    ],
)
def test_refused(rows: Any, labels: Any, message: str) -> None:
    """C-25."""
    with pytest.raises(ValueError, match=message):
        encoders.array_to_recordio_protobuf(rows, labels)
