"""The default functions under their old names and with their old results, for scripts that call them by import.

The server's own defaults are in `handlers`; they differ where the old results helped nobody (D-1). Nothing here loads
NumPy when it is imported.

Source: contract U-45, D-1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sagemaker_training import content_types, encoders

if TYPE_CHECKING:
    import numpy as np

    from sagemaker_containers.beta.framework.worker import Response


def default_model_fn(model_dir: str) -> Any:
    """The model in the only model file of `model_dir`.

    Raises:
        ModelLoadError: there is not exactly one such file; a NotImplementedError, as in the older versions, which
            loaded nothing.

    Source: contract U-20, U-45.
    """
    from sagemaker_sklearn_container.user_code import handlers

    return handlers.default_model_fn(model_dir)


def default_input_fn(input_data: str | bytes, content_type: str) -> np.ndarray[Any, Any]:
    """The array in a request body, without the axes that have one entry only if it is CSV.

    Args:
        input_data: Text for JSON and CSV (bytes are read as UTF-8), bytes for NPY.
        content_type: Exactly application/json, text/csv or application/x-npy.

    Returns:
        float32 ndarray from JSON, shape of the nest, and CSV: `1,2` and `1\\n2` give (2,); from NPY as sent.

    Raises:
        UnsupportedFormatError: another content type (status 415).

    Source: contract U-45, C-04, D-1.
    """
    is_text = content_type in content_types.UTF8_TYPES
    if is_text and isinstance(input_data, bytes):
        input_data = input_data.decode("utf-8")
    array = encoders.decode(input_data, content_type)
    return array.astype("float32") if is_text else array


def default_predict_fn(input_data: Any, model: Any) -> Any:
    """`model.predict(input_data)`; a response object passes through.

    Source: contract U-22, U-29, U-45.
    """
    from sagemaker_sklearn_container.user_code import handlers

    return handlers.default_predict_fn(input_data, model)


def default_output_fn(prediction: Any, accept: str) -> Response:
    """The answer for a prediction.

    Args:
        prediction: What predict_fn returned.
        accept: Exactly application/json, text/csv or application/x-npy.

    Raises:
        UnsupportedFormatError: another accepted type (status 406).

    Source: contract U-45, C-20 to C-23.
    """
    from sagemaker_containers.beta.framework import transformer

    return transformer.default_output_fn(prediction, accept)
