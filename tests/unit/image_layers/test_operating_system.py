"""The operating system layer, but for mmdebstrap's own work."""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path, PurePosixPath

import pytest

from image_layers import operating_system
from image_layers.entries import Entry
from image_layers.errors import LayerError
from image_layers.operating_system import Package, add_user, bootstrap, drift, read_names, read_packages

MTIME = 1767225600
GROUP, PASSWD = PurePosixPath("/etc/group"), PurePosixPath("/etc/passwd")

# Stands in for mmdebstrap: writes the archive, and the package list to where the hook asks for it.
FAKE = """\
import io, os, sys, tarfile
arguments = sys.argv[1:]
archive = next(item for item in arguments if item.endswith("root.tar"))
listing = next(item.split()[-1] for item in arguments if item.startswith("--customize-hook=download"))
open(listing, "w").write("a 1 amd64 " + "0" * 64 + "\\n")
open(os.environ["FAKE_LOG"], "w").write("\\n".join([os.environ["SOURCE_DATE_EPOCH"], *arguments]))
with tarfile.open(archive, "w") as out:
    for name in ("etc/passwd", "var/log/dpkg.log", "dev/null", "usr/share/ca-certificates/f\\u0151.crt"):
        member = tarfile.TarInfo("./" + name)
        out.addfile(member, io.BytesIO(b""))
    for name in ("run", "run/lock", "run/other", "var/cache/apt/archives"):
        member = tarfile.TarInfo("./" + name)
        member.type = tarfile.DIRTYPE
        out.addfile(member)
"""


def _file(path: PurePosixPath, content: bytes) -> Entry:
    return Entry(path, tarfile.REGTYPE, 0o644, content=content)


def _program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def test_a_package_list_is_read_by_name_without_its_comments() -> None:
    text = "# Written by a tool.\n\na 1.0-1 amd64 00ff\nb 2:3 all 11ee  # why\n"
    assert read_packages(text) == {"a": Package("a", "1.0-1", "amd64", "00ff"), "b": Package("b", "2:3", "all", "11ee")}


def test_wanted_names_come_sorted_without_their_comments(tmp_path: Path) -> None:
    path = tmp_path / "wanted.txt"
    path.write_text("# Why.\n\nzlib1g\nca-certificates  # why\n")
    assert read_names(path) == ["ca-certificates", "zlib1g"]


def test_equal_package_lists_have_no_drift() -> None:
    packages = read_packages("a 1 amd64 00\nb 1 all 11\n")
    assert drift(packages, dict(reversed(list(packages.items())))) == []


def test_each_kind_of_drift_is_one_line() -> None:
    recorded = read_packages("same 1 amd64 00\nnewer 1 amd64 11\nrebuilt 1 amd64 22\ngone 1 amd64 33\n")
    found = read_packages("same 1 amd64 00\nnewer 2 amd64 12\nrebuilt 1 amd64 23\nadded 1 amd64 44\n")
    assert drift(recorded, found) == [
        "added: not recorded, installed at 1",
        "gone: recorded, not installed any more",
        "newer: recorded 1, the archive has 2",
        "rebuilt 1: archive file changed from 22 to 23",
    ]


def test_a_user_gets_a_group_of_the_same_number_and_no_way_to_log_in() -> None:
    other = _file(PurePosixPath("/etc/motd"), b"Hello\n")
    entries = [_file(PASSWD, b"root:*:0:0\n"), other, _file(GROUP, b"root:*:0:\n")]
    assert add_user(entries, "model-server", 1000, "/home/model-server") == [
        _file(PASSWD, b"root:*:0:0\nmodel-server:*:1000:1000::/home/model-server:/usr/sbin/nologin\n"),
        other,
        _file(GROUP, b"root:*:0:\nmodel-server:*:1000:\n"),
    ]


def test_users_are_added_one_after_the_other() -> None:
    entries = [_file(PASSWD, b""), _file(GROUP, b"")]
    for name, uid in (("a", 1000), ("b", 1001)):
        entries = add_user(entries, name, uid, "/")
    assert entries[1].content == b"a:*:1000:\nb:*:1001:\n"


@pytest.mark.parametrize(
    ("present", "missing"), [([], "/etc/group, /etc/passwd"), ([PASSWD], "/etc/group"), ([GROUP], "/etc/passwd")]
)
def test_a_root_without_user_files_is_told_what_it_lacks(present: list[PurePosixPath], missing: str) -> None:
    with pytest.raises(LayerError) as caught:
        add_user([_file(path, b"") for path in present], "a", 1000, "/")
    assert str(caught.value) == f"adding user a: the root file system has no {missing}; is base-passwd in it?"


@pytest.fixture()
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of those where Debian keeps programs."""
    folder = tmp_path / "bin"
    monkeypatch.setattr(operating_system, "_SYSTEM_PATH", str(folder))
    return folder


def test_a_missing_mmdebstrap_is_named_with_what_to_do(tmp_path: Path, programs: Path) -> None:
    with pytest.raises(LayerError) as caught:
        bootstrap("trixie", ["zlib1g"], tmp_path, MTIME)
    assert str(caught.value) == (
        f"the operating system layer is made by `mmdebstrap`, which is in none of {programs}. On Debian: "
        "`apt-get install mmdebstrap`. Elsewhere: name a stock image in docker/0.23-1/base/Dockerfile.cpu instead."
    )


def test_a_failing_mmdebstrap_is_heard_to_its_last_lines(tmp_path: Path, programs: Path) -> None:
    lines = "".join(f"echo line {number}\n" for number in range(1, 21))
    _program(programs / "mmdebstrap", f"#!/bin/sh\n{lines}echo E: no >&2\nexit 1\n")
    with pytest.raises(LayerError) as caught:
        bootstrap("trixie", ["zlib1g"], tmp_path, MTIME)
    last = "\n".join([*(f"line {number}" for number in range(7, 21)), "E: no"])
    assert str(caught.value) == (
        f"bootstrapping Debian trixie failed; mmdebstrap said:\n{last}\n"
        "It needs root with the right to mount, or user namespaces; the archive (OS_MIRROR names another); "
        f"and disk space in {tmp_path}."
    )


@pytest.fixture()
def fake_log(tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a stand-in for mmdebstrap was called with."""
    _program(programs / "mmdebstrap", f"#!{sys.executable}\n{FAKE}")
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "log"))
    monkeypatch.delenv("OS_MIRROR", raising=False)
    return tmp_path / "log"


def test_state_of_the_machine_does_not_ship_and_empty_folders_do(tmp_path: Path, fake_log: Path) -> None:
    system = bootstrap("trixie", ["zlib1g"], tmp_path, MTIME)
    assert [str(entry.path) for entry in system.entries] == [
        "/etc/passwd",
        "/usr/share/ca-certificates/f\u0151.crt",
        "/run",
        "/run/lock",
        "/var/cache/apt/archives",
    ]
    assert system.packages == f"a 1 amd64 {'0' * 64}\n"


def test_mmdebstrap_is_asked_for_the_suite_the_packages_and_the_time(tmp_path: Path, fake_log: Path) -> None:
    bootstrap("trixie", ["netbase", "zlib1g"], tmp_path, MTIME)
    mtime, *arguments = fake_log.read_text().splitlines()
    assert mtime == str(MTIME)
    assert arguments[:3] == ["--variant=apt", "--architectures=amd64", "--include=netbase,zlib1g"]
    assert arguments[-2:] == ["trixie", f"{tmp_path}/root.tar"]


def test_mmdebstrap_runs_on_debians_own_python(tmp_path: Path, fake_log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/no/where")
    assert bootstrap("trixie", [], tmp_path, MTIME).packages


def test_a_mirror_in_the_environment_is_handed_on(
    tmp_path: Path, fake_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_MIRROR", "file:///mirror")
    bootstrap("trixie", [], tmp_path, MTIME)
    assert fake_log.read_text().splitlines()[-3:] == ["trixie", f"{tmp_path}/root.tar", "file:///mirror"]
