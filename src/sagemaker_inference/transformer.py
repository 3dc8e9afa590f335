"""The class that called the functions of the script, which is the server's business: it holds the defaults only.

Source: contract U-44.
"""

from __future__ import annotations

from sagemaker_inference.default_inference_handler import DefaultInferenceHandler
from sagemaker_training import unavailable

INSTEAD = (
    "Define model_fn, and input_fn, predict_fn and output_fn or transform_fn, in the script; the container calls them"
)


class Transformer:
    """Can be made, and answers no requests.

    Source: contract U-44.
    """

    def __init__(self, default_inference_handler: DefaultInferenceHandler | None = None) -> None:
        """A transformer with these default functions."""
        self._default_inference_handler = default_inference_handler or DefaultInferenceHandler()

    transform = unavailable.function("Transformer.transform", INSTEAD)
    validate_and_initialize = unavailable.function("Transformer.validate_and_initialize", INSTEAD)
