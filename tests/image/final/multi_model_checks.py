"""What only a container shows of many models: little memory, few processes, a root that cannot be written."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Iterator

import pytest

from tests.support.container_platform import ContainerPlatform
from tests.support.engine import Image
from tests.support.many_models import refusal, serve_many

_LITTLE = {"mem_limit": "500m", "memswap_limit": "500m"}
_CLOSED = {"user": "54321:54321", "read_only": True, "tmpfs": {"/tmp": "mode=1777"}, "cap_drop": ["ALL"]}

# Loads as much as the file `mib` says, or without end.
_GREEDY = """
import os
def model_fn(model_dir):
    wanted, held = int(open(model_dir + "/mib").read()), []
    while not wanted or len(held) < wanted:
        held.append(os.urandom(1 << 20))
    return held
def input_fn(body, content_type):
    return body
def predict_fn(data, model):
    return str(len(model))
def output_fn(prediction, accept):
    return prediction
"""


@pytest.fixture()
def machines(image: Image, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[ContainerPlatform]:
    """`docker run` with the options that the test is parametrized with."""
    platform = ContainerPlatform(image, tmp_path, **getattr(request, "param", {}))
    yield platform
    platform.close()


@pytest.mark.parametrize("machines", [_LITTLE], indirect=True)
def test_a_model_that_takes_memory_without_end_is_refused(machines: ContainerPlatform) -> None:
    """M-07, M-31, D-8: with 507, and neither the others nor the server come to harm."""
    with serve_many(machines, script=_GREEDY) as many:
        many.loaded("small", mib="10")
        before = [worker["pid"] for worker in many.describe("small").json()["workers"]]
        for _ in range(2):
            assert refusal(many.load("greedy", many.make("greedy", mib="0")))[0] == 507
            assert many.names() == ["small"]
            assert many.invoke("small").text == "10"
        assert [worker["pid"] for worker in many.describe("small").json()["workers"]] == before


@pytest.mark.parametrize("machines", [_LITTLE], indirect=True)
def test_a_model_that_leaks_harms_no_other(machines: ContainerPlatform) -> None:
    """M-31, S-46: the kernel ends its process, nothing else, and it comes back."""
    script = _GREEDY.replace(
        "    return str(len(model))\n", "    model.extend(os.urandom(1 << 20) for _ in range(20))\n    return '1'\n"
    )
    with serve_many(machines, script=_GREEDY) as many:
        many.loaded("other", mib="10")
        before = many.describe("other").json()["workers"][0]["pid"]
        many.loaded("leaky", mib="1", **{"code/inference.py": script})
        statuses: list[int] = []
        while not statuses or statuses[-1] == 200:
            statuses.append(many.invoke("leaky").status_code)
            assert many.invoke("other").text == "10"
            assert len(statuses) < 40
        assert statuses[-1] in (502, 507)
        assert len(statuses) > 3
        assert many.describe("other").json()["workers"][0]["pid"] == before
        deadline = time.monotonic() + 60
        while many.invoke("leaky").status_code != 200:
            assert time.monotonic() < deadline


@pytest.mark.parametrize("machines", [_LITTLE], indirect=True)
def test_models_are_loaded_until_there_is_no_room_and_again_when_there_is(machines: ContainerPlatform) -> None:
    """M-07, M-15: the platform unloads one, and asks again."""
    with serve_many(machines, script=_GREEDY) as many:
        loaded: list[str] = []
        while True:
            name = f"m{len(loaded):02}"
            answer = many.load(name, many.make(name, mib="60"))
            if answer.status_code != 200:
                break
            loaded.append(name)
            assert len(loaded) < 10
        assert refusal(answer)[0] == 507
        assert len(loaded) >= 2
        assert many.unload(loaded[0]).status_code == 200
        assert many.load(name, many.make(name, mib="60")).status_code == 200
        for left in [*loaded[1:], name]:
            assert many.invoke(left).text == "60"


@pytest.mark.parametrize("machines", [{"pids_limit": 24}], indirect=True)
def test_no_room_for_another_process_is_told(machines: ContainerPlatform) -> None:
    """M-07, M-30, M-41: whoever asks has an answer, and the models that there are serve on."""
    with serve_many(machines, {"OPENBLAS_NUM_THREADS": "1"}, script=_GREEDY) as many:
        url = many.make("one", mib="1")
        statuses: list[int] = []
        while not statuses or statuses[-1] == 200:
            statuses.append(many.load(f"m{len(statuses):02}", url).status_code)
            assert len(statuses) < 40
        assert statuses[-1] == 507
        assert many.invoke("m00").text == "1"
        assert many.unload("m00").status_code == 200
        assert many.load("again", url).status_code == 200


@pytest.mark.parametrize("machines", [_CLOSED], indirect=True)
def test_many_models_need_nothing_to_write_to(machines: ContainerPlatform) -> None:
    """L-06, M-03, M-16: nor any right."""
    with serve_many(machines, script=_GREEDY) as many:
        many.loaded("one", mib="1")
        assert many.invoke("one").text == "1"


@pytest.mark.parametrize("machines", [{"read_only": True, "tmpfs": {"/tmp": "size=64k"}}], indirect=True)
def test_a_full_disk_fails_what_has_to_be_written(machines: ContainerPlatform) -> None:
    """M-08, M-31, M-34: a model that brings requirements; the others load and answer."""
    fill = """
def model_fn(model_dir):
    with open("/tmp/full", "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1024))
        except OSError:
            pass
    return [0]
"""
    with serve_many(machines, {"PIP_NO_INDEX": "1"}, script=_GREEDY) as many:
        many.loaded("one", mib="1")
        many.loaded("filler", **{"code/inference.py": fill + _GREEDY.partition("    return held\n")[2]})
        status, _, message = refusal(many.load("two", many.make("two", mib="1", **{"code/requirements.txt": "pad\n"})))
        assert status == 500
        assert message
        many.loaded("three", mib="1")
        assert [many.invoke(name).text for name in ("one", "filler", "three")] == ["1", "1", "1"]
