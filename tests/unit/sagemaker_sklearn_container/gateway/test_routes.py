"""Paths and methods."""

from __future__ import annotations

import pytest

from sagemaker_sklearn_container.gateway.routes import NOTHING
from sagemaker_sklearn_container.single_model.routes import EXECUTION_PARAMETERS, INVOKE, ROUTES


@pytest.mark.parametrize(
    ("method", "url", "kind"),
    [
        (b"POST", b"/invocations", INVOKE),
        (b"POST", b"/invocations?a=/b", INVOKE),
        (b"POST", b"http://host:1/invocations?a", INVOKE),
        (b"POST", b"/%69nvocations", INVOKE),
        (b"GET", b"/ping", NOTHING),
        (b"HEAD", b"/ping", NOTHING),
        (b"OPTIONS", b"/invocations", NOTHING),
        (b"GET", b"/execution-parameters", EXECUTION_PARAMETERS),
    ],
)
def test_what_there_is(method: bytes, url: bytes, kind: int) -> None:
    """S-20, S-21, S-33: asked twice, since answers are remembered."""
    for _ in range(2):
        target = ROUTES.find(method, url)
        assert (target.kind, target.error) == (kind, None)


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        (b"GET", b"/invocations", 405),
        (b"POST", b"/ping", 405),
        (b"POST", b"/invocations/", 404),
        (b"OPTIONS", b"*", 404),
        (b"CONNECT", b"host:1", 404),
        (b"GET", b"/%ff", 404),
        (b"GET", b"", 404),
    ],
)
def test_what_there_is_not(method: bytes, url: bytes, status: int) -> None:
    """S-21."""
    error = ROUTES.find(method, url).error
    assert error is not None
    assert error.status == status


def test_a_wrong_method_names_the_right_ones() -> None:
    """S-21."""
    target = ROUTES.find(b"GET", b"/invocations")
    assert target.headers == (("Allow", "POST, OPTIONS"),)
    assert str(target.error) == "/invocations does not answer GET; methods: POST."
