"""What is read out of the engine's answers; tests/repository asks a real engine."""

from __future__ import annotations

import pytest

from image_graph.engine import HeldImage, Layer, NoEngineError, find, held_images, layers_of

_HISTORY = [
    {"CreatedBy": "LABEL a=b", "Size": "0"},
    {"CreatedBy": "COPY /checked/ / # buildkit", "Size": "397"},
    {"CreatedBy": "ENV LANG=C.UTF-8", "Size": "0"},
    {"CreatedBy": "ADD empty-layer.tar / # buildkit", "Size": "0"},
    {"CreatedBy": '/bin/sh -c #(nop)  CMD ["sh"]', "Size": "0"},
    {"CreatedBy": "/bin/sh -c #(nop) ADD file:1 in / ", "Size": "77188243"},
]


def test_layers_are_those_of_the_instructions_that_make_one() -> None:
    assert layers_of(["sha256:a", "sha256:b", "sha256:c"], _HISTORY) == (
        Layer("sha256:a", 77188243, "/bin/sh -c #(nop) ADD file:1 in / "),
        Layer("sha256:b", 0, "ADD empty-layer.tar / # buildkit"),
        Layer("sha256:c", 397, "COPY /checked/ / # buildkit"),
    )


def test_a_history_that_does_not_fit_the_layers_says_nothing() -> None:
    assert layers_of(["sha256:a", "sha256:b"], _HISTORY) == ()


def test_the_image_without_a_registry_comes_first() -> None:
    pushed = HeldImage("sha256:1", ("registry.test/team/app:1",), 1, ())
    local = HeldImage("sha256:2", ("app:1",), 1, ())
    other = HeldImage("sha256:3", ("my-app:1", "app:10"), 1, ())
    assert find([pushed, other, local], "app", ["1"]) is local
    assert find([pushed, other], "app", ["1"]) is pushed
    assert find([other], "app", ["1"]) is None


def test_no_client_is_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(NoEngineError, match="there is no `docker` on PATH"):
        held_images(["app"])
