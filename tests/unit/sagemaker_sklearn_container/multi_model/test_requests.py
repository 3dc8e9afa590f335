"""What clients ask about models, as it comes in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sagemaker_sklearn_container.gateway.request import HttpRequest
from sagemaker_sklearn_container.multi_model import requests, routes
from sagemaker_sklearn_container.multi_model.errors import BadRequestError, ModelDirectoryError
from sagemaker_sklearn_container.multi_model.requests import LoadRequest, Page, ScaleRequest
from sagemaker_sklearn_container.processes.messages import ResponsePacket


class _Nobody:
    headers = ()

    def error_body(self, status: int, kind: str, message: str) -> bytes:
        return b""

    def respond(self, request: HttpRequest, response: ResponsePacket) -> None:
        """Nothing."""


def _load(base: Path, body: bytes, query: bytes = b"") -> LoadRequest:
    request = HttpRequest(_Nobody())
    request.target = routes.ROUTES.find(b"POST", b"/models" + query)
    request.add(body)
    return requests.load_request(request, base)


@pytest.fixture()
def base(tmp_path: Path) -> Path:
    """A base directory with the model `m`."""
    (tmp_path / "ml/m").mkdir(parents=True)
    return tmp_path / "ml"


def test_a_load_request_may_be_in_body_or_query(base: Path) -> None:
    """M-03: in the query only if there is no body."""
    url = f"{base}/m"
    expected = LoadRequest("a b", url)
    assert _load(base, json.dumps({"model_name": "a b", "url": url, "handler": "", "x": []}).encode()) == expected
    assert _load(base, b" \n", b"?url=%b&model_name=a+b&model_name=c" % url.encode()) == expected
    with pytest.raises(BadRequestError, match="Parameter url is required"):
        _load(base, b'{"model_name": "a"}', b"?url=%b" % url.encode())


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "is no JSON"),
        (b"\xff", "is no JSON"),
        (b"[" * 50_000, "is no JSON"),
        (b"[]", "must be a JSON object"),
        (b"x" * 70_000, "at most 65536"),
        (b'{"url": "/x"}', "Parameter model_name is required"),
        (b'{"model_name": 1, "url": "/x"}', "Parameter model_name is required"),
        (b'{"model_name": "a", "url": ""}', "Parameter url is required"),
        (b'{"handler": "x", "model_name": "a", "url": "/x"}', "the parameter handler is not allowed"),
        (b'{"runtime": "x", "model_name": "a", "url": "/x"}', "the parameter runtime is not allowed"),
        (b'{"model_name": "a", "url": "x"}', "must be the absolute path"),
        (b'{"model_name": "a", "url": "/\\u0000"}', "must be the absolute path"),
        (b'{"model_name": "a", "url": "http://x/y"}', "must be the absolute path"),
    ],
)
def test_a_load_request_that_is_none(base: Path, body: bytes, message: str) -> None:
    """M-10, M-11."""
    with pytest.raises(BadRequestError, match=message):
        _load(base, body)


def test_where_models_may_be(base: Path) -> None:
    """M-05, M-09: below the base, as it is written and when links are followed; the url stays as it is."""
    (base / "file").touch()
    (base / "inner").symlink_to("m")
    (base / "outer").symlink_to("/usr")
    (base / "loop").symlink_to("loop")
    (base.parent / "linked").symlink_to(base)

    def load(url: str, root: Path = base) -> str:
        return _load(root, json.dumps({"model_name": "a", "url": url}).encode()).url

    for good in (f"{base}/m", f"{base}/m/", f"{base}//m/.", f"{base}/inner"):
        assert load(good) == good
    linked = base.parent / "linked"
    assert load(f"{linked}/m", linked) == f"{linked}/m"
    for bad in (f"{base}", f"{base}/", f"{base}/.", f"{base}x", "/", f"{base}/m/..", f"{base}/m/../m", f"{base}/outer"):
        with pytest.raises(BadRequestError, match="must be below"):
            load(bad)
    with pytest.raises(BadRequestError, match="a file"):
        load(f"{base}/file")
    for missing in (f"{base}/none", f"{base}/file/x", f"{base}/loop", f"{base}/{'x' * 300}", f"{base}/\ud800"):
        with pytest.raises(ModelDirectoryError):
            load(missing)


def test_long_urls_are_shown_in_part(base: Path) -> None:
    """M-09."""
    with pytest.raises(BadRequestError) as error:
        _load(base, json.dumps({"model_name": "a", "url": "x" * 50_000}).encode())
    assert len(str(error.value)) < 600


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("", Page(0, 100)),
        ("limit=1&next_page_token=7", Page(7, 1)),
        ("limit=100", Page(0, 100)),
        ("limit=101", Page(0, 100)),
        ("limit=0&next_page_token=-1", Page(0, 100)),
        ("limit=&next_page_token=", Page(0, 100)),
        ("limit=%D9%A3", Page(0, 100)),
        ("limit=1&limit=2", Page(0, 1)),
        ("limit=00000000000000000001", Page(0, 100)),
        (f"next_page_token={2**31}", Page(2**31, 100)),
        (f"next_page_token={2**31 + 1}", Page(0, 100)),
    ],
)
def test_pages(query: str, page: Page) -> None:
    """M-13: what makes no sense counts as not said."""
    assert requests.page(query) == page


@pytest.mark.parametrize(
    ("query", "workers", "expected"),
    [
        ("", 1, ScaleRequest(1, False)),
        ("", 0, ScaleRequest(1, False)),
        ("min_worker=0", 0, ScaleRequest(0, False)),
        ("min_worker=3", 1, ScaleRequest(3, False)),
        ("min_worker=1", 3, ScaleRequest(3, False)),
        ("max_worker=2", 3, ScaleRequest(2, False)),
        ("min_worker=2&max_worker=4&synchronous=true", 3, ScaleRequest(3, True)),
        ("min_worker=0&max_worker=0&synchronous=TRUE", 3, ScaleRequest(0, True)),
        ("synchronous=1", 3, ScaleRequest(3, False)),
    ],
)
def test_scaling(query: str, workers: int, expected: ScaleRequest) -> None:
    """M-20."""
    assert requests.scale_request(query, workers) == expected


@pytest.mark.parametrize("query", ["min_worker=x", "max_worker=-1", "min_worker=3&max_worker=2", "min_worker=1001"])
def test_scaling_that_makes_no_sense(query: str) -> None:
    """M-20."""
    with pytest.raises(BadRequestError):
        requests.scale_request(query, 1)
