"""Telling the platform how a training job ended."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from sagemaker_sklearn_container.contract import Paths

logger = logging.getLogger(__name__)

# More than the 1024 characters that the platform shows, and one block of most file systems.
_RESERVED_BYTES = 4096


class Report:
    """The failure and success files of one job."""

    def __init__(self, paths: Paths) -> None:
        """Remove what an earlier job left in a directory that is used again, and set some space aside.

        A program that fills the disk fails, and the failure file must still fit. The space belongs to a file without a
        name, so that nothing is left behind however the job ends.
        """
        self._paths = paths
        for path in (paths.failure, paths.success):
            _remove(path)
        self._reserved = _reserve(paths.output)

    def success(self) -> None:
        """Write the empty success file.

        Source: contract T-07.
        """
        self._write_if_absent(self._paths.success, "")
        logger.info("Reporting training SUCCESS")

    def failure(self, reason: str) -> None:
        """Write `reason` to the failure file, unless the user's program has written its own there; there is no success.

        Args:
            reason: The platform shows its first 1024 characters.

        Source: contract T-04, T-06, T-07.
        """
        _remove(self._paths.success)
        self._write_if_absent(self._paths.failure, reason)
        logger.error("Reporting training FAILURE")

    def _write_if_absent(self, path: Path, text: str) -> None:
        if self._reserved is not None:
            os.close(self._reserved)
            self._reserved = None
        try:
            if not path.exists() or path.stat().st_size == 0:
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(path, text.encode("utf-8", errors="replace"))
        except OSError as exc:
            # The exit code still tells the platform how the job ended.
            logger.error("Writing %s failed: %s", path, exc)


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError:
        return  # most often there is none; an unwritable directory is reported when it is to be written


def _reserve(directory: Path) -> int | None:
    """Descriptor of a nameless file that takes space below `directory`; None where that is not to be had."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        reserved = os.open(directory, os.O_TMPFILE | os.O_WRONLY, 0o600)
    except OSError:
        return None
    try:
        os.posix_fallocate(reserved, 0, _RESERVED_BYTES)
    except OSError:
        os.close(reserved)
        return None
    return reserved


def _write(path: Path, content: bytes) -> None:
    """Write as much of `content` as there is room for, what comes first being worth the most."""
    with path.open("wb", buffering=0) as file:
        while content:
            content = content[file.write(content) or 0 :]
