"""Predictions beside the labels of their rows, and how many are right."""

from __future__ import annotations

import contextlib
from typing import Sequence

from sagemaker_sklearn_container.autopilot.candidate import Problem
from sagemaker_sklearn_container.autopilot.report import columns
from sagemaker_sklearn_container.autopilot.steps import Predictions

_SHOWN = 5
_WIDTH = 30
_OF_WHAT = (
    "That is the stand-in's figure, a linear model's, on rows that it was trained with; it says\n"
    "nothing about the algorithm that Autopilot trains."
)


def report(predictions: Predictions, problem: Problem) -> str:
    """Some predictions, and accuracy or R2 on all."""
    labels = [sample.label for sample in predictions.samples]
    answers = [row[0] for row in predictions.rows]
    head = ["row", "label", "predicted", "probability"]
    lines = [
        [sample.where, *(_short(cell) for cell in (sample.label, *row))]
        for sample, row in zip(predictions.samples[:_SHOWN], predictions.rows)
    ]
    width = max(map(len, lines))
    if problem is Problem.REGRESSION:
        figure = f"R2 {r2(list(map(float, labels)), list(map(float, answers))):.3f}"
    else:
        figure = f"accuracy {accuracy(labels, answers):.3f}"
    return f"{columns([head[:width], *lines])}\n\n{figure} on {len(labels)} rows.\n{_OF_WHAT}"


def accuracy(labels: Sequence[str], answers: Sequence[str]) -> float:
    """Share of answers that are the label."""
    return sum(label == answer for label, answer in zip(labels, answers)) / len(labels)


def r2(labels: Sequence[float], answers: Sequence[float]) -> float:
    """Coefficient of determination; 0 if all labels are the same."""
    mean = sum(labels) / len(labels)
    total = sum((label - mean) ** 2 for label in labels)
    rest = sum((label - answer) ** 2 for label, answer in zip(labels, answers))
    return 1 - rest / total if total else 0.0


def _short(text: str) -> str:
    with contextlib.suppress(ValueError):
        text = text if text.lstrip("-").isdigit() else f"{float(text):.6g}"
    return text if len(text) <= _WIDTH else text[: _WIDTH - 3] + "..."
