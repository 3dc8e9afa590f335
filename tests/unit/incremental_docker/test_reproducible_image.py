"""The configuration of an image without the clock, and the archive that brings it to an engine."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import Any

import pytest

from incremental_docker.reproducible_image import archive_of, configuration

CREATED = "2026-01-02T03:04:05Z"
LAYERS = ["sha256:aa", "sha256:bb"]
LAYER_FILES = ["0/layer.tar", "1/layer.tar"]
# The newest first, as the engine has it.
STEPS = [
    {"CreatedBy": "ADD b.tar / # buildkit", "Comment": "buildkit.dockerfile.v0", "CreatedAt": "now"},
    {"CreatedBy": "ENV A=b", "Comment": "buildkit.dockerfile.v0", "CreatedAt": "now"},
    {"CreatedBy": "RUN make # buildkit", "Comment": "", "CreatedAt": "earlier"},
]


def image(**changes: Any) -> dict[str, Any]:
    """What an engine says of an image; a container's fields and its own are among it."""
    config = {"Hostname": "", "Tty": False, "Image": "", "Cmd": None, "Env": ["A=b"], "WorkingDir": "/", "Labels": None}
    described = {
        "Id": "sha256:00",
        "Created": "2026-11-23T03:10:33.556848844Z",
        "Architecture": "amd64",
        "Os": "linux",
        "Config": config,
        "RootFS": {"Type": "layers", "Layers": LAYERS},
        "Metadata": {"LastTagTime": "now"},
    }
    return {**described, **changes}


def test_the_configuration_is_the_images_own_and_holds_one_time() -> None:
    described = json.loads(configuration(image(), STEPS, CREATED))
    assert described == {
        "architecture": "amd64",
        "config": {"Env": ["A=b"], "WorkingDir": "/"},
        "created": CREATED,
        "history": [
            {"created": CREATED, "created_by": "RUN make # buildkit"},
            {"created": CREATED, "created_by": "ENV A=b", "comment": "buildkit.dockerfile.v0", "empty_layer": True},
            {"created": CREATED, "created_by": "ADD b.tar / # buildkit", "comment": "buildkit.dockerfile.v0"},
        ],
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": LAYERS},
    }


def test_the_time_of_the_build_does_not_show() -> None:
    later = image(Created="2027-01-01T00:00:00Z", Id="sha256:11", Metadata={"LastTagTime": "later"})
    steps = [{**step, "CreatedAt": "later"} for step in STEPS]
    assert configuration(later, steps, CREATED) == configuration(image(), STEPS, CREATED)


@pytest.mark.parametrize(
    "changes",
    [{"Architecture": "arm64", "Variant": "v8"}, {"Config": {"User": "1000"}}, {"RootFS": {"Layers": ["sha256:cc"]}}],
)
def test_what_the_image_is_shows(changes: dict[str, Any]) -> None:
    assert configuration(image(**changes), STEPS, CREATED) != configuration(image(), STEPS, CREATED)


@pytest.mark.parametrize(
    ("made", "adds_a_layer"),
    [
        ("/bin/sh -c #(nop) ADD file:aa in / ", True),
        ("/bin/sh -c #(nop) COPY file:aa in / ", True),
        ('/bin/sh -c #(nop)  CMD ["python3"]', False),
        ("/bin/sh -c set -eux; apt-get update", True),
        ("EXPOSE map[8080/tcp:{}]", False),
        ("LABEL a=b", False),
        ("COPY /checked/ / # buildkit", True),
    ],
)
def test_steps_of_either_builder_are_told_apart(made: str, adds_a_layer: bool) -> None:
    layers = LAYERS[:1] if adds_a_layer else []
    described = json.loads(configuration(image(RootFS={"Layers": layers}), [{"CreatedBy": made}], CREATED))
    [step] = described["history"]
    assert step.get("empty_layer", False) is not adds_a_layer


def test_a_history_that_does_not_fit_the_layers_is_left_out() -> None:
    assert "history" not in json.loads(configuration(image(), STEPS[1:], CREATED))


def test_the_archive_names_every_layer_and_holds_none() -> None:
    config = configuration(image(), STEPS, CREATED)
    with tarfile.open(fileobj=io.BytesIO(archive_of(config, ["child:1", "child:2"]))) as archive:
        name = f"{hashlib.sha256(config).hexdigest()}.json"
        assert archive.getnames() == [name, "manifest.json"]
        stored, manifest = (archive.extractfile(member) for member in archive.getmembers())
        assert stored is not None
        assert manifest is not None
        assert stored.read() == config
        assert json.load(manifest) == [{"Config": name, "RepoTags": ["child:1", "child:2"], "Layers": LAYER_FILES}]
