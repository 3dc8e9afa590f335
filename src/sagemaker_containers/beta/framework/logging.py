"""Logging set-up for programs.

Source: contract U-40.
"""

from __future__ import annotations

import logging

from sagemaker_training.logging_config import configure_logger, log_script_invocation

__all__ = ["configure_logger", "get_logger", "log_script_invocation"]


def get_logger() -> logging.Logger:
    """The logger that the retired package wrote to."""
    return logging.getLogger("sagemaker-containers")
