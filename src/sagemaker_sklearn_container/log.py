"""Logging set-up, called by the entry points only."""

from __future__ import annotations

import logging
import sys

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure(level: int, model: str | None = None) -> None:
    """Send log records of `level` and above to standard error, where the platform collects them.

    Args:
        level: Numeric level of the `logging` module, 20 is INFO.
        model: Name of the model that this process serves, if it is one of many.

    Source: contract T-31, S-15, M-38.
    """
    text = FORMAT
    if model is not None:
        text = text.replace("%(name)s", f"[{printable(model)}] ".replace("%", "%%") + "%(name)s")
    logging.basicConfig(stream=sys.stderr, format=text, level=level, force=True)
    # At DEBUG the AWS client logs request signatures and bodies.
    for name in ("boto3", "botocore", "s3transfer", "urllib3"):
        logging.getLogger(name).setLevel(max(level, logging.INFO))


def printable(name: str) -> str:
    """A name as it can be shown on one line of a log."""
    return "".join(character if character.isprintable() else "?" for character in name)
