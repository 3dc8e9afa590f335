"""The server of many models against a dictionary: whatever is done to it, one after the other, it says the same.

Every case takes the fixture `platform`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.support.many_models import PATIENCE_S, Models, refusal, serve_many
from tests.support.platform import Platform

_NAMES = st.sampled_from(["a", "b", "a/b", "%61", "\u00fc "])
_EXAMPLES = 40
_STEPS = 25


@dataclass
class Loaded:
    """A model as it should be: its directory, its processes, and those that it had before."""

    url: str
    workers: int
    pids: set[int]


class ManyModels(RuleBasedStateMachine):
    """Does things to one server; each run begins by unloading what the last one has left."""

    many: ClassVar[Models]
    urls: ClassVar[dict[str, str]]

    def __init__(self) -> None:
        """A server without models."""
        super().__init__()
        self.loaded: dict[str, Loaded] = {}
        for name in self.many.names():
            assert self.many.unload(name).status_code == 200

    def pids(self, name: str) -> set[int]:
        """The processes of a model, all of which are ready."""
        workers = self.many.describe(name).json()["workers"]
        assert all(worker["status"] == "READY" for worker in workers)
        return {worker["pid"] for worker in workers}

    @rule(name=_NAMES, kind=st.sampled_from(["good", "other", "raise", "memory", "leave", "none"]))
    def load(self, name: str, kind: str) -> None:
        """M-03, M-06 to M-09."""
        answer = self.many.load(name, self.urls[kind])
        if kind == "none":
            assert refusal(answer)[0] == 404
        elif name in self.loaded:
            assert refusal(answer)[0] == 409
        elif kind in ("good", "other"):
            assert answer.status_code == 200
            self.loaded[name] = Loaded(self.urls[kind], 1, self.pids(name))
        else:
            assert refusal(answer)[0] == (507 if kind == "memory" else 500)

    @rule(name=_NAMES)
    def unload(self, name: str) -> None:
        """M-15."""
        answer = self.many.unload(name)
        if self.loaded.pop(name, None) is None:
            assert refusal(answer)[0] == 404
        else:
            assert answer.json() == {"status": f'Model "{name}" unregistered'}

    @rule(name=_NAMES, body=st.sampled_from(["word", "raise no", "memory", "\u2603" * 1000]), times=st.integers(1, 4))
    def invoke(self, name: str, body: str, times: int) -> None:
        """M-16, M-18, M-31."""
        for _ in range(times):
            answer = self.many.invoke(name, body)
            expected = self.loaded.get(name)
            if expected is None:
                assert refusal(answer)[0] == 404
            elif expected.workers == 0:
                assert refusal(answer)[0] == 503
            elif body in ("raise no", "memory"):
                assert refusal(answer)[0] == (507 if body == "memory" else 500)
            else:
                told = answer.json()
                assert (told["directory"], told["body"]) == (expected.url, body)
                assert told["pid"] in expected.pids

    @rule(name=_NAMES, how=st.sampled_from(["kill", "leave"]))
    def crash(self, name: str, how: str) -> None:
        """M-31: another process takes the place of the one that ended."""
        expected = self.loaded.get(name)
        if expected is None or not expected.workers:
            return
        assert refusal(self.many.invoke(name, how))[0] == 502
        deadline = time.monotonic() + PATIENCE_S
        while True:
            workers = self.many.describe(name).json()["workers"]
            pids = {worker["pid"] for worker in workers if worker["status"] == "READY"}
            if len(pids) == len(workers) == expected.workers and pids != expected.pids:
                break
            assert time.monotonic() < deadline, workers
            time.sleep(0.01)
        assert len(pids & expected.pids) == expected.workers - 1
        expected.pids = pids

    @rule(name=_NAMES, workers=st.integers(0, 3))
    def scale(self, name: str, workers: int) -> None:
        """M-20."""
        expected = self.loaded.get(name)
        if expected is None:
            assert refusal(self.many.scale(name, min_worker=workers))[0] == 404
            return
        self._scaled(name, workers)
        pids = self.pids(name)
        assert len(pids & expected.pids) == min(workers, expected.workers)
        expected.workers, expected.pids = workers, pids

    def _scaled(self, name: str, workers: int) -> None:
        answer = self.many.scale(name, min_worker=workers, max_worker=workers, synchronous="true")
        assert (answer.status_code, answer.json()) == (200, {"status": "Workers scaled"})

    @rule(limit=st.integers(1, 4))
    def pages(self, limit: int) -> None:
        """M-13."""
        assert self.many.names(limit) == sorted(self.loaded)

    @rule(name=_NAMES)
    def describe(self, name: str) -> None:
        """M-14."""
        answer, expected = self.many.describe(name), self.loaded.get(name)
        if expected is None:
            assert refusal(answer)[0] == 404
        else:
            told = answer.json()
            assert (told["modelName"], told["modelUrl"]) == (name, expected.url)
            assert (told["minWorkers"], told["maxWorkers"]) == (expected.workers, expected.workers)
            assert {worker["pid"] for worker in told["workers"]} == expected.pids

    @invariant()
    def the_list_is_right(self) -> None:
        """M-02, M-12."""
        listed = [(model["modelName"], model["modelUrl"]) for model in self.many.page()["models"]]
        assert listed == [(name, self.loaded[name].url) for name in sorted(self.loaded)]


def test_whatever_is_done_the_server_says_what_a_dictionary_would(platform: Platform) -> None:
    """M-02 to M-20, M-31: loading good, bad and missing models, using, scaling, crashing and unloading them."""
    with serve_many(platform) as many:
        loads = {"good": "", "other": "print loading", "raise": "raise no", "memory": "memory", "leave": "leave"}
        urls = {kind: many.make(kind, load=load) for kind, load in loads.items()}
        urls["none"] = many.tree.inside("models/none")
        attributes: dict[str, Any] = {"many": many, "urls": urls}
        machine = type("ManyModelsOfOneServer", (ManyModels,), attributes)
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            machine,
            settings=settings(
                max_examples=_EXAMPLES,
                stateful_step_count=_STEPS,
                deadline=None,
                database=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
        assert many.ask("GET", "/ping").status_code == 200
