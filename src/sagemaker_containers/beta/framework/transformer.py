"""The functions that answer a request where a script defines none, and the class that called them.

Source: contract U-40.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sagemaker_containers.beta.framework import encoders, worker
from sagemaker_training import unavailable

if TYPE_CHECKING:
    import numpy as np

default_model_fn = unavailable.function("transformer.default_model_fn", "Define model_fn(model_dir) in the script")
default_predict_fn = unavailable.function(
    "transformer.default_predict_fn", "Define predict_fn(data, model) in the script"
)


def default_input_fn(input_data: Any, content_type: str) -> np.ndarray[Any, Any]:
    """The array in a request body.

    Raises:
        UnsupportedFormatError: the content type is not exactly one of JSON, CSV and NPY.
    """
    return encoders.decode(input_data, content_type)


def default_output_fn(prediction: Any, accept: str) -> worker.Response:
    """The answer for a prediction.

    Raises:
        UnsupportedFormatError: the accepted type is not exactly one of JSON, CSV and NPY.
    """
    return worker.Response(encoders.encode(prediction, accept), mimetype=accept)


class Transformer:
    """Cannot be made here; stays importable."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        """Refuse."""
        raise unavailable.refusal(
            "transformer.Transformer",
            "Define model_fn, input_fn, predict_fn and output_fn in the script; the container calls them",
        )
