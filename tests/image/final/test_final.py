"""The final image."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.image.base.bill_checks import *  # noqa: F403
from tests.image.final.checks import *  # noqa: F403
from tests.support.engine import Image, image_of


@pytest.fixture(scope="session")
def image() -> Image:
    """The final image."""
    return image_of("docker/0.23-1/final:image")


@pytest.fixture(scope="session")
def locks() -> list[Path]:
    """Of the distributions it holds."""
    return [Path("3rdparty/python", name) for name in ("base.lock", "final.lock")]


def test_tag(image: Image) -> None:
    """L-15."""
    assert image.tags == ["preprod-sklearn:0.23-1-cpu-py3"]


def test_it_is_the_base_image_plus_layers(image: Image) -> None:
    """L-15."""
    below = image_of("docker/0.23-1/base:image").inspect()["RootFS"]["Layers"]
    assert image.inspect()["RootFS"]["Layers"][: len(below)] == below
