"""How many GPUs the container has."""

from __future__ import annotations

import shutil
import subprocess


def count_gpus() -> int:
    """Number of GPUs that nvidia-smi lists; 0 without nvidia-smi.

    Source: contract T-84.
    """
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return 0
    listing = subprocess.run([tool, "--list-gpus"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return sum(line.startswith(b"GPU ") for line in listing.stdout.splitlines())
