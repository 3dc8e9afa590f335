"""The message of a failed image build."""

from __future__ import annotations

import pytest

from incremental_docker.failures import explain


def test_the_message_names_target_tag_and_what_was_said() -> None:
    assert explain("docker/base:image", "base:1", "  something new  \n") == (
        "docker/base:image: building base:1 failed. The engine said:\nsomething new"
    )


@pytest.mark.parametrize(
    ("said", "next_step"),
    [
        (
            "Cannot connect to the Docker daemon at unix:///run/engine.sock. Is the docker daemon running?",
            "The engine is gone. Start it, or run ./pants again, which starts one.",
        ),
        (
            "failed to copy files: write /usr/lib/x.so: No space left on device",
            "The engine's disk is full: `docker system df`, then `docker builder prune`.",
        ),
        (
            'failed to compute cache key: "/missing.tar" not found: not found',
            "An ADD or COPY names what no entry of the target's `dependencies` provides.",
        ),
        (
            "Error response from daemon: No such image: sha256:0123",
            "The parent image was removed after Pants had seen to it, for example by `docker image prune`. Repeat the "
            "command: it is brought back.",
        ),
    ],
)
def test_the_message_ends_with_the_next_step_where_it_is_known(said: str, next_step: str) -> None:
    assert explain("docker/base:image", "base:1", f"#1 [internal]\n{said}\n").endswith(f"{said}\n\n{next_step}")
