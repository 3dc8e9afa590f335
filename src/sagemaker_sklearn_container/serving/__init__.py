"""Serving: `main` serves one model until it is told to stop. Scripts import the default functions from here (U-45)."""

from sagemaker_sklearn_container.serving.start import main
from sagemaker_sklearn_container.user_code.old_defaults import (
    default_input_fn,
    default_model_fn,
    default_output_fn,
    default_predict_fn,
)

__all__ = ["default_input_fn", "default_model_fn", "default_output_fn", "default_predict_fn", "main"]
