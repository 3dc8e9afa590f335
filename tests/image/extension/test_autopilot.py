"""Autopilot's code in containers of the extension image."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Iterator

import pytest

from tests.image.extension.autopilot_cases import *  # noqa: F403
from tests.support.autopilot import notebook_job
from tests.support.container_platform import ContainerPlatform
from tests.support.engine import Image, image_of
from tests.support.platform import Platform


@pytest.fixture(scope="session")
def image() -> Image:
    """The extension image."""
    return image_of("docker/0.23-1/extension:image")


@pytest.fixture()
def platform(image: Image, tmp_path: Path) -> Iterator[Platform]:
    """`docker run` of the extension image."""
    containers = ContainerPlatform(image, tmp_path)
    yield containers
    containers.close()


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
