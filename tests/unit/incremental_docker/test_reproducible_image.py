"""The configuration of an image without the clock, and the archive that brings it to an engine."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from incremental_docker.reproducible_image import Archive, BuildError, ImageError, Layer, configuration, reproduce

CREATED = "2026-01-02T03:04:05Z"
LAYERS = ["sha256:aa", "sha256:bb"]
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


def test_the_archive_names_every_layer_and_holds_those_that_are_known(tmp_path: Path) -> None:
    (tmp_path / "b.tar").write_bytes(b"layer")
    config = configuration(image(), STEPS, CREATED, [Layer("cc", "b.tar")])
    stream = io.BytesIO()
    archive = Archive(stream)
    archive.add_layers([Layer("cc", str(tmp_path / "b.tar"))])
    archive.end(config, ["child:1", "child:2"])
    stream.seek(0)
    with tarfile.open(fileobj=stream) as written:
        name = f"{hashlib.sha256(config).hexdigest()}.json"
        assert written.getnames() == ["cc/layer.tar", name, "manifest.json"]
        layer, stored, manifest = (written.extractfile(member) for member in written.getmembers())
        assert layer is not None
        assert stored is not None
        assert manifest is not None
        assert layer.read() == b"layer"
        assert stored.read() == config
        assert json.load(manifest) == [
            {"Config": name, "RepoTags": ["child:1", "child:2"], "Layers": ["0/layer.tar", "cc/layer.tar"]}
        ]


# `image load` keeps what it is sent; `build` ends as it is told to.
CLIENT = """#!/usr/bin/env python3
import pathlib, sys
folder = pathlib.Path(__file__).parent
if sys.argv[1] == "build":
    print("built")
    sys.exit(int(sys.argv[2]))
elif sys.argv[2] == "history":
    print((folder / "history").read_text())
elif sys.argv[2] == "inspect":
    print((folder / ("id" if "--format" in sys.argv else "described")).read_text())
elif (folder / "refusal").exists():
    sys.exit((folder / "refusal").read_text())
else:
    (folder / "sent").write_bytes(sys.stdin.buffer.read())
"""
# More than a pipe takes while nobody reads it.
LARGE = bytes(1 << 20)


@pytest.fixture()
def engine(tmp_path: Path) -> Path:
    """A folder with a client that says of the image `built` that it has two layers."""
    (tmp_path / "docker").write_text(CLIENT)
    (tmp_path / "docker").chmod(0o755)
    (tmp_path / "described").write_text(json.dumps([image()]))
    (tmp_path / "history").write_text("\n".join(json.dumps(step) for step in STEPS))
    (tmp_path / "b.tar").write_bytes(LARGE)
    return tmp_path


def run(engine: Path, build_status: int = 0) -> str:
    client = str(engine / "docker")
    layers = [Layer(hashlib.sha256(LARGE).hexdigest(), str(engine / "b.tar"))]
    return reproduce(client, CREATED, layers, ["child:1"], "built", [client, "build", str(build_status)])


def test_an_image_is_built_and_handed_over_with_its_layers(engine: Path) -> None:
    layers = [Layer(hashlib.sha256(LARGE).hexdigest(), "b.tar")]
    image_id = f"sha256:{hashlib.sha256(configuration(image(), STEPS, CREATED, layers)).hexdigest()}"
    (engine / "id").write_text(image_id)
    assert run(engine) == image_id
    with tarfile.open(engine / "sent") as archive:
        assert [member.size for member in archive.getmembers()][0] == len(LARGE)


def test_an_engine_that_takes_it_for_another_image_is_an_error(engine: Path) -> None:
    (engine / "id").write_text("sha256:another")
    with pytest.raises(ImageError, match="for sha256:another"):
        run(engine)


def test_what_an_engine_says_that_does_not_take_it_is_told(engine: Path) -> None:
    """Whatever it has read of it by then."""
    (engine / "refusal").write_text("no such layer")
    with pytest.raises(ImageError, match="image load` ended with 1: no such layer"):
        run(engine)


def test_of_a_build_that_failed_nothing_is_handed_over(engine: Path) -> None:
    with pytest.raises(BuildError):
        run(engine, build_status=7)
    assert not (engine / "sent").exists()
