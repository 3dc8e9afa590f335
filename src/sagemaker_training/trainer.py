"""Running a whole training job: the container's business, so only a name.

Source: contract U-40.
"""

from __future__ import annotations

from sagemaker_training import unavailable

train = unavailable.function("trainer.train", "The container's `train` command runs the job; leave it to that")
