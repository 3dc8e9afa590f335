"""How much is logged, to the logger `mlio`."""

from __future__ import annotations

import enum
import logging

from mlio.reader import logger


class LogLevel(enum.Enum):
    """How much is logged."""

    OFF = logging.CRITICAL + 1
    ERROR = logging.ERROR
    WARNING = logging.WARNING
    INFO = logging.INFO
    DEBUG = logging.DEBUG


def set_log_level(lvl: LogLevel) -> None:
    """Log what is as important as `lvl` or more; before the first call, warnings."""
    logger.setLevel(lvl.value)
