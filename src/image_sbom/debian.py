"""Reads what Debian packages an operating system layer holds, from the layer itself."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path
from typing import Iterable, Mapping

from image_layers.operating_system import Package, read_packages
from image_sbom.errors import BillError

_STATUS = "var/lib/dpkg/status"
# Where /etc/os-release leads.
_RELEASE = "usr/lib/os-release"


@dataclass(frozen=True)
class DebianPackage:
    """One installed package.

    Attributes:
        package: Name, version, architecture and the sha256 of its archive file.
        depends: Names of installed packages that it needs.
    """

    package: Package
    depends: tuple[str, ...]


@dataclass(frozen=True)
class Debian:
    """An operating system layer.

    Attributes:
        version: The release's, such as `13`.
        codename: The release's, such as `trixie`.
        packages: Sorted by name.
    """

    version: str
    codename: str
    packages: tuple[DebianPackage, ...]


def read_debian(layer: Path, packages: Path) -> Debian:
    """What an operating system layer says of itself, with the hashes of the package list written beside it.

    Args:
        layer: The tar of the layer.
        packages: One `NAME VERSION ARCHITECTURE SHA256` a line.

    Raises:
        BillError: the layer lacks Debian's files, or the two disagree on what is installed.
    """
    with tarfile.open(layer, encoding="utf-8") as archive:
        status, release = _text(archive, layer, _STATUS), _text(archive, layer, _RELEASE)
    installed = _installed(status)
    listed = read_packages(packages.read_text(encoding="utf-8"))
    in_layer = {name: (fields["Version"], fields["Architecture"]) for name, fields in installed.items()}
    in_list = {name: (package.version, package.architecture) for name, package in listed.items()}
    for name in sorted({*in_layer, *in_list}):
        if in_layer.get(name) != in_list.get(name):
            raise BillError(
                f"the bill needs the hash of {name}: /{_STATUS} of {layer} has {_shown(in_layer.get(name))}, "
                f"{packages} has {_shown(in_list.get(name))}. One run of `image_layers operating-system` writes both; "
                "build the operating system layer again."
            )
    facts = dict(line.split("=", 1) for line in release.splitlines() if "=" in line)
    needed = _depends(installed)
    return Debian(
        version=facts["VERSION_ID"].strip('"'),
        codename=facts["VERSION_CODENAME"].strip('"'),
        packages=tuple(DebianPackage(listed[name], needed[name]) for name in sorted(installed)),
    )


def _text(archive: tarfile.TarFile, layer: Path, name: str) -> str:
    try:
        stream = archive.extractfile(name)
    except KeyError:
        stream = None
    if stream is None:
        raise BillError(f"reading the packages of {layer}: it has no file /{name}. Is it an operating system layer?")
    return stream.read().decode("utf-8")


def _shown(found: tuple[str, str] | None) -> str:
    return " ".join(found) if found else "none"


def _installed(status: str) -> dict[str, Mapping[str, str]]:
    parser = Parser()
    fields = (parser.parsestr(block, headersonly=True) for block in status.strip().split("\n\n"))
    return {item["Package"]: dict(item.items()) for item in fields if item["Status"].split()[-1] == "installed"}


def _depends(installed: Mapping[str, Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    # A package provides itself and, at times, names that no package has.
    providers: dict[str, set[str]] = {name: {name} for name in installed}
    for name, fields in installed.items():
        for virtual in _names(fields.get("Provides", "").split(",")):
            providers.setdefault(virtual, set()).add(name)
    return {name: tuple(sorted(_reached(name, fields, providers))) for name, fields in installed.items()}


def _reached(name: str, fields: Mapping[str, str], providers: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    for field in ("Pre-Depends", "Depends"):
        for clause in fields.get(field, "").split(","):
            # dpkg has held the versions; of several alternatives the first that is there counts.
            reached |= next((providers[item] for item in _names(clause.split("|")) if item in providers), set())
    return reached - {name}


def _names(texts: Iterable[str]) -> list[str]:
    # `libc6:any (>= 2.38)`
    return [text.split()[0].partition(":")[0] for text in texts if text.strip()]
