"""Names of hyperparameters and environment variables under the names that scripts use.

Source: contract U-40.
"""

from __future__ import annotations

from sagemaker_training.params import *  # noqa: F403 - all of them, and nothing but constants
