"""Calling functions with the arguments they name, and naming the errors they raise.

Source: contract U-40.
"""

from __future__ import annotations

from sagemaker_training.functions import (
    ArgSpec,
    error_wrapper,
    getargspec,
    matching_args,
)

__all__ = [
    "ArgSpec",
    "error_wrapper",
    "getargspec",
    "matching_args",
]
