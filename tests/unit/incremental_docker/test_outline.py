"""Which layers of an image are known before it is built."""

from __future__ import annotations

import io
import tarfile

import pytest

from incremental_docker.outline import ready_layers, stand_in

FILES = {"a-layer.tar", "b-layer.tar", "file", "folder/a-layer.tar"}


@pytest.mark.parametrize(
    ("dockerfile", "ready"),
    [
        ("FROM x\nADD a-layer.tar /\nENV A=b\nADD b-layer.tar /\nLABEL a=b\nEXPOSE 80", ["a-layer.tar", "b-layer.tar"]),
        ("FROM x\nadd a-layer.tar \\\n  /", ["a-layer.tar"]),
        ('FROM x\nADD ["a-layer.tar", "/"]', ["a-layer.tar"]),
        # What is made above a layer sees its files.
        ("FROM x\nADD a-layer.tar /\nRUN make\nADD b-layer.tar /", ["b-layer.tar"]),
        ("FROM x\nADD a-layer.tar /\nCOPY file /\nADD b-layer.tar /", ["b-layer.tar"]),
        ("FROM x\nADD a-layer.tar /\nADD file /", []),
        ("FROM x\nADD a-layer.tar /\nWORKDIR /made", []),
        # Another stage is no part of the image, or one that is copied from.
        ("FROM x AS y\nADD a-layer.tar /\nFROM x\nCOPY --from=y / /\nADD b-layer.tar /", ["b-layer.tar"]),
        ("FROM x AS y\nADD a-layer.tar /\nFROM y", []),
        # Not unpacked at the root as it is.
        ("FROM x\nADD a-layer.tar /opt", []),
        ("FROM x\nADD --chown=1 a-layer.tar /", []),
        ("FROM x\nADD a-layer.tar b-layer.tar /", []),
        ("FROM x\nCOPY a-layer.tar /", []),
        ("FROM x\nADD ${LAYER} /", []),
        ("FROM x\nADD *.tar /", []),
        ("FROM x\nADD", []),
        ("", []),
    ],
)
def test_the_topmost_archives_are_known(dockerfile: str, ready: list[str]) -> None:
    assert list(ready_layers(dockerfile, ".", FILES)) == ready


def test_names_start_from_the_context_root() -> None:
    assert ready_layers("FROM x\nADD a-layer.tar /", "folder", FILES) == ("folder/a-layer.tar",)
    assert ready_layers("FROM x\nADD b-layer.tar /", "folder", FILES) == ()


def test_a_stand_in_is_an_archive_that_says_what_for() -> None:
    with tarfile.open(fileobj=io.BytesIO(stand_in("12ab"))) as archive:
        [member] = archive.getmembers()
        stream = archive.extractfile(member)
        assert stream is not None
        assert stream.read() == b"12ab"
    assert stand_in("12ab") != stand_in("12ac")
