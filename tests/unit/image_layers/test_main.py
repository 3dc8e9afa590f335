"""The command line: arguments, exit codes, and the one message of a failure."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path, PurePosixPath

import pytest

from image_layers import __main__
from image_layers.entries import Entry
from image_layers.operating_system import OperatingSystem
from tests.support.wheels import build_wheel

MTIME = "1767225600"
# Of this process, and absolute since commands run in other directories.
PYTHONPATH = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)


def _run(cwd: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": PYTHONPATH, "TMPDIR": str(cwd), "SOURCE_DATE_EPOCH": MTIME, **environ}
    command = [sys.executable, "-B", "-m", "image_layers", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def _libraries(folder: Path, *wheels: str) -> list[str]:
    (folder / "wheels").mkdir()
    for name in wheels:
        build_wheel(folder / "wheels", name, {f"{name}.py": ""})
    for name in ("trimming", "overrides", "excludes", "replacements"):
        (folder / f"{name}.txt").write_text("")
    options = ["--wheels=wheels", "--trimming=trimming.txt", "--overrides=overrides.txt", "--excludes=excludes.txt"]
    return ["libraries", *options, "--replacements=replacements.txt"]


def _names(layer: Path) -> list[str]:
    with tarfile.open(layer) as archive:
        return archive.getnames()


def test_select_writes_the_images_own_pins_and_what_its_parents_have(tmp_path: Path) -> None:
    (tmp_path / "l.lock").write_text("a==1 --hash=sha256:aa\n    # via -r child.in\n")
    (tmp_path / "p.lock").write_text("b==2 --hash=sha256:bb\n    # via -r parent.in\n")
    (tmp_path / "child.in").write_text("a\nb\n")
    options = ["--lock=l.lock", "--image=child.in", "--parent=p.lock", "--out=own.txt", "--parents-out=parents.txt"]
    done = _run(tmp_path, "select", *options)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "own.txt").read_text() == "a==1 --hash=sha256:aa\n"
    assert (tmp_path / "parents.txt").read_text() == "b==2\n"


@pytest.mark.parametrize(
    ("part", "chosen"),
    [
        (["--only=B.c"], ["b-c"]),
        (["--without=b_c"], ["a", "d"]),
        (["--without=a", "--without=d"], ["b-c"]),
        (["--only=a", "--only=d", "--without=d"], ["a"]),
    ],
)
def test_select_writes_the_part_of_one_layer(tmp_path: Path, part: list[str], chosen: list[str]) -> None:
    (tmp_path / "l.lock").write_text("".join(f"{name}==1 --hash=sha256:aa\n" for name in ("a", "b-c", "d")))
    (tmp_path / "child.in").write_text("a\n")
    done = _run(tmp_path, "select", "--lock=l.lock", "--image=child.in", "--out=own.txt", *part)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "own.txt").read_text() == "".join(f"{name}==1 --hash=sha256:aa\n" for name in chosen)


@pytest.mark.parametrize("option", ["--only", "--without"])
def test_select_refuses_a_part_that_the_lock_does_not_have(tmp_path: Path, option: str) -> None:
    (tmp_path / "l.lock").write_text("a==1 --hash=sha256:aa\n")
    (tmp_path / "child.in").write_text("a\n")
    done = _run(tmp_path, "select", "--lock=l.lock", "--image=child.in", "--out=own.txt", f"{option}=gone")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "image_layers select: l.lock has no gone, which is to be in a layer of its own. "
        "Name another one in the image's BUILD file, or take that layer away.\n"
    )


def test_a_failure_is_one_message_that_names_the_command(tmp_path: Path) -> None:
    (tmp_path / "l.lock").write_text("")
    (tmp_path / "image.in").write_text("a\n")
    done = _run(tmp_path, "select", "--lock=l.lock", "--image=image.in", "--out=out.txt")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "image_layers select: image.in asks for `a`, but l.lock has no a. "
        "Put the version back, or change the list and lock again; 3rdparty/README.md says how.\n"
    )
    assert not (tmp_path / "out.txt").exists()


def test_files_are_placed_where_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("data\n")
    (tmp_path / "program").write_text("#!/bin/sh\n")
    (tmp_path / "program").chmod(0o700)
    placed = ["--file=data:/usr/share/data", "--file=program:/usr/bin/program", "--directory=/opt/ml:0777:1000:1001"]
    done = _run(tmp_path, "files", *placed, "--out=layer.tar")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with tarfile.open(tmp_path / "layer.tar") as archive:
        shown = [f"{member.name} {member.mode:o} {member.uid}:{member.gid}" for member in archive]
    assert shown == [
        "opt 755 0:0",
        "opt/ml 777 1000:1001",
        "usr 755 0:0",
        "usr/bin 755 0:0",
        "usr/bin/program 755 0:0",
        "usr/share 755 0:0",
        "usr/share/data 644 0:0",
    ]


def test_two_files_at_one_place_are_both_named(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text("")
    done = _run(tmp_path, "files", "--file=one:/a", "--file=two:/a", "--out=layer.tar")
    assert (done.returncode, done.stderr) == (
        1,
        "image_layers files: two things want to be /a in one layer: one and two. Leave one out.\n",
    )


def test_no_wheels_are_a_layer_without_members(tmp_path: Path) -> None:
    assert _run(tmp_path, *_libraries(tmp_path), "--out=layer.tar").returncode == 0
    assert _names(tmp_path / "layer.tar") == []


def test_scratch_directories_are_removed(tmp_path: Path) -> None:
    arguments = _libraries(tmp_path, "a")
    before = {path.name for path in tmp_path.iterdir()}
    assert _run(tmp_path, *arguments, "--out=layer.tar").returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {*before, "layer.tar"}


@pytest.mark.parametrize("value", ["", "today", "1.5", "-1"])
def test_without_a_time_there_is_no_layer(tmp_path: Path, value: str) -> None:
    done = _run(tmp_path, "files", "--out=layer.tar", SOURCE_DATE_EPOCH=value)
    assert (done.returncode, done.stderr) == (
        1,
        f"image_layers files: SOURCE_DATE_EPOCH is {value!r}; layers need seconds since the epoch there, so that their "
        "bytes do not depend on the clock. pants.toml sets it.\n",
    )


@pytest.mark.parametrize("command", ["libraries", "files", "select"])
def test_a_full_disk_is_one_message_that_says_where_to_make_room(tmp_path: Path, command: str) -> None:
    (tmp_path / "l.lock").write_text("a==1 --hash=sha256:aa\n    # via -r image.in\n")
    (tmp_path / "image.in").write_text("a\n")
    arguments = {
        "libraries": _libraries(tmp_path, "a"),
        "files": ["files"],
        "select": ["select", "--lock=l.lock", "--image=image.in"],
    }
    done = _run(tmp_path, *arguments[command], "--out=/dev/full")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"image_layers {command}: the disk is full, /dev/full could not be written. Make room below {tmp_path} and "
        f"{tmp_path}, or let Pants work elsewhere: --local-execution-root-dir=DIR and --local-store-dir=DIR.\n"
    )


def test_packages_that_moved_on_are_listed_and_the_layer_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = [
        Entry(PurePosixPath(path), tarfile.REGTYPE, 0o644, content=b"") for path in ("/etc/passwd", "/etc/group")
    ]
    system = OperatingSystem(entries, "a 2 amd64 00\n")
    # mmdebstrap would need Debian's archive.
    monkeypatch.setattr(__main__, "bootstrap", lambda suite, wanted, work, mtime: system)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", MTIME)
    monkeypatch.chdir(tmp_path)
    Path("wanted.txt").write_text("a\n")
    Path("packages.lock").write_text("a 1 amd64 00\n")
    options = ["--suite=trixie", "--wanted=wanted.txt", "--recorded=packages.lock", "--user=me:1000:/home/me"]
    outputs = ["--out=layer.tar", "--packages-out=now.lock"]
    monkeypatch.setattr(sys, "argv", ["image_layers", "operating-system", *options, *outputs])
    assert __main__.main() == 0
    assert capsys.readouterr() == (
        "Debian's archive has moved on since packages.lock was written; the layer holds the newer packages:\n"
        "  a: recorded 1, the archive has 2\n"
        "To record them: 3rdparty/README.md, `lock`.\n",
        "",
    )
    assert Path("now.lock").read_text() == "a 2 amd64 00\n"
    with tarfile.open("layer.tar") as archive:
        passwd = archive.extractfile("etc/passwd")
        assert passwd is not None
        assert passwd.read() == b"me:*:1000:1000::/home/me:/usr/sbin/nologin\n"
