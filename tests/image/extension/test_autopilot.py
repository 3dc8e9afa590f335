"""Autopilot's code in containers of the extension image."""

from __future__ import annotations

import os

from tests.image.extension.autopilot_cases import *  # noqa: F403
from tests.image.extension.platform_fixtures import *  # noqa: F403
from tests.support.autopilot import notebook_job
from tests.support.platform import Platform


def test_a_pipe_that_nobody_opens_is_a_clear_failure(platform: Platform) -> None:
    """A-01, A-03, T-04, T-05: here only, since the reader waits a minute."""
    tree = notebook_job(platform.tree(), "dpp2")
    tree.channel("train", mode="Pipe")
    os.mkfifo(tree.root / "input/data/train_0")
    result = platform.train(tree)
    assert result.exit_code != 0
    assert result.failure is not None
    assert "DataReaderError" in result.failure[:1024]
    assert "input/data/train" in result.failure[:1024]
