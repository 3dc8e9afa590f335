"""Fetching and starting the user's program: the container's business, so only names.

Source: contract U-40.
"""

from __future__ import annotations

from sagemaker_training import unavailable

run = unavailable.function("entry_point.run", "Start other programs with subprocess.run")
install = unavailable.function(
    "entry_point.install", "List what the code needs in requirements.txt beside it; the container installs that"
)
