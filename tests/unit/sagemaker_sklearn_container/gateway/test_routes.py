"""Paths and methods."""

from __future__ import annotations

import pytest

from sagemaker_sklearn_container.gateway.routes import NOTHING
from sagemaker_sklearn_container.multi_model import routes as many
from sagemaker_sklearn_container.processes.tasks import EXECUTION_PARAMETERS, INVOKE
from sagemaker_sklearn_container.single_model.routes import ROUTES


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


@pytest.mark.parametrize(
    ("method", "url", "kind", "name"),
    [
        (b"GET", b"/models/a", many.DESCRIBE, "a"),
        (b"DELETE", b"/models/a%2Fb?x=/y", many.UNLOAD, "a/b"),
        (b"PUT", b"/models/a%20b", many.SCALE, "a b"),
        (b"GET", b"/models/%25", many.DESCRIBE, "%"),
        (b"GET", b"/models/a+b", many.DESCRIBE, "a+b"),
        (b"POST", b"/models/%C3%BC/invoke", INVOKE, "\u00fc"),
        (b"POST", b"/models/invoke/invoke", INVOKE, "invoke"),
        (b"POST", b"/models/a%2Finvoke/invoke", INVOKE, "a/invoke"),
        (b"GET", b"/models/{name}", many.DESCRIBE, "{name}"),
        (b"GET", b"http://host:1/models/a%2Fb", many.DESCRIBE, "a/b"),
        (b"OPTIONS", b"/models/a", NOTHING, "a"),
        (b"GET", b"/models", many.LIST, ""),
    ],
)
def test_a_name_may_be_any_text(method: bytes, url: bytes, kind: int, name: str) -> None:
    """M-04: a path is split before it is decoded."""
    for _ in range(2):
        target = many.ROUTES.find(method, url)
        assert (target.kind, target.name, target.error) == (kind, name, None)


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        (b"GET", b"/models/", 404),
        (b"POST", b"/models//invoke", 404),
        (b"POST", b"/models/a/b/invoke", 404),
        (b"POST", b"/models/a%2Finvoke", 405),
        (b"GET", b"/models%2Fa", 404),
        (b"POST", b"/models/a", 405),
        (b"GET", b"/models/a/invoke", 405),
        (b"DELETE", b"/models", 405),
    ],
)
def test_a_name_is_one_segment(method: bytes, url: bytes, status: int) -> None:
    """M-04, M-18."""
    error = many.ROUTES.find(method, url).error
    assert error is not None
    assert error.status == status


def test_targets_keep_names_and_queries_apart() -> None:
    """M-04: what is remembered of one is not told of another."""
    first, second = (many.ROUTES.find(b"GET", url) for url in (b"/models/a?x=1", b"/models/b?x=2"))
    assert (first.name, first.query) == ("a", "x=1")
    assert (second.name, second.query) == ("b", "x=2")
