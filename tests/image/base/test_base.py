"""The base image."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.image.base.bill_checks import *  # noqa: F403
from tests.image.base.checks import *  # noqa: F403
from tests.support.engine import Image, image_of


@pytest.fixture(scope="session")
def image() -> Image:
    """The base image."""
    return image_of("docker/0.23-1/base:image")


@pytest.fixture(scope="session")
def locks() -> list[Path]:
    """Of the distributions it holds."""
    return [Path("3rdparty/python", name) for name in ("base.lock",)]


def test_tag(image: Image) -> None:
    """L-15."""
    assert image.tags == ["sklearn-base:0.23-1-cpu-py3"]
