"""application/json: numbers and nested lists of them."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.errors import DecodeError, EncodeError

MEDIA_TYPE = contract.JSON


def decode(body: str | bytes) -> np.ndarray[Any, Any]:
    """The number or nest of lists in `body`.

    Args:
        body: JSON text. Strings that read as numbers are numbers; null is NaN.

    Returns:
        float32 ndarray of the shape of the nest: `[[1, 2]]` gives (1, 2), `[1, 2]` gives (2,), `7` gives ().

    Raises:
        DecodeError: the body is no JSON, or not a regular nest of numbers.

    Source: contract C-01.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise DecodeError(f"Reading the {MEDIA_TYPE} body: it is no valid JSON: {exc}.") from exc
    try:
        array: np.ndarray[Any, Any] = np.array(value, dtype=np.float32)
    except (ValueError, TypeError, OverflowError) as exc:
        raise DecodeError(
            f"Reading the {MEDIA_TYPE} body: {exc}. It must be a number, or lists of numbers that are all of the same "
            "length, such as [[1, 2], [3, 4]]; define input_fn to read anything else."
        ) from exc
    return array


def encode(prediction: Any) -> bytes:
    """`prediction` as JSON text; arrays anywhere in it become lists, NaN and infinities become null.

    Raises:
        EncodeError: something in the prediction has no JSON form.

    Source: contract C-20, C-21.
    """
    try:
        plain = _plain(prediction) if hasattr(prediction, "toarray") or hasattr(prediction, "tolist") else prediction
        try:
            text = json.dumps(plain, default=_plain, allow_nan=False)
        except ValueError:
            text = json.dumps(_without_nan(plain), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as exc:
        raise EncodeError(
            f"Writing the prediction ({type(prediction).__name__}) as {MEDIA_TYPE}: {exc}. Return arrays, lists, "
            "dicts, numbers and strings, or define output_fn."
        ) from exc
    return text.encode("utf-8")


def _plain(value: Any) -> Any:
    if hasattr(value, "toarray"):
        value = value.toarray()
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "to_numpy"):  # pandas DataFrame
        return value.to_numpy().tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (str, int)) or value is None:
        return value
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return _without_nan(_plain(value))
