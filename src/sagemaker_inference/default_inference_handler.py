"""The default functions as a class, which scripts extend or call.

Source: contract U-44.
"""

from __future__ import annotations

from typing import Any

from sagemaker_inference import decoder, encoder, utils
from sagemaker_inference.errors import UnsupportedFormatError
from sagemaker_training import unavailable


class DefaultInferenceHandler:
    """Reads requests and writes predictions; has no model.

    Source: contract U-44.
    """

    def default_model_fn(self, model_dir: str, context: Any = None) -> Any:
        """Refuse, with a NotImplementedError."""
        raise unavailable.refusal(
            "DefaultInferenceHandler.default_model_fn", "Define model_fn(model_dir) in the script"
        )

    def default_input_fn(self, input_data: Any, content_type: str, context: Any = None) -> Any:
        """The array in a request body.

        Raises:
            UnsupportedFormatError: the content type is none of the decoder's (status 415).
        """
        return decoder.decode(input_data, content_type)

    def default_predict_fn(self, data: Any, model: Any, context: Any = None) -> Any:
        """Refuse, with a NotImplementedError."""
        raise unavailable.refusal(
            "DefaultInferenceHandler.default_predict_fn", "Define predict_fn(data, model) in the script"
        )

    def default_output_fn(self, prediction: Any, accept: str, context: Any = None) -> tuple[str | bytes, str]:
        """The body for a prediction, and its media type: the first accepted one that the encoder has.

        Raises:
            UnsupportedFormatError: it has none of them (status 406).
        """
        for content_type in utils.parse_accept(accept):
            if content_type in encoder.SUPPORTED_CONTENT_TYPES:
                return encoder.encode(prediction, content_type), content_type
        raise UnsupportedFormatError(accept, status=406)
