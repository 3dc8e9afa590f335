"""Single values out of the environment."""

from __future__ import annotations

import pytest

from sagemaker_sklearn_container import settings
from sagemaker_sklearn_container.errors import ConfigurationError


def test_empty_is_unset() -> None:
    """K-07."""
    assert settings.text({"A": "", "B": "b"}, "A", "B") == "b"
    assert settings.integer({"A": ""}, "A", 7) == 7
    assert settings.boolean({"A": ""}, "A") is False


@pytest.mark.parametrize(
    ("word", "value"), [("true", True), ("True", True), ("1", True), ("false", False), ("0", False)]
)
def test_words_for_yes_and_no(word: str, value: bool) -> None:
    """S-02."""
    assert settings.boolean({"A": word}, "A") is value


@pytest.mark.parametrize("value", ["x", "1.5", "0", "10", " "])
def test_numbers_out_of_range_name_the_variable_and_what_is_allowed(value: str) -> None:
    """S-11."""
    with pytest.raises(ConfigurationError) as caught:
        settings.integer({"A": value}, "A", 1, 1, 9)
    assert str(caught.value) == (
        f"The environment variable A is {value!r}; it must be a whole number of at least 1 and at most 9. "
        "Correct or unset it."
    )


def test_other_words_are_an_error() -> None:
    """S-02."""
    with pytest.raises(ConfigurationError, match="The environment variable A is 'maybe'; it must be one of: 0, 1, "):
        settings.boolean({"A": "maybe"}, "A")


def test_the_base_directory_can_be_moved() -> None:
    """T-30."""
    assert str(settings.paths({}).model) == "/opt/ml/model"
    assert str(settings.paths({"SAGEMAKER_BASE_DIR": "/x"}).failure) == "/x/output/failure"
