"""Many requests about many models at the same time, many models, and the end of the server.

Every case takes the fixture `platform`.
"""

from __future__ import annotations

import fcntl
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Callable, Mapping

import pytest
import requests

from tests.support.histories import Operation, explained
from tests.support.many_models import PATIENCE_S, Models, refusal, serve_many
from tests.support.platform import Platform

_MIB = 1024 * 1024
_CLIENTS = 6
# What an operation may be answered with.
_STATUSES = {"load": {200, 409}, "unload": {200, 404}, "invoke": {200, 404, 503}, "describe": {200, 404}}


def _all(*calls: Callable[[], Any]) -> Counter[int]:
    """How often each status came of calls that are made at the same time."""
    with ThreadPoolExecutor(len(calls)) as pool:
        answers = [pool.submit(call) for call in calls]
        return Counter(int(answer.result().status_code) for answer in answers)


def _free(lock: Path) -> bool:
    """Whether no process holds on to a model that was loaded with this file as its `lock`."""
    with lock.open() as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_one_of_many_loads_of_a_name_succeeds(many: Models) -> None:
    """M-06, M-40: the others are told that it is there, when it is; and one of many unloads."""
    urls = [many.make(f"u{number}", load="sleep 0.2") for number in range(8)]
    for _ in range(3):
        assert _all(*[partial(many.load, "one", url) for url in urls]) == {200: 1, 409: 7}
        assert many.says("one")["directory"] in urls
        assert _all(*[partial(many.unload, "one")] * len(urls)) == {200: 1, 404: 7}


def test_loads_that_fail_at_the_same_time(many: Models) -> None:
    """M-08, M-40: each is told why it failed, or finds the name taken by one that did not."""
    bad, good = many.make("bad", load="sleep 0.1\nraise no"), many.make("good")
    statuses = _all(*[partial(many.load, "one", url) for url in [bad] * 3 + [good] + [bad] * 2])
    assert (statuses[200], set(statuses) <= {200, 409, 500}, statuses[409] + statuses[500]) == (1, True, 5)
    assert many.says("one")["value"] == "good"


def test_different_models_are_loaded_at_the_same_time(many: Models) -> None:
    """M-40: as many as are asked for."""
    names = [f"m{number}" for number in range(6)]
    urls = {name: many.make(name, load="sleep 3") for name in names}
    many.loaded("first")
    started = time.monotonic()
    assert _all(*[partial(many.load, name, urls[name]) for name in names]) == {200: 6}
    assert time.monotonic() - started < 15
    assert many.names() == ["first", *names]


def test_what_happens_to_requests_while_their_model_goes(many: Models) -> None:
    """M-15, M-30, M-40: those that it has are answered, the others refused; then it can be loaded again."""

    def use(gone: threading.Event) -> list[int]:
        statuses: list[int] = []
        while not gone.is_set():
            statuses.append(many.invoke("one", "sleep 0.05").status_code)
        return statuses

    for _ in range(3):
        many.loaded("one")
        gone = threading.Event()
        with ThreadPoolExecutor(4) as pool:
            users = [pool.submit(use, gone) for _ in range(4)]
            time.sleep(0.3)
            unloaded = many.unload("one").status_code
            gone.set()
            seen = [user.result() for user in users]
        assert unloaded == 200
        for statuses in seen:
            assert set(statuses) <= {200, 404, 503}, statuses
            # Who has once been told that it is gone is not told otherwise.
            assert statuses == sorted(statuses, key=lambda status: status != 200)
        assert any(200 in statuses for statuses in seen)
        assert refusal(many.invoke("one"))[0] == 404


def test_loading_while_unloading(many: Models) -> None:
    """M-06, M-15, M-40: a name is taken until what had it is gone; then it is free."""
    many.loaded("one")
    url = many.make("one")
    with ThreadPoolExecutor(3) as pool:
        slow = pool.submit(many.invoke, "one", "sleep 1.5")
        time.sleep(0.3)
        unloading = pool.submit(many.unload, "one")
        time.sleep(0.3)
        assert refusal(many.load("one", url))[0] == 409
        assert refusal(many.scale("one", min_worker=2))[0] == 503
        assert refusal(many.invoke("one"))[0] == 503
        assert not slow.done()
        assert many.names() == ["one"]
        assert [future.result().status_code for future in (slow, unloading)] == [200, 200]
    assert many.load("one", url).status_code == 200
    assert many.says("one")["value"] == "one"


def test_a_model_that_hangs_can_be_unloaded_while_it_is_scaled(many: Models) -> None:
    """M-20, M-30, M-40: whoever waits for its workers is told that it goes."""
    many.loaded("one")
    many.make("one", load="sleep 60")
    with ThreadPoolExecutor(1) as pool:
        scaling = pool.submit(many.scale, "one", min_worker=2, synchronous="true")
        while len(many.describe("one").json()["workers"]) < 2:
            assert not scaling.done()
            time.sleep(0.02)
        started = time.monotonic()
        assert many.unload("one").status_code == 200
        assert time.monotonic() - started < 20
        assert refusal(scaling.result())[0] == 503
    assert many.names() == []


def _play(many: Models, urls: Mapping[str, list[str]], begin: threading.Barrier, seed: int) -> list[Operation]:
    """What one client did, by dice."""
    dice, history = random.Random(seed), []
    begin.wait(PATIENCE_S)
    for _ in range(4):
        name, what = dice.choice(sorted(urls)), dice.choice(["load", "load", "unload", "invoke", "describe"])
        value = dice.choice(urls[name]) if what == "load" else ""
        started = time.monotonic()
        if what == "load":
            answer = many.load(name, value)
        elif what == "unload":
            answer = many.unload(name)
        else:
            answer = many.invoke(name) if what == "invoke" else many.describe(name)
        ended = time.monotonic()
        assert answer.status_code in _STATUSES[what], (what, answer.text)
        if answer.status_code == 200 and what in ("invoke", "describe"):
            value = answer.json()["directory" if what == "invoke" else "modelUrl"]
        history.append(Operation(name, what, value, answer.status_code, started, ended))
    return history


def test_histories_can_be_explained(many: Models) -> None:
    """M-06, M-12, M-14, M-15, M-16, M-40: random operations at the same time look like some order of them."""
    urls = {name: [many.make(f"{name}{number}") for number in range(2)] for name in ("a", "b", "c")}
    many.loaded("warm")
    for turn in range(6):
        begin = threading.Barrier(_CLIENTS)
        with ThreadPoolExecutor(_CLIENTS) as pool:
            plays = [pool.submit(_play, many, urls, begin, 100 * turn + client) for client in range(_CLIENTS)]
            history = [operation for play in plays for operation in play.result()]
        left = {model["modelName"]: model["modelUrl"] for model in many.page()["models"]}
        for name in urls:
            of_name = [operation for operation in history if operation.name == name]
            assert explained(of_name, left.get(name)), sorted(of_name, key=lambda operation: operation.started)
            many.unload(name)


def test_a_hundred_models(many: Models) -> None:
    """M-12, M-13, M-41, M-42: what each costs is bounded; all of them end with the server, in time."""
    many.loaded("first")
    before = many.family("first", 1)
    many.tree.write("models/shared/model/value", "shared")
    lock = many.tree.write("models/shared/model/lock", "")
    url, names = many.tree.inside("models/shared/model"), [f"m{number:03}" for number in range(110)]
    started = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        assert {answer.status_code for answer in pool.map(lambda name: many.load(name, url), names)} == {200}
    took_s = time.monotonic() - started
    assert took_s < 60
    assert not _free(lock)
    assert many.names(100) == ["first", *names]
    assert many.says(names[-1])["value"] == "shared"
    after = many.family("first", 1 + len(names))
    parent, gateway, *models = (after[pid]["descriptors"] for pid in sorted(after))
    assert parent <= before[min(before)]["descriptors"] + 2
    assert gateway < 4 * len(names)
    assert max(models) < 20
    grown = sum(told["kib"] for told in after.values()) - sum(told["kib"] for told in before.values())
    assert grown / len(names) < 20 * 1024, f"{grown / len(names):.0f} KiB for each model"
    started = time.monotonic()
    assert many.server.stop() == 0
    assert time.monotonic() - started < 25
    assert _free(lock)


def test_unloading_gives_the_memory_back(many: Models) -> None:
    """M-15, M-39: before the answer; what models share does not count twice."""

    def held_kib(models: int) -> int:
        return sum(told["kib"] for told in many.family("first", models).values())

    many.loaded("first", "second")
    empty = held_kib(2)
    for _ in range(2):
        many.loaded("large", load="hold 300")
        assert held_kib(3) > empty + 290 * 1024
        assert many.describe("large").json()["workers"][0]["memoryUsage"] > 290 * _MIB
        assert many.unload("large").status_code == 200
        assert held_kib(2) < empty + 60 * 1024


@pytest.mark.parametrize("busy", ["", "invoke", "load", "unload"])
def test_the_end(platform: Platform, busy: str) -> None:
    """M-42, S-07: what has begun is finished, whatever it is; then nothing is left."""
    with serve_many(platform) as many, ThreadPoolExecutor(3) as pool:
        locks = [many.tree.write(f"models/{name}/model/lock", "") for name in ("one", "two")]
        many.loaded("one")
        calls = []
        if busy in ("invoke", "unload"):
            calls.append(pool.submit(many.invoke, "one", "sleep 2"))
        if busy == "load":
            calls.append(pool.submit(many.load, "two", many.make("two", load="sleep 2")))
        time.sleep(0.5)
        if busy == "unload":
            calls.append(pool.submit(many.unload, "one"))
            time.sleep(0.5)
        started = time.monotonic()
        many.server.terminate()
        assert [call.result().status_code for call in calls] == [200] * len(calls)
        assert many.server.stop() == 0
        assert time.monotonic() - started < 12
        assert all(_free(lock) for lock in locks)


def test_the_end_comes_though_a_model_does_not_stop(platform: Platform) -> None:
    """M-42, S-07: within the platform's patience."""
    with serve_many(platform) as many, ThreadPoolExecutor(2) as pool:
        lock = many.tree.write("models/one/model/lock", "")
        many.loaded("one")
        calls = [
            pool.submit(many.invoke, "one", "sleep 50"),
            pool.submit(many.load, "two", many.make("two", load="sleep 50")),
        ]
        time.sleep(0.5)
        started = time.monotonic()
        many.server.terminate()
        assert many.server.stop() == 0
        assert time.monotonic() - started < 30
        for call in calls:
            with pytest.raises(requests.RequestException):
                call.result()
        assert _free(lock)
