"""Where the user's code comes from."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from sagemaker_sklearn_container.errors import CodeSourceError
from sagemaker_sklearn_container.user_code import source
from sagemaker_sklearn_container.user_code.s3 import S3Settings

S3 = S3Settings()


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    """T-42."""
    with pytest.raises(CodeSourceError, match="is said to be at '/no/such/place', and nothing is there"):
        source.fetch("/no/such/place", tmp_path / "code", S3)


def test_a_file_named_like_an_archive_must_be_one(tmp_path: Path) -> None:
    """T-42."""
    (tmp_path / "x.tar.gz").write_text("no")
    with pytest.raises(CodeSourceError, match="is named like a tar file and is none"):
        source.fetch(str(tmp_path / "x.tar.gz"), tmp_path / "code", S3)


def test_a_directory_is_copied(tmp_path: Path) -> None:
    """T-42."""
    (tmp_path / "from/sub").mkdir(parents=True)
    (tmp_path / "from/sub/a.py").write_text("1")
    source.fetch(f"file://{tmp_path}/from", tmp_path / "code", S3)
    assert (tmp_path / "code/sub/a.py").read_text() == "1"


@pytest.mark.parametrize("kind", ["directory", "file"])
def test_a_read_only_code_directory_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """U-08, L-06: a directory serves in place, a file from a temporary directory."""
    (tmp_path / "from").mkdir()
    (tmp_path / "from/a.py").write_text("1")
    code_dir = tmp_path / "code"
    make = Path.mkdir

    def read_only(self: Path, *args: object, **kwargs: object) -> None:
        if self == code_dir:
            raise OSError(errno.EROFS, "Read-only file system")
        make(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "mkdir", read_only)
    where = tmp_path / "from" / ("a.py" if kind == "file" else "")
    used = source.fetch_or_use_in_place(str(where), code_dir, S3)
    assert (used / "a.py").read_text() == "1"
    assert (used == tmp_path / "from") is (kind == "directory")


def test_half_of_the_code_is_not_left_behind(tmp_path: Path) -> None:
    """T-43, T-44: the next job would take it for the user's own."""
    code = tmp_path / "from"
    code.mkdir()
    (code / "a.py").touch()
    os.mkfifo(code / "z-pipe")
    with pytest.raises(OSError, match="named pipe"):
        source.fetch(str(code), tmp_path / "code", S3)
    assert list((tmp_path / "code").iterdir()) == []
