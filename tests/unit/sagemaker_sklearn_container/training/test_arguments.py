"""Hyperparameters as command line."""

from __future__ import annotations

from typing import Any

import pytest

from sagemaker_sklearn_container.training.arguments import command_line


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", "a b"),
        (True, "True"),
        (0.5, "0.5"),
        ([1, 2, "a"], "[1, 2, 'a']"),
        ({"b": 2, "a": 1}, "a=1,b=2"),
        (None, ""),
    ],
)
def test_each_value_is_one_argument(value: Any, text: str) -> None:
    """T-50."""
    assert command_line({"name": value}) == ["--name", text]


def test_options_are_sorted_and_short_for_one_letter() -> None:
    """T-50."""
    assert command_line({"n-x": 1, "c": 2, "": 3}) == ["", "3", "-c", "2", "--n-x", "1"]
