"""Headers of answers."""

from __future__ import annotations

import pytest

from sagemaker_sklearn_container.user_code import headers


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("X-A", "b\r\nX-C: d", "X-A: the value .* has a line break"),
        ("X-A", "\u20ac", "a character outside Latin-1"),
        ("X A", "b", "'X A' is no header name"),
        ("", "b", "'' is no header name"),
        ("x-amzn-sagemaker-custom-attributes", "a" * 1025, "has 1025 characters; the platform passes on at most 1024"),
        ("X-Amzn-SageMaker-Custom-Attributes", "\u00e4", "all of them visible ASCII"),
    ],
)
def test_what_cannot_be_sent_is_refused(name: str, value: str, message: str) -> None:
    """S-30."""
    with pytest.raises(ValueError, match=message):
        headers.checked(name, value)


def test_what_can_be_sent_becomes_text() -> None:
    """S-30."""
    assert headers.checked("X-A", 3) == ("X-A", "3")
    assert headers.checked("X-Amzn-SageMaker-Custom-Attributes", "a" * 1024)[1] == "a" * 1024
    assert headers.checked("X-A", "\u00e4\tb c") == ("X-A", "\u00e4\tb c")
