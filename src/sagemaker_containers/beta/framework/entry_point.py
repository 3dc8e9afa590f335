"""Fetching and starting the user's program: only names.

Source: contract U-40.
"""

from __future__ import annotations

from sagemaker_training.entry_point import (
    install,
    run,
)

__all__ = [
    "install",
    "run",
]
