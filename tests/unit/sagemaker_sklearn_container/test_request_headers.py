"""Headers of requests, as user code sees them."""

from __future__ import annotations

import pytest

from sagemaker_sklearn_container.request_headers import RequestHeaders

CUSTOM = "X-Amzn-SageMaker-Custom-Attributes"


@pytest.mark.parametrize(
    "headers",
    [
        RequestHeaders([CUSTOM.encode(), b"c", b"Accept", b"d"]),
        RequestHeaders.of({CUSTOM: "c", "Accept": "d"}),
        RequestHeaders.of(RequestHeaders([CUSTOM.encode(), b"c", b"Accept", b"d"])),
    ],
)
def test_names_are_found_in_any_case(headers: RequestHeaders) -> None:
    """S-30, S-31."""
    assert headers[CUSTOM.lower()] == "c"
    assert list(headers) == [CUSTOM, "Accept"]
    assert "ACCEPT" in headers
    assert headers.get("missing") is None
    assert "c" not in headers
    assert len(headers) == 2
    assert dict(headers) == {CUSTOM: "c", "Accept": "d"}
    with pytest.raises(KeyError, match="'Other'"):
        headers["Other"]


def test_repeated_headers_are_joined() -> None:
    """S-22."""
    assert dict(RequestHeaders([b"A", b"b", b"a", b"c\xe9", b"Empty", b""])) == {"A": "b, c\u00e9", "Empty": ""}


def test_there_may_be_none() -> None:
    """S-22."""
    assert not RequestHeaders([])
    assert not RequestHeaders.of(None)
