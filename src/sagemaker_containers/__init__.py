"""What scripts use of the retired package sagemaker_containers, answered by the container's own code.

Source: contract U-40, U-43.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sagemaker_containers.beta.framework.env import TrainingEnv


def training_env() -> TrainingEnv:
    """The training job that this process belongs to.

    Raises:
        ConfigurationError: a file or variable of the platform is malformed, or no program is named.

    Source: contract U-43.
    """
    # Imported here: most scripts import this package for something else.
    from sagemaker_containers.beta.framework.env import TrainingEnv

    return TrainingEnv()
