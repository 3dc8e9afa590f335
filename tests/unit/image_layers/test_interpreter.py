"""Moving an interpreter to another prefix. The whole layer is held in tests/layers."""

from __future__ import annotations

import os
import sys
from pathlib import Path, PurePosixPath

import pytest

from image_layers.errors import LayerError
from image_layers.interpreter import copy_interpreter, move_prefix

NEW = PurePosixPath("/usr/local")


def test_text_gets_the_new_prefix_at_its_own_length() -> None:
    content = b"prefix = '/home/me/.pyenv/versions/3.8.18'\nlib = '/home/me/.pyenv/versions/3.8.18/lib'\n"
    assert move_prefix(content, "/home/me/.pyenv/versions/3.8.18", NEW) == (
        b"prefix = '/usr/local'\nlib = '/usr/local/lib'\n"
    )


def test_a_binary_keeps_its_length_and_the_ends_of_its_strings() -> None:
    content = b"\x7fELF\0/opt/versions/3.8.18\0/opt/versions/3.8.18/lib\0"
    moved = move_prefix(content, "/opt/versions/3.8.18", NEW)
    assert moved == b"\x7fELF\0/usr/local////3.8.18\0/usr/local////3.8.18/lib\0"
    assert len(moved) == len(content)


def test_a_binary_whose_old_prefix_is_too_short_for_the_new_one_is_left_alone() -> None:
    content = b"\x7fELF\0/opt/py\0"
    assert move_prefix(content, "/opt/py", NEW) == content


def test_what_does_not_name_the_prefix_is_left_alone() -> None:
    for content in (b"", b"text /opt", b"\0\x01 binary"):
        assert move_prefix(content, "/opt/versions/3.8.18", NEW) == content


def test_an_interpreter_that_has_no_prefix_of_its_own_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = tmp_path / "usr"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin/python3.8").write_bytes(b"")
    monkeypatch.setattr(sys, "base_prefix", str(prefix))
    with pytest.raises(LayerError) as caught:
        copy_interpreter(tmp_path / "tree")
    assert str(caught.value) == (
        f"the interpreter layer is made from {sys.executable}, but {prefix} does not hold bin/python3.8 and "
        "lib/python3.8. Provide a CPython installed below one prefix of its own, for example by pyenv."
    )


def test_what_is_copied_is_what_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = tmp_path / "versions/3.8.18"
    kept = [
        "bin/python3.8",
        "lib/libpython3.8.so.1.0",
        "lib/python3.8/LICENSE.txt",
        "lib/python3.8/json/decoder.py",
        "lib/python3.8/lib-dynload/_json.so",
        "lib/python3.8/os.py",
        "lib/python3.8/unittest/case.py",
    ]
    dropped = [
        "bin/pip",
        "include/python3.8/Python.h",
        "lib/libpython3.8.a",
        "lib/python3.8/__pycache__/os.cpython-38.pyc",
        "lib/python3.8/config-3.8-x86_64-linux-gnu/Makefile",
        "lib/python3.8/ensurepip/_bundled/pip.whl",
        "lib/python3.8/idlelib/idle.py",
        "lib/python3.8/lib-dynload/_testcapi.so",
        "lib/python3.8/lib-dynload/nis.so",
        "lib/python3.8/lib2to3/Grammar3.8.18.final.0.pickle",
        "lib/python3.8/site-packages/pip/__init__.py",
        "lib/python3.8/sqlite3/test/dbapi.py",
        "lib/python3.8/test/test_os.py",
        "lib/python3.8/tkinter/__init__.py",
        "lib/python3.8/turtle.py",
        "share/man/man1/python3.8.1",
    ]
    for name in (*kept, *dropped):
        (prefix / name).parent.mkdir(parents=True, exist_ok=True)
        (prefix / name).write_text(f"{prefix}/lib\n")
        # Some builds install libraries and programs read-only.
        (prefix / name).chmod(0o555)
    monkeypatch.setattr(sys, "base_prefix", str(prefix))
    target = tmp_path / "tree/usr/local"
    copy_interpreter(tmp_path / "tree")
    found = {path.relative_to(target).as_posix(): path for path in target.rglob("*") if not path.is_dir()}
    assert sorted(found) == sorted([*kept, "bin/python", "bin/python3"])
    assert {found[name].read_text() for name in kept} == {"/usr/local/lib\n"}
    assert all(found[name].stat().st_mode & 0o200 for name in kept)
    assert {os.readlink(found[name]) for name in ("bin/python", "bin/python3")} == {"python3.8"}
