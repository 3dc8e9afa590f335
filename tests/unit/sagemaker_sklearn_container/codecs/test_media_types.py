"""Media types: reading and choosing."""

from __future__ import annotations

import pytest

from sagemaker_sklearn_container.codecs.media_types import essence, negotiate

OFFERED = ("application/json", "text/csv", "application/x-npy")


@pytest.mark.parametrize("value", ["text/csv", "TEXT/CSV", " text/csv ; charset=utf-8", "text/csv;header=present"])
def test_case_and_parameters_do_not_matter(value: str) -> None:
    """S-24."""
    assert essence(value) == "text/csv"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("text/csv", "text/csv"),
        ("*/*", "application/json"),
        ("text/*", "text/csv"),
        ("text/csv, application/json", "text/csv"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("text/html, text/csv;q=0.1", "text/csv"),
        ("application/json;q=0, */*", "text/csv"),
        ("text/csv;q=0", None),
        ("text/csv;q=high", None),
        ("text/html", None),
        ("", None),
    ],
)
def test_the_best_type_that_can_be_produced_is_chosen(accept: str, chosen: str | None) -> None:
    """S-27."""
    assert negotiate(accept, OFFERED) == chosen
