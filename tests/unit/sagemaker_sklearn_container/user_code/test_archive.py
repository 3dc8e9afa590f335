"""Unpacking tar archives."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from sagemaker_sklearn_container.errors import CodeSourceError
from sagemaker_sklearn_container.user_code.archive import extract


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, mode
    return info


def _archive(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            member.size = 1 if member.isreg() else 0
            tar.addfile(member, io.BytesIO(b"x"))
    return path


def test_files_and_inner_links_are_unpacked(tmp_path: Path) -> None:
    """T-42, T-44."""
    archive = _archive(
        tmp_path / "a.tar.gz",
        _member("./pkg/train.py"),
        _member("run.sh", mode=0o755),
        _member("pkg/link.py", tarfile.SYMTYPE, "../run.sh"),
    )
    extract(archive, tmp_path / "out")
    assert sorted(str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*")) == [
        *("pkg", "pkg/link.py", "pkg/train.py", "run.sh"),
    ]
    assert (tmp_path / "out/run.sh").stat().st_mode & 0o100


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([_member("/etc/x")], "'/etc/x' would be written outside"),
        ([_member("a/../../x")], "would be written outside"),
        ([_member("fifo", tarfile.FIFOTYPE)], "is a device or pipe"),
        ([_member("dev", tarfile.CHRTYPE)], "is a device or pipe"),
        ([_member("l", tarfile.SYMTYPE, "/etc")], "links to '/etc'"),
        ([_member("a/l", tarfile.SYMTYPE, "../../x")], "links to '../../x'"),
        ([_member("l", tarfile.LNKTYPE, "../x")], "links to '../x'"),
        ([_member("d", tarfile.SYMTYPE, "."), _member("d/l", tarfile.SYMTYPE, "../x")], "lies behind a symbolic link"),
    ],
)
def test_members_that_escape_are_refused_before_anything_is_written(
    tmp_path: Path, members: list[tarfile.TarInfo], reason: str
) -> None:
    """T-44."""
    archive = _archive(tmp_path / "a.tar.gz", _member("good.py"), *members)
    (tmp_path / "out").mkdir()
    with pytest.raises(CodeSourceError, match=reason):
        extract(archive, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    """T-42."""
    whole = _archive(tmp_path / "a.tar.gz", _member("x")).read_bytes()
    (tmp_path / "b.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CodeSourceError, match="Unpacking b.tar.gz"):
        extract(tmp_path / "b.tar.gz", tmp_path / "out")
