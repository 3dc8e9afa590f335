"""Dictionaries as environment variables and command lines, and objects as dictionaries.

Source: contract U-40.
"""

from __future__ import annotations

from sagemaker_training.mapping import (
    MappingMixin,
    SplitResultSpec,
    split_by_criteria,
    to_cmd_args,
    to_env_vars,
)

__all__ = [
    "MappingMixin",
    "SplitResultSpec",
    "split_by_criteria",
    "to_cmd_args",
    "to_env_vars",
]
