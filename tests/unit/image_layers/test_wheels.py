"""Wheels for pins, by the pip that the tool runs with, from a folder in place of a registry."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from image_layers.errors import LayerError
from image_layers.wheels import collect_wheels
from tests.support.wheels import build_wheel, locked, sha256_of

ADVICE = (
    "A hash that differs means that the registry serves other bytes than were locked: do not use them. A "
    "version that is missing was withdrawn, or the mirror does not carry it: lock again "
    "(3rdparty/README.md). No answer: check pip's own settings (`pip config list`) and the network."
)


@pytest.fixture()
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes every distribution from, and nothing from elsewhere."""
    folder = tmp_path / "registry"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "cache"))
    return folder


def _pins(folder: Path, text: str) -> Path:
    path = folder / "pins.txt"
    path.write_text(text)
    return path


def test_a_pin_brings_its_wheel_and_nothing_that_the_wheel_declares(tmp_path: Path, registry: Path) -> None:
    wheel = build_wheel(registry, "a", {"a.py": ""}, requires=["not-there"])
    build_wheel(registry, "a", {"a.py": ""}, version="2.0")
    collect_wheels(_pins(tmp_path, locked(wheel, "a==1.0")), tmp_path / "out/wheels")
    assert [path.name for path in (tmp_path / "out/wheels").iterdir()] == ["a-1.0-py3-none-any.whl"]
    assert sha256_of(tmp_path / "out/wheels/a-1.0-py3-none-any.whl") == sha256_of(wheel)


def test_no_pins_are_no_wheels(tmp_path: Path) -> None:
    collect_wheels(_pins(tmp_path, "\n"), tmp_path / "wheels")
    assert list((tmp_path / "wheels").iterdir()) == []


def test_a_constraint_of_the_machine_does_not_reach_the_locked_set(
    tmp_path: Path, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    constraint = tmp_path / "constraint.txt"
    constraint.write_text("a!=1.0\n")
    monkeypatch.setenv("PIP_CONSTRAINT", str(constraint))
    wheel = build_wheel(registry, "a", {"a.py": ""})
    collect_wheels(_pins(tmp_path, locked(wheel, "a==1.0")), tmp_path / "wheels")
    assert (tmp_path / "wheels" / wheel.name).is_file()


def test_other_bytes_than_locked_are_refused_with_both_hashes(tmp_path: Path, registry: Path) -> None:
    locked_wheel = build_wheel(tmp_path / "as-locked", "a", {"a.py": ""})
    served = build_wheel(registry, "a", {"a.py": "import os  # changed\n"})
    pins = _pins(tmp_path, locked(locked_wheel, "a==1.0"))
    with pytest.raises(LayerError) as caught:
        collect_wheels(pins, tmp_path / "wheels")
    message = str(caught.value)
    assert message.startswith(f"fetching the wheels of {pins} failed; pip said:\n")
    assert message.endswith(f"\n{ADVICE}")
    for named in (f"a==1.0 from file://{served}", sha256_of(locked_wheel), sha256_of(served)):
        assert named in message
    assert list((tmp_path / "wheels").iterdir()) == []


def test_a_missing_package_is_named_with_pips_words(tmp_path: Path, registry: Path) -> None:
    pins = _pins(tmp_path, f"absent==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(LayerError) as caught:
        collect_wheels(pins, tmp_path / "wheels")
    assert str(caught.value) == (
        f"fetching the wheels of {pins} failed; pip said:\n"
        "ERROR: Could not find a version that satisfies the requirement absent==1.0 (from versions: none)\n"
        f"ERROR: No matching distribution found for absent==1.0\n{ADVICE}"
    )


def test_a_source_only_distribution_is_built_with_what_the_tool_runs_with(tmp_path: Path, registry: Path) -> None:
    source = _source_distribution(registry)
    collect_wheels(_pins(tmp_path, locked(source, "built==1.0")), tmp_path / "wheels")
    assert [path.name for path in (tmp_path / "wheels").iterdir()] == ["built-1.0-py3-none-any.whl"]


def _source_distribution(folder: Path) -> Path:
    archive_path = folder / "built-1.0.tar.gz"
    files = {
        "setup.py": "from setuptools import setup\nsetup(name='built', version='1.0', py_modules=['built'])\n",
        "built.py": "",
        "PKG-INFO": "Metadata-Version: 2.1\nName: built\nVersion: 1.0\n",
    }
    with tarfile.open(archive_path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"built-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return archive_path
