"""Sparse tensors and SciPy's matrices."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix

from mlio.tensors import CooTensor, Tensor

__all__ = ["to_coo_matrix", "to_tensor"]


def to_coo_matrix(tensor: Tensor) -> coo_matrix:
    """A sparse tensor as a matrix of its own memory.

    Args:
        tensor: CooTensor with one axis, which is one row, or two.

    Returns:
        coo_matrix of shape (n_rows, n_columns).

    Raises:
        ValueError: another kind of tensor, or more axes.
    """
    if not isinstance(tensor, CooTensor):
        raise ValueError(f"Making a coo_matrix: the tensor is a {type(tensor).__name__}; it must be a CooTensor.")
    shape = tensor.shape
    if len(shape) > 2:
        raise ValueError(f"Making a coo_matrix: the tensor's shape is {shape}; it must have one axis or two.")
    values = np.asarray(tensor.data)
    coords = [np.asarray(tensor.indices(axis)) for axis in range(len(shape))]
    if len(shape) == 1:
        shape, coords = (1, *shape), [np.zeros(len(values), np.int64), *coords]
    return coo_matrix((values, (coords[0], coords[1])), shape, copy=True)


def to_tensor(mtx: coo_matrix) -> CooTensor:
    """A matrix as a sparse tensor, which shares the memory of its values.

    Raises:
        ValueError: it is no coo_matrix.
    """
    if not isinstance(mtx, coo_matrix):
        raise ValueError(f"Making a CooTensor: the matrix is a {type(mtx).__name__}; convert it with tocoo().")
    return CooTensor(mtx.shape, mtx.data, [mtx.row.astype(np.int64), mtx.col.astype(np.int64)], copy=False)
