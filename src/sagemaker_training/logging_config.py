"""Logging set-up for programs.

Source: contract U-40, T-31.
"""

from __future__ import annotations

import json
import logging
import shlex
from typing import Mapping, Sequence

from sagemaker_training.environment import Environment

_FORMAT = "%(asctime)s %(name)-12s %(levelname)-8s %(message)s"


def get_logger() -> logging.Logger:
    """The logger that the retired package wrote to."""
    return logging.getLogger("sagemaker-training-toolkit")


def configure_logger(level: int, log_format: str = _FORMAT) -> None:
    """Send log records of `level` and above to standard error, unless logging is set up already."""
    logging.basicConfig(format=log_format, level=level)
    if level >= logging.INFO:
        # The AWS client tells at INFO where it found its credentials, once per session.
        logging.getLogger("botocore").setLevel(logging.WARNING)


def log_script_invocation(
    cmd: Sequence[str], env_vars: Mapping[str, str], logger: logging.Logger | None = None
) -> None:
    """Log the command `cmd`, its variables and the training environment."""
    (logger or get_logger()).info(
        "Invoking user script: %s\n\nEnvironment variables:\n%s\n\nTraining environment:\n%s",
        shlex.join(cmd),
        "\n".join(f"{name}={value}" for name, value in env_vars.items()),
        json.dumps(dict(Environment()), indent=4),
    )
