"""Batches and pandas' tables."""

from __future__ import annotations

import pandas as pd

from mlio.examples import Example
from mlio.integ.numpy import as_numpy

__all__ = ["to_pandas"]


def to_pandas(example: Example) -> pd.DataFrame:
    """A batch as a DataFrame of its own memory, one column for each feature.

    Args:
        example: With dense features of one value in each row.

    Raises:
        ValueError: a feature is sparse or has several values in a row.
        InvalidTextError: a cell is no UTF-8 (status 400 when it came from memory).
    """
    return pd.DataFrame(
        {attribute.name: as_numpy(feature).flatten() for attribute, feature in zip(example.schema.attributes, example)}
    )
