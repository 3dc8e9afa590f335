"""Training: `main` runs one training job."""

from sagemaker_sklearn_container.training.job import main

__all__ = ["main"]
