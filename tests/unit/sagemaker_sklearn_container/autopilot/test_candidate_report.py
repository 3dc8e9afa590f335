"""Progress, tables, scores; which line and cell is refused; what is in transformed data."""

from __future__ import annotations

import io
from typing import Any, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from sagemaker_sklearn_container.autopilot import culprit, records, report, score
from sagemaker_sklearn_container.autopilot.candidate import Problem
from sagemaker_sklearn_container.autopilot.report import Progress, Step
from sagemaker_sklearn_container.autopilot.steps import Predictions
from sagemaker_sklearn_container.autopilot.table import Sample
from sagemaker_sklearn_container.codecs import recordio_codec


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_without_a_terminal_is_lines() -> None:
    """No control characters; what is done soon says so once."""
    stream = io.StringIO()
    progress = Progress(stream)
    progress.begin("train")
    for _ in range(100):
        progress.update("busy")
    progress.done("model, 3 kB")
    first, last = stream.getvalue().splitlines()
    assert first == "train ..."
    assert last.startswith("train: model, 3 kB, 0.")


def test_progress_on_a_terminal_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each update takes the place of the one before."""
    stream = _Terminal()
    monkeypatch.setattr(report, "_REDRAW_S", 0.0)
    progress = Progress(stream)
    progress.begin("train")
    progress.update("busy")
    progress.done("model")
    assert stream.getvalue().startswith("\r\x1b[Ktrain\r\x1b[Ktrain: busy, 0 s\r\x1b[Ktrain: model, 0.")
    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (6_291_456, "6.3 MB"), (10**13, "10000.0 GB")]
)
def test_sizes(count: int, text: str) -> None:
    """Bytes for people, in decimal units."""
    assert report.size(count) == text


def test_the_table_lines_up() -> None:
    """Columns begin below their headings."""
    text = report.table([Step("train", report.shape(1), "x", 1.26), Step("batch", report.shape(1000, 5), "yy", 10.0)])
    assert text.splitlines() == [
        "step   read       wrote  took",
        "-----  ---------  -----  ------",
        "train  1 row      x      1.3 s",
        "batch  1,000 x 5  yy     10.0 s",
    ]


def test_the_score_of_a_classifier() -> None:
    """Said to be the stand-in's."""
    samples = [Sample(line, b"", label, f"f.csv:{line}") for line, label in enumerate("xxyy", 1)]
    text = score.report(Predictions(samples, [[cell, "0.123456789"] for cell in "xxyx"]), Problem.BINARY)
    assert "accuracy 0.750 on 4 rows.\nThat is the stand-in's figure" in text
    assert ["f.csv:4", "y", "x", "0.123457"] in [line.split() for line in text.splitlines()]


def test_the_score_of_a_regression() -> None:
    """R2 by hand: the mean is 2, the sum of squares 2, and 0.5 is left."""
    samples = [Sample(1, b"", label, "f.csv:1") for label in ("1", "2", "3")]
    text = score.report(Predictions(samples, [["1.5"], ["2"], ["2.5"]]), Problem.REGRESSION)
    assert "R2 0.750 on 3 rows" in text
    assert score.r2([1.0, 1.0], [1.0, 2.0]) == 0.0


@given(st.integers(1, 300), st.data())
def test_the_line_that_fails_is_found(count: int, data: st.DataObject) -> None:
    """Any one of them, by few questions."""
    bad = data.draw(st.integers(0, count - 1))
    questions: list[tuple[int, int]] = []

    def passes(start: int, end: int) -> bool:
        questions.append((start, end))
        return not start <= bad < end

    assert culprit.line(count, passes) == bad
    assert len(questions) <= 10


def test_no_line_fails_alone() -> None:
    """It is their number that is too large."""
    assert culprit.line(8, lambda start, end: end - start < 8) is None


@pytest.mark.parametrize(("bad", "place"), [("axc", 1), ("xbc", 0), ("abc", None), ("xxc", None)])
def test_the_cell_that_fails_is_found(bad: str, place: int | None) -> None:
    """If it is one alone."""

    def passes(cells: Sequence[str]) -> bool:
        return "x" not in cells

    assert culprit.cell(bad, "abc", passes) == place


@pytest.mark.parametrize("is_sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_records_with_labels(is_sparse: bool, dtype: str) -> None:
    """Rows, columns with the label's, labels; several bodies one after another are one."""
    rows: Any = np.arange(12, dtype=dtype).reshape(4, 3)
    labels = np.array([0, 1, 2, 300], dtype=dtype)
    body = recordio_codec.encode_labelled(sparse.csr_matrix(rows) if is_sparse else rows, labels)
    assert records.extent(body, records.RECORDIO) == (4, 4)
    assert records.extent(body + body, records.RECORDIO) == (8, 4)
    assert records.labels(body + body) == [0, 1, 2, 300, 0, 1, 2, 300]


def test_records_without_labels() -> None:
    """Features are counted, labels are missed."""
    body = recordio_codec.encode_labelled(np.ones((2, 3), dtype="float32"))
    assert records.extent(body, records.RECORDIO) == (2, 3)
    assert records.extent(b"", records.RECORDIO) == (0, 0)
    with pytest.raises(ValueError, match="record 1 has no label"):
        records.labels(body)


@pytest.mark.parametrize(("body", "extent"), [(b"", (0, 0)), (b"1,2,3\n4,5,6\n", (2, 3)), (b'"a\nb",2\n', (1, 2))])
def test_extent_of_csv(body: bytes, extent: tuple[int, int]) -> None:
    """Rows and columns, quoted line breaks and all."""
    assert records.extent(body, "text/csv") == extent
