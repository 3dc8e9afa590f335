"""Wheels, unpacked as they ship."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from image_layers.corrections import Corrections
from image_layers.errors import LayerError
from image_layers.libraries import unpack_wheels
from image_layers.replacements import Replacements, read_replacements
from image_layers.trimming import Trimming
from tests.support.wheels import build_wheel

SITE_PACKAGES = "usr/local/lib/python3.8/site-packages"
AS_DECLARED = Corrections({}, frozenset())
WHOLE = Trimming(())
UNREPLACED = Replacements()


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
    unpack_wheels(wheels, tree, WHOLE, AS_DECLARED, UNREPLACED)
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
    unpack_wheels(wheels, tree, WHOLE, AS_DECLARED, UNREPLACED)
    for name in ("a-command", "run-a"):
        command = tree / "usr/local/bin" / name
        assert command.read_text().splitlines()[0] == "#!/usr/local/bin/python3.8"
        assert command.stat().st_mode & 0o100


def test_a_file_is_executable_where_the_wheel_says_so(wheels: Path, tree: Path) -> None:
    build_wheel(wheels, "a", {"a/tool": "", "a/data": ""}, executable={"a/tool"})
    unpack_wheels(wheels, tree, WHOLE, AS_DECLARED, UNREPLACED)
    modes = [(tree / SITE_PACKAGES / "a" / name).stat().st_mode & 0o100 for name in ("tool", "data")]
    assert modes == [0o100, 0]


def test_the_record_lists_what_is_there_in_order_of_paths(wheels: Path, tree: Path) -> None:
    build_wheel(wheels, "a", {"a/z.py": "", "a/tests/t.py": "", "a/é, b.py": "x = 1\n"}, shuffle=3)
    unpack_wheels(wheels, tree, Trimming((("*/tests/*", True),)), AS_DECLARED, UNREPLACED)
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
    unpack_wheels(wheels, tree, WHOLE, corrections, UNREPLACED)
    info = tree / SITE_PACKAGES / "a-1.0.dist-info"
    metadata = (info / "METADATA").read_text()
    assert metadata == (
        "Metadata-Version: 2.1\nName: a\nVersion: 1.0\n"
        "Requires-Dist: protobuf>=3.20.3\nRequires-Dist: numpy\n\nAbout a.\n"
    )
    row = next(line for line in (info / "RECORD").read_text().splitlines() if "/METADATA," in line)
    assert row.rpartition(",")[2] == str(len(metadata))


def _replacements(folder: Path, line: str) -> Replacements:
    (folder / "ours.py").write_text("# ours\n")
    (folder / "replacements.txt").write_text(f"# Why.\n\n{line}\n")
    return read_replacements(folder / "replacements.txt")


# SHA-256 of "x = 1\n".
ORIGINAL = "9e26bf369911c45c243c684147b23fc9e1dcfcf257d299a1c632016a6fcd33f4"


def test_a_file_is_replaced_and_the_record_knows(wheels: Path, tree: Path, tmp_path: Path) -> None:
    build_wheel(wheels, "a_b", {"a/__init__.py": "x = 1\n", "a/z.py": "x = 1\n"})
    build_wheel(wheels, "c", {"c/__init__.py": "x = 1\n"})
    line = f"A-b a/__init__.py {ORIGINAL} ours.py  # slow"
    unpack_wheels(wheels, tree, WHOLE, AS_DECLARED, _replacements(tmp_path, line))
    texts = [(tree / SITE_PACKAGES / name).read_text() for name in ("a/__init__.py", "a/z.py", "c/__init__.py")]
    assert texts == ["# ours\n", "x = 1\n", "x = 1\n"]
    lines = (tree / SITE_PACKAGES / "a_b-1.0.dist-info/RECORD").read_text().splitlines()
    digest = urlsafe_b64encode(sha256(b"# ours\n").digest()).rstrip(b"=").decode()
    assert f"a/__init__.py,sha256={digest},7" in lines


def test_lines_are_added_to_a_file_and_its_hash_is_held_to(wheels: Path, tree: Path, tmp_path: Path) -> None:
    build_wheel(wheels, "a", {"a.py": "x = 1\n"})
    unpack_wheels(wheels, tree, WHOLE, AS_DECLARED, _replacements(tmp_path, f"a a.py {ORIGINAL} +ours.py"))
    assert (tree / SITE_PACKAGES / "a.py").read_text() == "x = 1\n\n\n# ours\n"
    build_wheel(wheels, "a", {"a.py": "x = 2\n"})
    with pytest.raises(LayerError, match=r"replacements.txt:3 adds to a.py of a, whose SHA-256 was"):
        unpack_wheels(wheels, tree, WHOLE, AS_DECLARED, _replacements(tmp_path, f"a a.py {ORIGINAL} +ours.py"))


def test_a_file_that_the_library_has_changed_is_not_replaced(wheels: Path, tree: Path, tmp_path: Path) -> None:
    build_wheel(wheels, "a", {"a.py": "x = 2\n"})
    replacements = _replacements(tmp_path, f"a a.py {ORIGINAL} ours.py")
    with pytest.raises(LayerError) as caught:
        unpack_wheels(wheels, tree, WHOLE, AS_DECLARED, replacements)
    assert str(caught.value) == (
        f"{tmp_path}/replacements.txt:3 replaces a.py of a, whose SHA-256 was {ORIGINAL}; the wheel's has "
        f"{sha256(b'x = 2' + bytes([10])).hexdigest()}. The library has changed it: compare the two, adapt "
        f"{tmp_path}/ours.py and write the new hash down, or take the line away."
    )


def test_a_file_that_the_library_has_no_more_is_named(wheels: Path, tree: Path, tmp_path: Path) -> None:
    build_wheel(wheels, "a", {"a/new.py": "x = 1\n"})
    replacements = _replacements(tmp_path, f"a a.py {ORIGINAL} ours.py")
    with pytest.raises(LayerError) as caught:
        unpack_wheels(wheels, tree, WHOLE, AS_DECLARED, replacements)
    assert str(caught.value) == (
        f"{tmp_path}/replacements.txt:3 replaces a.py of a, which ships no such file any more. Look where the library "
        "has put its content, and change the line or take it away."
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a a.py ours.py", "'a a.py ours.py' is not `DISTRIBUTION PATH SHA256 [+]OURS`."),
        (f"a a.py {ORIGINAL} none.py", "there is no {folder}/none.py to ship in place of a.py."),
    ],
)
def test_a_line_that_names_no_replacement_is_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(LayerError) as caught:
        _replacements(tmp_path, line)
    assert str(caught.value) == f"{tmp_path}/replacements.txt:3: {message.format(folder=tmp_path)}"


def test_no_wheels_are_no_files(wheels: Path, tree: Path) -> None:
    wheels.mkdir()
    unpack_wheels(wheels, tree, WHOLE, AS_DECLARED, UNREPLACED)
    assert list(tree.iterdir()) == []


def test_two_wheels_with_one_file_are_named(wheels: Path, tree: Path) -> None:
    build_wheel(wheels, "a", {"tests/__init__.py": ""})
    build_wheel(wheels, "b", {"tests/__init__.py": ""})
    with pytest.raises(LayerError) as caught:
        unpack_wheels(wheels, tree, WHOLE, AS_DECLARED, UNREPLACED)
    assert str(caught.value) == (
        f"b-1.0-py3-none-any.whl brings /{SITE_PACKAGES}/tests/__init__.py, which another wheel in {wheels} has "
        "brought already. Leave it out by the rules of 3rdparty/python/trimming.txt, "
        "or one of the two wheels by the lock."
    )
