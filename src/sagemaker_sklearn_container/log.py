"""Logging set-up, called by the entry points only."""

from __future__ import annotations

import logging
import sys


class _Formatter(logging.Formatter):
    """Puts what this process serves before the name of a record's logger."""

    subject = ""

    def format(self, record: logging.LogRecord) -> str:
        record.subject = self.subject
        return super().format(record)


_formatter = _Formatter("%(asctime)s %(levelname)s %(subject)s%(name)s: %(message)s")


def configure(level: int) -> None:
    """Send log records of `level` and above to standard error, where the platform collects them.

    Args:
        level: Numeric level of the `logging` module, 20 is INFO.

    Source: contract T-31, S-15.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    # At DEBUG the AWS client logs request signatures and bodies.
    for name in ("boto3", "botocore", "s3transfer", "urllib3"):
        logging.getLogger(name).setLevel(max(level, logging.INFO))


def name_model(name: str) -> None:
    """Have the records of this process, one of many models', bear the model's name.

    Source: contract M-38.
    """
    _formatter.subject = f"[{printable(name)}] "


def printable(name: str) -> str:
    """A name as it can be shown on one line of a log."""
    return "".join(character if character.isprintable() else "?" for character in name)
