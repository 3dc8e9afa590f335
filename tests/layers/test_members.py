"""What is in a libraries layer, member by member."""

from __future__ import annotations

import marshal
import os
import struct
import tarfile
from pathlib import Path
from types import CodeType
from typing import Iterator

import pytest

from tests.layers.libraries import build_layer, write_inputs
from tests.layers.tool import MTIME

SITE_PACKAGES = "usr/local/lib/python3.8/site-packages/"
KINDS = {tarfile.REGTYPE: "file", tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "link", tarfile.LNKTYPE: "same"}


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tarfile.TarFile]:
    folder = tmp_path_factory.mktemp("layer")
    write_inputs(folder)
    with tarfile.open(build_layer(folder), encoding="utf-8") as archive:
        yield archive


def _content(layer: tarfile.TarFile, name: str) -> bytes:
    stream = layer.extractfile(name)
    assert stream is not None
    return stream.read()


def _filenames(code: CodeType) -> set[str]:
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return {code.co_filename}.union(*map(_filenames, inner))


def test_the_members_are_those_of_the_list(layer: tarfile.TarFile) -> None:
    """The sizes of bytecode are CPython's own affair and stay out of the list."""
    listed = Path(__file__).with_name("members.txt").read_text(encoding="utf-8").splitlines()
    found = [
        f"{KINDS[member.type]:9} {member.mode:04o} {member.uid}:{member.gid} "
        f"{'-' if member.name.endswith('.pyc') else member.size:>5} /{member.name}"
        for member in layer
    ]
    assert found == [line for line in listed if not line.startswith("#")], "\n".join(found)


def test_a_replaced_file_ships_as_ours(layer: tarfile.TarFile) -> None:
    assert _content(layer, f"{SITE_PACKAGES}alpha/slow.py") == b"NAMES = {'a', 'b', None}\n"


def test_every_member_has_the_one_time(layer: tarfile.TarFile) -> None:
    assert {member.mtime for member in layer} == {MTIME}


def test_every_bytecode_is_valid_for_its_source(layer: tarfile.TarFile) -> None:
    compiled = [name for name in layer.getnames() if name.endswith(".pyc")]
    assert compiled
    for name in compiled:
        folder, _, file = name.rpartition("__pycache__/")
        source = layer.getmember(f"{folder}{file.partition('.')[0]}.py")
        flags, mtime, size = struct.unpack("<3I", _content(layer, name)[4:16])
        assert (flags, mtime, size) == (0, source.mtime, source.size)


def test_every_valid_source_of_a_library_has_its_bytecode(layer: tarfile.TarFile) -> None:
    names = layer.getnames()
    sources = [name for name in names if name.startswith(SITE_PACKAGES) and name.endswith(".py")]
    folded = {os.path.join(os.path.dirname(name), "__pycache__", os.path.basename(name)) for name in sources}
    compiled = {name.replace(".cpython-38.pyc", ".py") for name in names if name.endswith(".pyc")}
    assert folded - compiled == {f"{SITE_PACKAGES}alpha/__pycache__/template.py"}


def test_bytecode_names_the_place_in_the_image(layer: tarfile.TarFile) -> None:
    for name in layer.getnames():
        if name.endswith(".pyc"):
            source = name.replace("__pycache__/", "").replace(".cpython-38.pyc", ".py")
            assert _filenames(marshal.loads(_content(layer, name)[16:])) == {f"/{source}"}
            assert source.startswith(SITE_PACKAGES)


def test_scripts_are_not_compiled(layer: tarfile.TarFile) -> None:
    below_bin = [name for name in layer.getnames() if name.startswith("usr/local/bin/")]
    assert below_bin == ["usr/local/bin/alpha", "usr/local/bin/alpha-script.py"]
    for name in below_bin:
        assert _content(layer, name).startswith(b"#!/usr/local/bin/python3.8\n")


def test_no_member_names_the_folder_that_the_layer_was_built_in(
    layer: tarfile.TarFile, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = os.fsencode(tmp_path_factory.getbasetemp())
    assert [member.name for member in layer if member.isreg() and place in _content(layer, member.name)] == []


def test_metadata_is_corrected(layer: tarfile.TarFile) -> None:
    metadata = _content(layer, f"{SITE_PACKAGES}alpha-1.0.dist-info/METADATA").decode()
    assert [line for line in metadata.splitlines() if line.startswith("Requires-Dist")] == ["Requires-Dist: beta>=1"]
