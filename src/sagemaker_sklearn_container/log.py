"""Logging set-up, called by the entry points only."""

from __future__ import annotations

import logging
import sys

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure(level: int) -> None:
    """Send log records of `level` and above to standard error, where the platform collects them.

    Args:
        level: Numeric level of the `logging` module, 20 is INFO.

    Source: contract T-31, S-15.
    """
    logging.basicConfig(stream=sys.stderr, format=FORMAT, level=level, force=True)
    # At DEBUG the AWS client logs request signatures and bodies.
    for name in ("boto3", "botocore", "s3transfer", "urllib3"):
        logging.getLogger(name).setLevel(max(level, logging.INFO))
