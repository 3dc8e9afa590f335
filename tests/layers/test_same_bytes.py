"""The same inputs give the same bytes, whatever the machine, the moment and the order of things."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Iterator

import pytest

from tests.layers.libraries import build_layer, write_inputs
from tests.layers.tool import run
from tests.support.wheels import sha256_of


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Digest of the layer that each test builds in another way."""
    folder = tmp_path_factory.mktemp("reference")
    write_inputs(folder)
    return sha256_of(build_layer(folder))


@pytest.fixture()
def _restored_umask() -> Iterator[None]:
    """Leaves the umask of this process as it was."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


def test_done_twice_in_one_folder(tmp_path: Path, expected: str) -> None:
    write_inputs(tmp_path)
    assert [sha256_of(build_layer(tmp_path)) for _ in range(2)] == [expected, expected]


@pytest.mark.parametrize("shuffle", [1, 2])
def test_the_order_of_members_in_wheels_does_not_matter(tmp_path: Path, expected: str, shuffle: int) -> None:
    write_inputs(tmp_path, shuffle=shuffle)
    assert sha256_of(build_layer(tmp_path)) == expected


def test_times_of_wheels_and_in_wheels_do_not_matter(tmp_path: Path, expected: str) -> None:
    write_inputs(tmp_path, date_time=(2031, 12, 31, 23, 59, 58))
    for path in tmp_path.rglob("*"):
        os.utime(path, (1, 1))
    assert sha256_of(build_layer(tmp_path)) == expected


@pytest.mark.parametrize("umask", [0o000, 0o077])
@pytest.mark.usefixtures("_restored_umask")
def test_the_umask_does_not_matter(tmp_path: Path, expected: str, umask: int) -> None:
    os.umask(umask)
    write_inputs(tmp_path)
    assert sha256_of(build_layer(tmp_path)) == expected


def test_folders_do_not_matter(tmp_path: Path, expected: str) -> None:
    folder, scratch = tmp_path / "a folder/with ä name", tmp_path / "scratch"
    for path in (folder, scratch):
        path.mkdir(parents=True)
    write_inputs(folder)
    assert sha256_of(build_layer(folder, TMPDIR=str(scratch), HOME=str(scratch))) == expected


@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "POSIX"])
def test_the_locale_does_not_matter(tmp_path: Path, expected: str, locale: str) -> None:
    write_inputs(tmp_path)
    assert sha256_of(build_layer(tmp_path, LC_ALL=locale)) == expected


@pytest.mark.parametrize("seed", ["1", "4294967295", "random"])
def test_the_seed_of_hashes_does_not_matter(tmp_path: Path, expected: str, seed: str) -> None:
    """The build sets PYTHONHASHSEED=0; any other seed gives the same bytes as well."""
    write_inputs(tmp_path)
    assert sha256_of(build_layer(tmp_path, PYTHONHASHSEED=seed)) == expected


def test_the_time_in_the_layer_is_the_one_given(tmp_path: Path, expected: str) -> None:
    write_inputs(tmp_path)
    assert sha256_of(build_layer(tmp_path, SOURCE_DATE_EPOCH="1")) != expected


def test_the_order_of_single_files_does_not_matter(tmp_path: Path) -> None:
    placed = ["--file=b:/usr/b", "--file=a:/etc/a", "--directory=/etc:0700:1:1", "--directory=/opt/ml:0777:0:0"]
    for name in "ab":
        (tmp_path / name).write_text(name)
    for name, arguments in (("one", placed), ("other", placed[::-1])):
        run(tmp_path, "files", *arguments, f"--out={name}.tar")
    assert sha256_of(tmp_path / "one.tar") == sha256_of(tmp_path / "other.tar")
