"""The API by which models come and go: loading, listing, describing, scaling, unloading, and what is refused.

Every case takes the fixture `platform`.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.contract.serving_server_cases import Wire
from tests.support.many_models import PATIENCE_S, Models, assert_uncached, path_of, refusal, serve_many
from tests.support.platform import Platform


def _told(answer: Any) -> Any:
    """The content of an answer that is none of an error."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert_uncached(answer)
    return answer.json()


def test_a_model_comes_and_goes(many: Models) -> None:
    """M-01, M-02, M-03, M-05, M-12, M-14, M-15, M-16, M-22, S-01: by one port, and twice."""
    assert _told(many.ask("GET", "/ping")) == {"status": "Healthy"}
    assert _told(many.ask("GET", "/models")) == {"models": []}
    url = many.make("one")
    for _ in range(2):
        assert _told(many.load("one", url)) == {"status": "Workers scaled"}
        assert _told(many.ask("GET", "/models")) == {"models": [{"modelName": "one", "modelUrl": url}]}
        told = _told(many.describe("one"))
        assert (told["modelName"], told["modelUrl"]) == ("one", url)
        assert (told["minWorkers"], told["maxWorkers"], told["batchSize"]) == (1, 1, 1)
        worker = told["workers"][0]
        answer = many.invoke("one", "word", Accept="a/b")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "a/b")
        assert_uncached(answer)
        assert (answer.json()["directory"], answer.json()["body"], answer.json()["pid"]) == (url, "word", worker["pid"])
        assert worker["status"] == "READY"
        assert worker["memoryUsage"] > 1 << 20
        assert _told(many.unload("one")) == {"status": 'Model "one" unregistered'}
        for gone in (many.describe("one"), many.invoke("one"), many.unload("one"), many.scale("one", min_worker=1)):
            assert refusal(gone) == (404, "ModelNotFoundError", "Model not found: one")
        assert many.page() == {"models": []}
        assert many.ask("GET", "/ping").status_code == 200


@pytest.mark.parametrize(
    ("headers", "as_query"),
    [
        ({"Content-Type": "application/json; charset=utf-8"}, False),
        ({"Content-Type": ""}, False),
        ({"Content-Type": "text/plain"}, False),
        ({}, True),
    ],
)
def test_how_a_load_request_may_look(many: Models, headers: dict[str, str], as_query: bool) -> None:
    """M-03: unknown keys do not matter, nor does the content type; parameters may be in the query string."""
    url = many.make("one")
    if as_query:
        answer = many.post_models("", f"?model_name=one&url={url}&some=thing", **headers)
    else:
        body = json.dumps({"model_name": "one", "url": url, "some": {"thing": [1]}, "initial_workers": 1})
        answer = many.post_models(body, **headers)
    assert _told(answer) == {"status": "Workers scaled"}
    assert many.says("one")["value"] == "one"


_NAMES = [
    "a" * 64 + "0123456789abcdef",
    "x" * 300,
    "with space",
    "a/b",
    "/",
    "a/invoke",
    "invoke",
    "a//b/",
    "%",
    "%2F",
    "a%20b",
    "a+b&c=d?e#f",
    "m\u00f6del-\u6a21\u578b-\U0001f600",
    'quote"\\back',
    "line\nend\r\n",
    "\u2028[x]\x1b",
    "{name}",
    "..a",
    "null",
]


def test_names_may_be_any_text(many: Models) -> None:
    """M-04: which have nothing to do with the directory's."""
    for number, name in enumerate(_NAMES):
        assert many.load(name, many.make(f"directory-{number}")).status_code == 200
        assert many.load(name, many.make(f"directory-{number}")).json()["message"].startswith(f"Model {name} is")
    assert many.names() == sorted(_NAMES)
    for number, name in enumerate(_NAMES):
        assert many.says(name)["value"] == f"directory-{number}"
        assert many.describe(name).json()["modelName"] == name
    for name in _NAMES:
        assert many.unload(name).json() == {"status": f'Model "{name}" unregistered'}
    assert many.names() == []


@pytest.mark.parametrize("name", [".", ".."])
def test_names_that_clients_take_for_directories(many: Models, name: str) -> None:
    """M-04: written as they are, and encoded."""
    many.load(name, many.make("one"))
    with Wire(many.server) as wire:
        for path in (name, name.replace(".", "%2E")):
            wire.send(b"GET /models/%b HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode())
            status, _, body = wire.answer()
            assert (status, json.loads(body)["modelName"]) == (200, name)


def test_text_that_is_no_text(many: Models) -> None:
    """M-04, M-30: JSON can name halves of characters; there is an answer, and the server lives on."""
    answer = many.post_models(json.dumps({"model_name": "\ud800", "url": many.make("one")}))
    assert answer.status_code in (200, 400)
    assert many.post_models('{"model_name": "b", "url": "/\\ud800"}').status_code in (400, 404)
    assert many.ask("GET", "/models").status_code == 200
    many.loaded("two")
    assert many.says("two")["value"] == "two"


@pytest.mark.parametrize("character", ["x", "\x7f", "\u00e9", "\U0001f600"])
def test_names_as_long_as_can_be_reached(many: Models, character: str) -> None:
    """M-04, M-10, M-30: longer ones are refused, since nobody could unload them."""
    url = many.make("one")
    longest = 16 * 1024 // len(quote(character))
    refused = many.post_models(json.dumps({"model_name": character * (longest + 1), "url": url}, ensure_ascii=False))
    assert refusal(refused)[:2] == (400, "BadRequestError")
    name = character * longest
    assert many.post_models(json.dumps({"model_name": name, "url": url}, ensure_ascii=False)).status_code == 200
    assert many.names() == [name]
    assert many.says(name)["value"] == "one"
    assert many.unload(name).status_code == 200
    assert many.names() == []


def test_a_name_is_given_once(many: Models) -> None:
    """M-06: whatever the url."""
    many.loaded("one")
    for url in (many.make("one"), many.make("other")):
        assert refusal(many.load("one", url)) == (409, "ModelConflictError", "Model one is already registered.")
    assert many.says("one")["value"] == "one"
    assert many.load("two", many.make("one")).status_code == 200
    assert many.says("two")["value"] == "one"


def test_urls_that_name_no_model(many: Models) -> None:
    """M-09, M-11: nothing is loaded, and nothing fetched."""
    url = many.make("one")
    outside = many.tree.inside("models/../models/one/model")
    many.tree.write("models/file", "text")
    many.tree.write("models/archive.mar", b"PK\x03\x04")
    many.tree.root.joinpath("models/out").symlink_to("/usr")
    many.tree.root.joinpath("models/loop").symlink_to("loop")
    for wrong, status in (
        (many.tree.inside("models/none/model"), 404),
        (many.tree.inside("models/loop"), 404),
        (url + "/" + "x" * 5000, 404),
        (outside, 400),
        (url + "/..", 400),
        ("..", 400),
        (".", 400),
        ("model", 400),
        (many.tree.base_dir, 400),
        (many.tree.base_dir + "/", 400),
        (many.tree.base_dir + "x", 400),
        ("/", 400),
        ("/usr", 400),
        ("/proc/self", 400),
        (many.tree.inside("models/out"), 400),
        (many.tree.inside("models/out/bin"), 400),
        (many.tree.inside("models/file"), 400),
        (many.tree.inside("models/archive.mar"), 400),
        ("http://127.0.0.1:1/model.mar", 400),
        ("https://127.0.0.1:1/model.mar", 400),
        ("file://" + url, 400),
        ("s3://bucket/model.tar.gz", 400),
        (url + "\0", 400),
        ("~", 400),
    ):
        assert refusal(many.load("one", wrong))[0] == status, wrong
    assert many.names() == []
    assert many.load("one", url).status_code == 200


def test_directories_may_be_reached_by_links_that_stay_below(many: Models) -> None:
    """M-05, M-09: model_fn gets the path as it was given."""
    many.make("one")
    many.tree.root.joinpath("models/link").symlink_to("one")
    url = many.tree.inside("models/link/model")
    assert many.load("linked", url).status_code == 200
    assert many.says("linked")["directory"] == url
    assert many.load("slash", url + "/").status_code == 200
    assert many.says("slash")["directory"] == url + "/"


@pytest.mark.parametrize("parameter", ["handler", "runtime"])
def test_parameters_that_choose_code_are_refused(many: Models, parameter: str) -> None:
    """M-11: in the body, and in the query string."""
    url = many.make("one")
    for answer in (
        many.load("one", url, **{parameter: "os:system"}),
        many.post_models("", f"?model_name=one&url={url}&{parameter}=os:system"),
    ):
        status, _, message = refusal(answer)
        assert status == 400
        assert parameter in message
    assert many.names() == []


def test_load_requests_that_are_none(many: Models) -> None:
    """M-10, M-30: whatever comes in, there is an answer that says what is wrong."""
    url = json.dumps(many.make("one"))
    for body in (
        b"",
        b" ",
        b"{",
        b"\xff\xfe",
        b"null",
        b"3",
        b"[]",
        b'"text"',
        b"{}",
        b'{"model_name": "one"}',
        b'{"url": %b}' % url.encode(),
        b'{"model_name": "", "url": %b}' % url.encode(),
        b'{"model_name": "one", "url": ""}',
        b'{"model_name": 3, "url": %b}' % url.encode(),
        b'{"model_name": null, "url": %b}' % url.encode(),
        b'{"model_name": "one", "url": [%b]}' % url.encode(),
        b'{"model_name": "one", "url": %b} more' % url.encode(),
        b'{"model_name": "one", "url": "%b"}' % (b"/x" * 40_000),
        b"[" * 60_000,
        b'{"a":' * 10_000,
    ):
        assert refusal(many.post_models(body))[0] == 400, body[:100]
    assert refusal(many.post_models("", "?model_name=one"))[2] == "Parameter url is required: a text that is not empty."
    assert many.names() == []


def test_the_list_has_pages(many: Models) -> None:
    """M-12, M-13: sorted by name; a token only where more follows; junk counts as not said."""
    names = [f"m{number}" for number in range(7)]
    url = many.make("one")
    for name in reversed(names):
        assert many.load(name, url).status_code == 200
    whole = {"models": [{"modelName": name, "modelUrl": url} for name in names]}
    assert many.page() == whole
    for limit in ("", "0", "-1", "101", "x", "3.5", "1e1", "%31%30%31", "99999999999999999999", "\u0663", "+3"):
        assert many.page(f"?limit={limit}") == whole, limit
    for token in ("", "x", "-1", "0", "%00"):
        assert many.page(f"?next_page_token={token}") == whole, token
    for most in range(1, 9):
        assert many.names(most) == names
    first = many.page("?limit=3")
    assert ([model["modelName"] for model in first["models"]], type(first["nextPageToken"])) == (names[:3], str)
    assert "nextPageToken" not in many.page("?limit=7")
    assert many.page("?next_page_token=7") == {"models": []}
    assert many.page("?next_page_token=2147483647&limit=100") == {"models": []}


def test_workers_of_a_model(many: Models) -> None:
    """M-18, M-20: none, and again; more, and fewer."""
    many.loaded("one")
    pids = [worker["pid"] for worker in many.describe("one").json()["workers"]]

    def scaled(workers: int, **query: object) -> list[int]:
        answer = many.scale("one", synchronous="true", **query)
        assert (answer.status_code, answer.json()) == (200, {"status": "Workers scaled"})
        told = many.describe("one").json()
        assert (told["minWorkers"], told["maxWorkers"], len(told["workers"])) == (workers, workers, workers)
        return [worker["pid"] for worker in told["workers"]]

    assert scaled(1, min_worker=1) == pids
    assert set(pids) < set(scaled(3, min_worker=3))
    assert len(scaled(2, min_worker=1, max_worker=2)) == 2
    assert scaled(0, min_worker=0, max_worker=0) == []
    assert refusal(many.invoke("one"))[:2] == (503, "ModelUnavailableError")
    assert many.names() == ["one"]
    assert scaled(1, min_worker=1) != pids
    assert many.says("one")["value"] == "one"
    for query in ({"min_worker": "x"}, {"min_worker": "-1"}, {"min_worker": 3, "max_worker": 2}, {"max_worker": "1e3"}):
        assert refusal(many.scale("one", **query))[0] == 400
    answer = many.scale("one", min_worker=0, max_worker=0)
    assert (answer.status_code, answer.json()) == (202, {"status": "Processing worker updates..."})
    assert many.unload("one").status_code == 200
    assert refusal(many.scale("one", min_worker=1))[0] == 404


def test_a_model_may_have_several_workers(platform: Platform) -> None:
    """M-36, M-38: it is there when all of them are, and they work at the same time; each has one thread."""
    with serve_many(platform, {"SAGEMAKER_NUM_MODEL_WORKERS": "2"}) as many, ThreadPoolExecutor(2) as pool:
        many.loaded("one")
        workers = many.describe("one").json()["workers"]
        assert [worker["status"] for worker in workers] == ["READY"] * 2
        answers = list(pool.map(lambda _: many.says("one", "sleep 1"), range(2)))
        assert {answer["pid"] for answer in answers} == {worker["pid"] for worker in workers}
        assert len(workers) == 2
        assert [answer["threads"] for answer in answers] == ["1"] * 2
        assert many.unload("one").status_code == 200


def test_what_there_is_not(many: Models) -> None:
    """M-17, M-18, M-19, M-22: methods, paths, models, parameters."""
    many.loaded("one")
    for method, path, status in (
        ("GET", "/", 404),
        ("GET", "/model", 404),
        ("GET", "/models/", 404),
        ("GET", "/models/one/", 404),
        ("POST", "/models/one/predict", 404),
        ("POST", "/models/one/invoke/", 404),
        ("POST", "/ping", 405),
        ("PUT", "/models", 405),
        ("DELETE", "/models", 405),
        ("POST", path_of("one"), 405),
        ("PATCH", path_of("one"), 405),
        ("GET", path_of("one") + "/invoke", 405),
        ("PUT", "/invocations", 405),
        ("GET", "/invocations", 405),
        ("POST", "/execution-parameters", 405),
        ("POST", path_of("two") + "/invoke", 404),
        ("POST", "/invocations?model_name=two", 404),
        ("POST", "/invocations", 400),
        ("POST", "/invocations?model_name=", 400),
    ):
        assert refusal(many.ask(method, path, "word"))[0] == status, (method, path)
    assert many.ask("POST", "/invocations").json()["message"] == "Parameter model_name is required."
    assert many.ask("POST", "/invocations?model_name=one", "word").json()["value"] == "one"
    assert many.ask("OPTIONS", path_of("one")).headers["Allow"] == "GET, DELETE, PUT, OPTIONS"
    assert many.ask("GET", path_of("one") + "/invoke").headers["Allow"] == "POST, OPTIONS"


def test_errors_end_the_connection(many: Models) -> None:
    """M-22: and nothing else does."""
    many.loaded("one")
    get, ping = b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
    invoke = b"POST /models/one/invoke HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: %d\r\n\r\n%b"
    for last, status in (
        (get % b"/models/two", 404),
        (get % b"/no", 404),
        (invoke % (8, b"raise no"), 500),
        (b"nonsense\r\n\r\n", 400),
    ):
        with Wire(many.server) as wire:
            wire.send(ping, get % b"/models", get % b"/models/one", invoke % (4, b"word"), last)
            assert [wire.answer()[0] for _ in range(4)] == [200] * 4
            answered, headers, body = wire.answer()
            assert (answered, headers["connection"], json.loads(body)["code"]) == (status, "close", status)
            assert wire.ended()


@pytest.mark.parametrize(
    ("environ", "mib", "most"),
    [({}, 6, 6 << 20), ({"SAGEMAKER_MAX_REQUEST_SIZE": "1000"}, 1, 1000), ({"MAX_CONTENT_LENGTH": "0"}, 20, 20 << 20)],
)
def test_long_bodies(platform: Platform, environ: dict[str, str], mib: int, most: int) -> None:
    """M-18, M-21, M-36."""
    with serve_many(platform, environ) as many:
        answer = many.ask("GET", "/execution-parameters")
        assert _told(answer) == {
            "MaxConcurrentTransforms": 1,
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": mib,
        }
        many.loaded("one")
        assert len(many.says("one", "x" * most)["body"]) == most
        status, _, message = refusal(many.invoke("one", "x" * (most + 1)))
        assert (status, str(most) in message) == (413, True)


@pytest.mark.parametrize("value", ["false", "False", "0", "no", ""])
def test_false_is_not_many(platform: Platform, value: str) -> None:
    """M-36, K-07: whatever the word for it."""
    tree = platform.tree()
    (tree.root / "model").mkdir()
    tree.code(inference="def model_fn(model_dir):\n    return 0\ndef predict_fn(data, model):\n    return [1.0]\n")
    with platform.serve(tree, {"SAGEMAKER_MULTI_MODEL": value}) as server:
        answer = requests.post(f"{server.base_url}/invocations", "[1]", timeout=PATIENCE_S)
        assert (answer.status_code, answer.json()) == (200, [1.0])
        assert requests.get(f"{server.base_url}/models", timeout=PATIENCE_S).status_code == 404
