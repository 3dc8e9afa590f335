"""The trees that the platform mounts, as far as a run needs them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Mapping

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.autopilot.servers import environment


def channel(base: Path, name: str, content_type: str, link: Path | None = None) -> Path:
    """The directory of a new channel of a training job; a link to `link` if that has its files."""
    paths = contract.Paths(base)
    target = paths.channel(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    if link is None:
        target.mkdir()
    else:
        target.symlink_to(link, target_is_directory=True)
    paths.input_config.mkdir(parents=True, exist_ok=True)
    config = json.loads(paths.input_data_config.read_text()) if paths.input_data_config.exists() else {}
    config[name] = {
        "ContentType": content_type,
        "RecordWrapperType": "None",
        "S3DistributionType": "FullyReplicated",
        "TrainingInputMode": "File",
    }
    paths.input_data_config.write_text(json.dumps(config), encoding="utf-8")
    return target


def configure(base: Path, hyperparameters: Mapping[str, str]) -> None:
    """Write the job's hyperparameters."""
    file = contract.Paths(base).hyperparameters
    file.write_text(json.dumps(hyperparameters), encoding="utf-8")


def search_path(path: str) -> str:
    """PYTHONPATH with `path` before what it has."""
    return os.pathsep.join(filter(None, [path, environment().get("PYTHONPATH", "")]))


def size_of(folder: Path) -> int:
    """Bytes of all files below `folder`."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
