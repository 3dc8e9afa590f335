"""GPUs of the container."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_sklearn_container.training.gpus import count_gpus


def test_without_the_tool_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """T-84."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert count_gpus() == 0


def test_the_tools_list_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """T-84."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'GPU 0: A (UUID: x)'\necho 'GPU 1: A (UUID: y)'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert count_gpus() == 2
