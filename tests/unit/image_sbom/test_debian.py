"""What is read from an operating system layer."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from image_sbom.debian import read_debian
from image_sbom.errors import BillError

RELEASE = 'NAME="Debian GNU/Linux"\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n'
STATUS = """\
Package: shell
Status: install ok installed
Architecture: amd64
Version: 1:5.2-1
Pre-Depends: libc:any (>= 2.38)
Depends: awk, editor | pager, missing | libc
Description: runs
 Depends: no-field

Package: mawk
Status: install ok installed
Architecture: amd64
Version: 1.3
Provides: awk, other (= 1)
Depends: mawk-data | libc

Package: pager
Status: install ok installed
Architecture: all
Version: 3

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: libc
Status: hold ok installed
Architecture: amd64
Version: 2.41
"""
LIST = "libc 2.41 amd64 aa\nmawk 1.3 amd64 bb\npager 3 all cc\nshell 1:5.2-1 amd64 dd\n"


def _layer(folder: Path, **files: str) -> Path:
    layer = folder / "layer.tar"
    with tarfile.open(layer, "w") as archive:
        for name, text in {"var/lib/dpkg/status": STATUS, "usr/lib/os-release": RELEASE, **files}.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return layer


def _list(folder: Path, text: str = LIST) -> Path:
    (folder / "packages.txt").write_text(text)
    return folder / "packages.txt"


def test_installed_packages_with_hashes_and_what_they_need(tmp_path: Path) -> None:
    debian = read_debian(_layer(tmp_path), _list(tmp_path))
    assert (debian.version, debian.codename) == ("13", "trixie")
    shown = [
        (item.package.name, item.package.version, item.package.architecture, item.package.sha256, item.depends)
        for item in debian.packages
    ]
    assert shown == [
        ("libc", "2.41", "amd64", "aa", ()),
        ("mawk", "1.3", "amd64", "bb", ("libc",)),
        ("pager", "3", "all", "cc", ()),
        ("shell", "1:5.2-1", "amd64", "dd", ("libc", "mawk", "pager")),
    ]


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        (LIST.replace("1.3", "1.4"), r"hash of mawk: .* has 1\.3 amd64, .*packages\.txt has 1\.4 amd64"),
        (LIST.replace("pager 3 all cc\n", ""), r"hash of pager: .* has 3 all, .*packages\.txt has none"),
        (LIST + "more 1 all ee\n", r"hash of more: .* has none, .*packages\.txt has 1 all"),
    ],
)
def test_a_list_of_another_layer_is_refused(tmp_path: Path, listed: str, said: str) -> None:
    with pytest.raises(BillError, match=said):
        read_debian(_layer(tmp_path), _list(tmp_path, listed))


def test_a_layer_without_debian_is_refused(tmp_path: Path) -> None:
    layer = tmp_path / "layer.tar"
    tarfile.open(layer, "w").close()
    with pytest.raises(BillError, match=r"layer\.tar: it has no file /var/lib/dpkg/status\."):
        read_debian(layer, _list(tmp_path))
