"""Bytecode beside its source."""

from __future__ import annotations

import importlib.util
import marshal
import os
import struct
import sys
from pathlib import Path, PurePosixPath
from types import CodeType

import pytest

from image_layers.bytecode import compile_tree

MTIME = 1767225600
AT = PurePosixPath("/usr/local/lib/python3.8")


def _compiled(source: Path) -> Path:
    return source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_bytecode_is_valid_for_its_source_as_it_will_be_in_the_layer(tmp_path: Path) -> None:
    source = _write(tmp_path / "package/module.py", "größe = 1\n")
    compile_tree(tmp_path, AT, MTIME)
    content = _compiled(source).read_bytes()
    assert content[:16] == importlib.util.MAGIC_NUMBER + struct.pack("<3I", 0, MTIME, source.stat().st_size)
    assert source.stat().st_mtime == MTIME


def test_tracebacks_will_name_the_place_in_the_image(tmp_path: Path) -> None:
    source = _write(tmp_path / "package/module.py", "def f(): pass\n")
    compile_tree(tmp_path, AT, MTIME)
    code = marshal.loads(_compiled(source).read_bytes()[16:])
    (inner,) = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    assert {code.co_filename, inner.co_filename} == {"/usr/local/lib/python3.8/package/module.py"}


def test_compiled_sources_are_imported_without_the_source_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = _write(tmp_path / "compiled_only.py", "VALUE = 1\n")
    compile_tree(tmp_path, AT, MTIME)
    source.write_text("VALUE = 2\n")  # as long as before
    os.utime(source, (MTIME, MTIME))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    specification = importlib.util.spec_from_file_location("compiled_only", source)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    assert module.VALUE == 1


@pytest.mark.parametrize(
    "text",
    [
        "print 'two'\n",
        "{% if template %}\n",
        "x = '\0'\n",
        "# coding: no-such-coding\n",
        "(" * 300 + ")" * 300,
        "-" * 5000 + "1",
    ],
    ids=["python-2", "template", "null", "coding", "nested", "recursive"],
)
def test_sources_that_are_not_valid_for_this_python_are_left_alone(tmp_path: Path, text: str) -> None:
    bad, good = _write(tmp_path / "bad.py", text), _write(tmp_path / "good.py", "")
    compile_tree(tmp_path, AT, MTIME)
    assert bad.read_text() == text
    assert [path.name for path in (tmp_path / "__pycache__").iterdir()] == [_compiled(good).name]


def test_a_folder_that_is_named_like_a_source_is_no_source(tmp_path: Path) -> None:
    source = _write(tmp_path / "folder.py/module.py", "")
    compile_tree(tmp_path, AT, MTIME)
    assert _compiled(source).is_file()


def test_a_tree_without_sources_stays_empty(tmp_path: Path) -> None:
    compile_tree(tmp_path / "none", AT, MTIME)
    assert list(tmp_path.iterdir()) == []


def test_what_was_compiled_before_in_the_same_process_does_not_matter(tmp_path: Path) -> None:
    """One worker compiles many files, in an order that the load of the machine decides.

    The file with a coding of its own makes the worker import a codec, whose names then live in that process.
    """
    text = "decoding_table = encoding_table\n"
    alone = _write(tmp_path / "alone/z.py", text)
    after = _write(tmp_path / "after/z.py", text)
    _write(tmp_path / "after/a.py", "# coding: cp1250\n")
    for root in (alone.parent, after.parent):
        compile_tree(root, AT, MTIME)
    assert _compiled(alone).read_bytes() == _compiled(after).read_bytes()
