"""The class that the Multi Model Server called, and its default functions, which scripts call too.

Source: contract L-18, U-45, D-1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sagemaker_inference import content_types, decoder, encoder
from sagemaker_inference.default_handler_service import DefaultHandlerService
from sagemaker_inference.default_inference_handler import DefaultInferenceHandler
from sagemaker_inference.transformer import Transformer
from sagemaker_sklearn_container.user_code import old_defaults

if TYPE_CHECKING:
    import numpy as np


class HandlerService(DefaultHandlerService):
    """Holds the default functions; it answers no requests.

    Source: contract U-45.
    """

    class DefaultSKLearnUserModuleInferenceHandler(DefaultInferenceHandler):
        """The default functions with the results that multi-model endpoints knew."""

        @staticmethod
        def default_model_fn(model_dir: str, context: Any = None) -> Any:
            """The model in the only model file of `model_dir`.

            Raises:
                ModelLoadError: there is not exactly one such file; a NotImplementedError, as in the older versions.

            Source: contract U-20, U-45.
            """
            return old_defaults.default_model_fn(model_dir)

        @staticmethod
        def default_input_fn(input_data: Any, content_type: str, context: Any = None) -> np.ndarray[Any, Any]:
            """The array in a request body; of one dimension it becomes one row.

            Returns:
                float32 ndarray from JSON and CSV, as sent from NPY: `1,2` and `1\\n2` give (1, 2).

            Raises:
                UnsupportedFormatError: the content type is none of the decoder's (status 415).

            Source: contract C-04, D-1, U-45.
            """
            array = decoder.decode(input_data, content_type)
            if array.ndim == 1:
                array = array.reshape(1, -1)
            converted: np.ndarray[Any, Any] = (
                array.astype("float32") if content_type in content_types.UTF8_TYPES else array
            )
            return converted

        @staticmethod
        def default_predict_fn(data: Any, model: Any, context: Any = None) -> Any:
            """`model.predict(data)`; a response object passes through.

            Source: contract U-22, U-29, U-45.
            """
            return old_defaults.default_predict_fn(data, model)

        @staticmethod
        def default_output_fn(prediction: Any, accept: str, context: Any = None) -> tuple[str | bytes, str]:
            """The body for a prediction, and its media type.

            Raises:
                UnsupportedFormatError: the accepted type is not exactly JSON, CSV or NPY (status 406).

            Source: contract C-20 to C-23, U-45.
            """
            return encoder.encode(prediction, accept), accept

    def __init__(self) -> None:
        """A service with these default functions."""
        super().__init__(Transformer(self.DefaultSKLearnUserModuleInferenceHandler()))
