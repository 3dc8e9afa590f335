"""Running a whole training job: only a name.

Source: contract U-40.
"""

from __future__ import annotations

from sagemaker_training.trainer import (
    train,
)

__all__ = [
    "train",
]
