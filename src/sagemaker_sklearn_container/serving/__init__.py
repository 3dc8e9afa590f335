"""Serving: `main` serves one model until it is told to stop."""

from sagemaker_sklearn_container.serving.start import main

__all__ = ["main"]
