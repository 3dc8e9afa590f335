"""What contract cases need to run in containers of the extension image."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

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
