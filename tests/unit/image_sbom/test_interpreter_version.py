"""Which CPython a layer holds."""

from __future__ import annotations

import platform
import tarfile
from pathlib import Path

import pytest

from image_layers.interpreter import copy_interpreter
from image_sbom.errors import BillError
from image_sbom.interpreter import interpreter_version


def test_the_layers_interpreter_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    copy_interpreter(tmp_path / "tree")
    with tarfile.open("layer.tar", "w") as archive:
        archive.add("tree/usr", "usr")
    assert interpreter_version(Path("layer.tar")) == platform.python_version()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["layer.tar", "tree"]


def test_a_layer_without_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tarfile.open("layer.tar", "w").close()
    with pytest.raises(BillError, match=r"asking the interpreter of layer\.tar for its version: .*No such file"):
        interpreter_version(Path("layer.tar"))


def test_one_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "broken"
    script.write_text("#!/bin/sh\necho no library\nexit 3\n")
    script.chmod(0o755)
    with tarfile.open("layer.tar", "w") as archive:
        archive.add("broken", "usr/local/bin/python3.8")
    with pytest.raises(BillError, match=r"failed; it said:\nno library$"):
        interpreter_version(Path("layer.tar"))
