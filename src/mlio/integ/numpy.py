"""Tensors and NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlio.tensors import DenseTensor, Tensor, checked_array, dense

__all__ = ["as_numpy", "as_tensor", "to_numpy", "to_tensor"]


def as_numpy(tensor: Tensor) -> np.ndarray[Any, Any]:
    """The array that a dense tensor holds, without a copy.

    Args:
        tensor: DenseTensor.

    Returns:
        ndarray of the tensor's shape, (n_rows, 1) for a column of CSV; dtype object, of str, for strings.

    Raises:
        ValueError: another kind of tensor.
        InvalidTextError: a cell is no UTF-8; a UnicodeDecodeError (status 400 when it came from memory).

    Source: contract A-03.
    """
    if not isinstance(tensor, DenseTensor):
        raise ValueError(
            f"Reading a tensor as a NumPy array: it is a {type(tensor).__name__}; only a DenseTensor can be. Use "
            "mlio.integ.scipy.to_coo_matrix for a CooTensor."
        )
    return checked_array(tensor)


def to_numpy(tensor: Tensor) -> np.ndarray[Any, Any]:
    """A copy of what `as_numpy` returns; raises the same errors."""
    return as_numpy(tensor).copy()


def as_tensor(arr: np.ndarray[Any, Any]) -> DenseTensor:
    """The tensor that shares the memory of an array of numbers.

    Raises:
        ValueError: the array holds no numbers.
    """
    if arr.dtype.kind not in "iuf":
        raise ValueError(f"Wrapping an array as a tensor: its dtype is {arr.dtype}; it must hold numbers.")
    return dense(arr)


def to_tensor(arr: np.ndarray[Any, Any]) -> DenseTensor:
    """The tensor of a copy of an array.

    Raises:
        ValueError: its dtype is none of `mlio.DataType`.
    """
    return DenseTensor(arr.shape, arr)
