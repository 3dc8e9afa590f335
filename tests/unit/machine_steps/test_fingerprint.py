"""What the key of a step says of the interpreter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from machine_steps import fingerprint
from machine_steps.fingerprint import digest_of

NAME = "python3.8"


@pytest.fixture()
def prefix(tmp_path: Path) -> Path:
    for name in (f"bin/{NAME}", f"lib/lib{NAME}.so.1.0", f"lib/{NAME}/os.py", f"lib/{NAME}/json/decoder.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_another_build_is_another_interpreter(prefix: Path) -> None:
    seen = {digest_of(str(prefix), NAME)}
    for name in (f"bin/{NAME}", f"lib/lib{NAME}.so.1.0", f"lib/{NAME}/json/decoder.py"):
        (prefix / name).write_text("another build")
        seen.add(digest_of(str(prefix), NAME))
    (prefix / "lib" / NAME / "more.py").touch()
    seen.add(digest_of(str(prefix), NAME))
    assert len(seen) == 5


def test_what_use_leaves_behind_changes_nothing(prefix: Path) -> None:
    before = digest_of(str(prefix), NAME)
    for name in ("__pycache__/os.cpython-38.pyc", "site-packages/any.py", "json/__pycache__/x.pyc", "Grammar.pickle"):
        (prefix / "lib" / NAME / name).parent.mkdir(parents=True, exist_ok=True)
        (prefix / "lib" / NAME / name).touch()
    assert digest_of(str(prefix), NAME) == before


def test_the_same_build_in_another_folder_is_the_same(prefix: Path, tmp_path: Path) -> None:
    moved = tmp_path.parent / f"{tmp_path.name}-moved"
    before = digest_of(str(prefix), NAME)
    prefix.rename(moved)
    assert digest_of(str(moved), NAME) == before


def test_an_interpreter_reports_on_itself() -> None:
    source = Path(fingerprint.__file__).read_text(encoding="utf-8")
    command = [sys.executable, "-I", "-S", "-c", source]
    version, digest = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    assert version == ".".join(map(str, sys.version_info[:3]))
    assert digest == digest_of(sys.base_prefix, f"python{sys.version_info[0]}.{sys.version_info[1]}")
