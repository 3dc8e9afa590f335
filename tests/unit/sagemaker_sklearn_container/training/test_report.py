"""Telling the platform how a training job ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_sklearn_container.contract import Paths
from sagemaker_sklearn_container.training.report import report_failure, report_success


def test_directories_are_made_and_any_text_can_be_written(tmp_path: Path) -> None:
    """T-04, T-07."""
    report_failure(Paths(tmp_path), "\u2713 \udcff")
    report_success(Paths(tmp_path))
    assert (tmp_path / "output/failure").read_text(encoding="utf-8") == "\u2713 ?"
    assert (tmp_path / "output/success").read_bytes() == b""


def test_a_failure_file_with_content_is_kept(tmp_path: Path) -> None:
    """T-06."""
    report_failure(Paths(tmp_path), "first")
    report_failure(Paths(tmp_path), "second")
    assert (tmp_path / "output/failure").read_text() == "first"


def test_an_unwritable_place_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """T-04: the exit code still counts."""
    (tmp_path / "output").touch()
    report_failure(Paths(tmp_path), "reason")
    assert f"Writing {tmp_path}/output/failure failed" in caplog.text
