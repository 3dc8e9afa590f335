"""Predictions of every usual kind as plain arrays, the common first step of the encoders."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np


def as_array(prediction: Any) -> np.ndarray[Any, Any]:
    """`prediction` as an ndarray.

    Args:
        prediction: ndarray, scalar, nested list, pandas object or scipy sparse matrix.

    Returns:
        ndarray of the prediction's shape; sparse matrices become dense; ragged lists become object arrays.
    """
    if type(prediction) is np.ndarray:
        return prediction
    if hasattr(prediction, "toarray"):
        prediction = prediction.toarray()
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.VisibleDeprecationWarning)  # what NumPy says to ragged lists
        try:
            return np.asarray(prediction)
        except (ValueError, np.VisibleDeprecationWarning):
            return np.asarray(prediction, dtype=object)
