"""Telling the platform how a training job ended."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sagemaker_sklearn_container.contract import Paths
from sagemaker_sklearn_container.training.report import Report


def test_directories_are_made_and_any_text_can_be_written(tmp_path: Path) -> None:
    """T-04, T-07."""
    report = Report(Paths(tmp_path))
    report.failure("\u2713 \udcff")
    report.success()
    assert (tmp_path / "output/failure").read_text(encoding="utf-8") == "\u2713 ?"
    assert (tmp_path / "output/success").read_bytes() == b""


def test_a_failure_file_with_content_is_kept(tmp_path: Path) -> None:
    """T-06."""
    report = Report(Paths(tmp_path))
    report.failure("first")
    report.failure("second")
    assert (tmp_path / "output/failure").read_text() == "first"


def test_files_of_an_earlier_job_are_removed(tmp_path: Path) -> None:
    """T-06, T-07: they say nothing about this one."""
    Report(Paths(tmp_path)).failure("first")
    Report(Paths(tmp_path)).success()
    assert [path.name for path in (tmp_path / "output").iterdir()] == ["success"]


def test_an_unwritable_place_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """T-04: the exit code still counts."""
    (tmp_path / "output").touch()
    Report(Paths(tmp_path)).failure("reason")
    assert f"Writing {tmp_path}/output/failure failed" in caplog.text


def test_the_space_set_aside_has_no_name_and_is_given_back(tmp_path: Path) -> None:
    """T-04."""
    before = len(os.listdir("/proc/self/fd"))
    report = Report(Paths(tmp_path))
    assert list((tmp_path / "output").iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) == before + 1
    report.success()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_failure_leaves_no_success_file(tmp_path: Path) -> None:
    """T-07: not even one that the program wrote."""
    report = Report(Paths(tmp_path))
    (tmp_path / "output/success").touch()
    report.failure("reason")
    assert [path.name for path in (tmp_path / "output").iterdir()] == ["failure"]
