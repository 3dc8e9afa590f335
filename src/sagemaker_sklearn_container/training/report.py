"""Telling the platform how a training job ended."""

from __future__ import annotations

import logging

from sagemaker_sklearn_container.contract import Paths

logger = logging.getLogger(__name__)


def report_success(paths: Paths) -> None:
    """Write the empty success file.

    Source: contract T-07.
    """
    _write_if_absent(paths, "success", "")
    logger.info("Reporting training SUCCESS")


def report_failure(paths: Paths, reason: str) -> None:
    """Write `reason` to the failure file, unless the user's program has written its own there.

    Args:
        paths: The platform's paths.
        reason: The platform shows its first 1024 characters.

    Source: contract T-04, T-06.
    """
    _write_if_absent(paths, "failure", reason)
    logger.error("Reporting training FAILURE")


def _write_if_absent(paths: Paths, name: str, text: str) -> None:
    path = paths.output / name
    try:
        if not path.exists() or path.stat().st_size == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", errors="replace")
    except OSError as exc:
        # The exit code still tells the platform how the job ended.
        logger.error("Writing %s failed: %s", path, exc)
