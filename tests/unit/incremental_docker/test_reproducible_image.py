"""The configuration of an image without the clock, and the archive that brings it to an engine."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from incremental_docker.reproducible_image import ImageError, Layer, configuration, reproduce, write_archive

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


def test_layers_that_were_built_as_stand_ins_are_the_files_themselves() -> None:
    described = json.loads(configuration(image(), STEPS, CREATED, [Layer("cc", "b.tar")]))
    assert described["rootfs"]["diff_ids"] == ["sha256:aa", "sha256:cc"]
    assert len(described["history"]) == 3


@pytest.mark.parametrize("sent", [{}, {1: "b.tar"}])
def test_the_archive_names_every_layer_and_holds_those_that_are_asked_for(sent: dict[int, str], tmp_path: Path) -> None:
    (tmp_path / "b.tar").write_bytes(b"layer")
    config = configuration(image(), STEPS, CREATED)
    stream = io.BytesIO()
    write_archive(config, ["child:1", "child:2"], {n: str(tmp_path / path) for n, path in sent.items()}, stream)
    stream.seek(0)
    with tarfile.open(fileobj=stream) as archive:
        name = f"{hashlib.sha256(config).hexdigest()}.json"
        assert archive.getnames() == [name, "manifest.json", *(f"{number}/layer.tar" for number in sent)]
        stored, manifest, *layers = (archive.extractfile(member) for member in archive.getmembers())
        assert stored is not None
        assert manifest is not None
        assert stored.read() == config
        assert json.load(manifest) == [{"Config": name, "RepoTags": ["child:1", "child:2"], "Layers": LAYER_FILES}]
        assert [layer.read() for layer in layers if layer] == [b"layer"] * len(sent)


# `image load` reads what it is sent, and asks for layers as an engine does until it has all from the first one on.
CLIENT = """#!/usr/bin/env python3
import json, pathlib, sys, tarfile
folder = pathlib.Path(__file__).parent
if sys.argv[2] == "history":
    print((folder / "history").read_text())
elif sys.argv[2] == "inspect":
    print((folder / ("id" if "--format" in sys.argv else "described")).read_text())
else:
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as archive:
        names = archive.getnames()
    with (folder / "loads").open("a") as loads:
        print(*names[2:], file=loads)
    first = int((folder / "lacking").read_text())
    lacking = [n for n in range(first, 3) if f"{n}/layer.tar" not in names]
    if lacking:
        sys.exit(f"open /var/lib/docker/tmp/docker-import-12/{lacking[0]}/layer.tar: no such file or directory")
    (folder / "id").write_text(f"sha256:{names[0].partition('.')[0]}")
"""


@pytest.mark.parametrize(
    ("lacking", "loads"),
    [
        (3, [""]),
        (2, ["", "2/layer.tar"]),
        (1, ["", "1/layer.tar 2/layer.tar"]),
    ],
)
def test_an_engine_is_sent_the_layers_that_it_lacks(lacking: int, loads: list[str], tmp_path: Path) -> None:
    client, layers = _client(tmp_path, lacking)
    assert reproduce(client, CREATED, layers, ["child:1"], "built").startswith("sha256:")
    assert (tmp_path / "loads").read_text().splitlines() == loads


def test_a_layer_of_the_parents_that_an_engine_lacks_is_an_error(tmp_path: Path) -> None:
    client, layers = _client(tmp_path, 0)
    with pytest.raises(ImageError, match="0/layer.tar: no such file"):
        reproduce(client, CREATED, layers, ["child:1"], "built")
    assert (tmp_path / "loads").read_text().splitlines() == [""]


def _client(folder: Path, lacking: int) -> tuple[str, list[Layer]]:
    """A client of an engine that lacks the layers from number `lacking` on, and the upper two of an image's three."""
    (folder / "docker").write_text(CLIENT)
    (folder / "docker").chmod(0o755)
    (folder / "described").write_text(json.dumps([image(RootFS={"Layers": ["sha256:aa", "sha256:11", "sha256:22"]})]))
    (folder / "history").write_text("\n".join(json.dumps(step) for step in STEPS))
    (folder / "lacking").write_text(str(lacking))
    layers = []
    for name in ("b", "c"):
        (folder / f"{name}.tar").write_text(name)
        layers.append(Layer(hashlib.sha256(name.encode()).hexdigest(), str(folder / f"{name}.tar")))
    return str(folder / "docker"), layers
