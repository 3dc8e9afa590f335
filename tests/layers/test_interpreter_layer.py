"""The interpreter layer: moved from its machine, and working wherever it is unpacked."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Iterator

import pytest

from tests.layers.tool import MTIME, run

STDLIB = "usr/local/lib/python3.8"
PROGRAM = """\
import ctypes, encodings.idna, hashlib, json, lzma, sqlite3, ssl, sys, zlib
print(json.dumps({"prefix": sys.prefix, "exec_prefix": sys.exec_prefix, "path": sys.path}))
"""


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tarfile.TarFile]:
    folder = tmp_path_factory.mktemp("interpreter")
    run(folder, "interpreter", "--out=layer.tar")
    with tarfile.open(folder / "layer.tar", encoding="utf-8") as archive:
        yield archive


def _content(layer: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = layer.extractfile(member)
    assert stream is not None
    return stream.read()


def test_no_member_names_the_prefix_that_it_was_copied_from(layer: tarfile.TarFile) -> None:
    source = os.fsencode(sys.base_prefix)
    assert [member.name for member in layer if member.isreg() and source in _content(layer, member)] == []
    assert [member.name for member in layer if member.linkname.startswith("/")] == []


def test_the_usual_names_start_it(layer: tarfile.TarFile) -> None:
    below_bin = {member.name: member.linkname for member in layer if member.name.startswith("usr/local/bin/")}
    assert below_bin == {
        "usr/local/bin/python": "python3.8",
        "usr/local/bin/python3": "python3.8",
        "usr/local/bin/python3.8": "",
    }


def test_there_is_room_for_libraries_and_none_is_there(layer: tarfile.TarFile) -> None:
    assert [name for name in layer.getnames() if "site-packages" in name] == [f"{STDLIB}/site-packages"]


def test_tests_and_what_needs_a_display_or_compiler_do_not_ship(layer: tarfile.TarFile) -> None:
    unwanted = {"test", "tests", "idlelib", "tkinter", "turtledemo", "include", "pkgconfig", "_bundled"}
    assert [name for name in layer.getnames() if unwanted.intersection(name.split("/"))] == []


def test_every_member_is_roots_with_a_plain_mode_and_the_one_time(layer: tarfile.TarFile) -> None:
    assert {(member.uid, member.gid, member.mtime) for member in layer} == {(0, 0, MTIME)}
    assert {oct(member.mode) for member in layer} == {"0o644", "0o755", "0o777"}


def test_every_bytecode_is_valid_for_its_source(layer: tarfile.TarFile) -> None:
    members = {member.name: member for member in layer}
    compiled = [name for name in members if name.endswith(".pyc")]
    assert len(compiled) > 500
    for name in compiled:
        source = members[name.replace("__pycache__/", "").replace(".cpython-38.pyc", ".py")]
        header = _content(layer, members[name])[4:16]
        assert struct.unpack("<3I", header) == (0, source.mtime, source.size), name


def test_it_starts_where_it_is_unpacked(layer: tarfile.TarFile, tmp_path: Path) -> None:
    layer.extractall(tmp_path)
    python = tmp_path / "usr/local/bin/python3.8"
    done = subprocess.run([python, "-I", "-B", "-c", PROGRAM], env={}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    prefix = f"{tmp_path}/usr/local"
    assert done.stdout == (
        f'{{"prefix": "{prefix}", "exec_prefix": "{prefix}", "path": ["{prefix}/lib/python38.zip", '
        f'"{prefix}/lib/python3.8", "{prefix}/lib/python3.8/lib-dynload", "{prefix}/lib/python3.8/site-packages"]}}\n'
    )


def test_the_same_interpreter_gives_the_same_bytes(layer: tarfile.TarFile, tmp_path: Path) -> None:
    run(tmp_path, "interpreter", "--out=again.tar", PYTHONHASHSEED="1", TMPDIR=str(tmp_path))
    assert layer.name is not None
    assert (tmp_path / "again.tar").read_bytes() == Path(os.fsdecode(layer.name)).read_bytes()
