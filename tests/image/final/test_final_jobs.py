"""Training, serving and the SDK's local mode in containers of the final image."""

from __future__ import annotations

import pytest

from tests.image.final.local_mode_checks import *  # noqa: F403
from tests.image.final.multi_model_checks import *  # noqa: F403
from tests.image.final.serving_checks import *  # noqa: F403
from tests.image.final.training_checks import *  # noqa: F403
from tests.support.engine import Image, image_of


@pytest.fixture(scope="session")
def image() -> Image:
    """The final image."""
    return image_of("docker/0.23-1/final:image")
