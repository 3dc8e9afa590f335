"""Wheels, unpacked as they ship."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from image_layers.corrections import Corrections
from image_layers.errors import LayerError
from image_layers.libraries import unpack_wheels
from image_layers.trimming import Trimming
from tests.support.wheels import build_wheel

SITE_PACKAGES = "usr/local/lib/python3.8/site-packages"
AS_DECLARED = Corrections({}, frozenset())
WHOLE = Trimming(())


@pytest.fixture()
def wheels(tmp_path: Path) -> Path:
    return tmp_path / "wheels"


@pytest.fixture()
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    tree.mkdir()
    return tree


def _files(tree: Path) -> list[str]:
    return sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*") if not path.is_dir())


def test_a_wheel_is_installed_as_pip_would(wheels: Path, tree: Path) -> None:
    files = {
        "a/__init__.py": "",
        "a-1.0.data/scripts/run-a": "#!python\nprint()\n",
        "a-1.0.data/data/share/a/data.txt": "data\n",
        "a-1.0.data/headers/a.h": "",
        "a-1.0.data/purelib/a_extra.py": "",
    }
    build_wheel(wheels, "a", files, scripts={"a-command": "a:main"})
    unpack_wheels(wheels, tree, WHOLE, AS_DECLARED)
    assert _files(tree) == [
        "usr/local/bin/a-command",
        "usr/local/bin/run-a",
        "usr/local/include/python3.8/a.h",
        f"{SITE_PACKAGES}/a-1.0.dist-info/INSTALLER",
        f"{SITE_PACKAGES}/a-1.0.dist-info/METADATA",
        f"{SITE_PACKAGES}/a-1.0.dist-info/RECORD",
        f"{SITE_PACKAGES}/a-1.0.dist-info/WHEEL",
        f"{SITE_PACKAGES}/a-1.0.dist-info/entry_points.txt",
        f"{SITE_PACKAGES}/a/__init__.py",
        f"{SITE_PACKAGES}/a_extra.py",
        "usr/local/share/a/data.txt",
    ]


def test_commands_start_the_interpreter_of_the_images(wheels: Path, tree: Path) -> None:
    build_wheel(
        wheels,
        "a",
        {"a-1.0.data/scripts/run-a": "#!python\n"},
        scripts={"a-command": "a:main"},
        executable={"a-1.0.data/scripts/run-a"},
    )
    unpack_wheels(wheels, tree, WHOLE, AS_DECLARED)
    for name in ("a-command", "run-a"):
        command = tree / "usr/local/bin" / name
        assert command.read_text().splitlines()[0] == "#!/usr/local/bin/python3.8"
        assert command.stat().st_mode & 0o100


def test_a_file_is_executable_where_the_wheel_says_so(wheels: Path, tree: Path) -> None:
    build_wheel(wheels, "a", {"a/tool": "", "a/data": ""}, executable={"a/tool"})
    unpack_wheels(wheels, tree, WHOLE, AS_DECLARED)
    modes = [(tree / SITE_PACKAGES / "a" / name).stat().st_mode & 0o100 for name in ("tool", "data")]
    assert modes == [0o100, 0]


def test_the_record_lists_what_is_there_in_order_of_paths(wheels: Path, tree: Path) -> None:
    build_wheel(wheels, "a", {"a/z.py": "", "a/tests/t.py": "", "a/é, b.py": "x = 1\n"}, shuffle=3)
    unpack_wheels(wheels, tree, Trimming((("*/tests/*", True),)), AS_DECLARED)
    assert not (tree / SITE_PACKAGES / "a/tests").exists()
    lines = (tree / SITE_PACKAGES / "a-1.0.dist-info/RECORD").read_text(encoding="utf-8").splitlines()
    assert [line.rpartition(",sha256=")[0] or line for line in lines] == [
        "a-1.0.dist-info/INSTALLER",
        "a-1.0.dist-info/METADATA",
        "a-1.0.dist-info/RECORD,,",
        "a-1.0.dist-info/WHEEL",
        "a/z.py",
        '"a/é, b.py"',
    ]
    assert lines[5] == '"a/é, b.py",sha256=nia_NpkRxFwkPGhBR7I_yeHc_PJX0pmhxjIBam_NM_Q,6'


def test_what_is_declared_is_corrected_and_the_record_knows(wheels: Path, tree: Path) -> None:
    build_wheel(wheels, "a", {}, requires=["dask", "protobuf==3.11.2", "numpy"])
    corrections = Corrections(
        {canonicalize_name("protobuf"): Requirement("protobuf>=3.20.3")}, frozenset({canonicalize_name("dask")})
    )
    unpack_wheels(wheels, tree, WHOLE, corrections)
    info = tree / SITE_PACKAGES / "a-1.0.dist-info"
    metadata = (info / "METADATA").read_text()
    assert metadata == (
        "Metadata-Version: 2.1\nName: a\nVersion: 1.0\n"
        "Requires-Dist: protobuf>=3.20.3\nRequires-Dist: numpy\n\nAbout a.\n"
    )
    row = next(line for line in (info / "RECORD").read_text().splitlines() if "/METADATA," in line)
    assert row.rpartition(",")[2] == str(len(metadata))


def test_no_wheels_are_no_files(wheels: Path, tree: Path) -> None:
    wheels.mkdir()
    unpack_wheels(wheels, tree, WHOLE, AS_DECLARED)
    assert list(tree.iterdir()) == []


def test_two_wheels_with_one_file_are_named(wheels: Path, tree: Path) -> None:
    build_wheel(wheels, "a", {"tests/__init__.py": ""})
    build_wheel(wheels, "b", {"tests/__init__.py": ""})
    with pytest.raises(LayerError) as caught:
        unpack_wheels(wheels, tree, WHOLE, AS_DECLARED)
    assert str(caught.value) == (
        f"b-1.0-py3-none-any.whl brings /{SITE_PACKAGES}/tests/__init__.py, which another wheel in {wheels} has "
        "brought already. Leave it out by the rules of 3rdparty/python/trimming.txt, "
        "or one of the two wheels by the lock."
    )
