"""Reads what Python distributions a folder of wheels brings into an image, held against the lock."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from hashlib import sha256
from pathlib import Path
from typing import Mapping, Sequence

from cyclonedx.model.license import License
from packaging.markers import Marker
from packaging.utils import NormalizedName, canonicalize_name

from image_layers.lock import Pin
from image_sbom.errors import BillError
from image_sbom.licences import licences_of

_CHUNK = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LICENCE_FILES = ("COPYING", "LICENCE", "LICENSE")


@dataclass(frozen=True)
class Distribution:
    """One distribution of an image.

    Attributes:
        name: As it calls itself.
        version: As locked.
        wheel_sha256: Of the registry's wheel; None where the wheel was built from the registry's source archive.
        source_sha256: Of that archive, where the lock allows no other; else None.
        licences: Under which it is.
        requires: Normalised names of the distributions that it asked the resolver for and the lock has.
        declares: Normalised names of those that its own metadata says it needs on this interpreter, without extras; the
            images below may have them.
    """

    name: str
    version: str
    wheel_sha256: str | None
    source_sha256: str | None
    licences: tuple[License, ...]
    requires: tuple[NormalizedName, ...]
    declares: tuple[NormalizedName, ...]


def read_distributions(folders: Sequence[Path], pins: Mapping[NormalizedName, Pin], lock: Path) -> list[Distribution]:
    """What each wheel of the folders says of itself, sorted by name.

    Args:
        folders: Of `*.whl`.
        pins: What the lock has.
        lock: The lock's file, for messages.

    Raises:
        BillError: a wheel is not of the version that the lock has, or carries no metadata.
    """
    found = [_read(path, pins, lock) for folder in folders for path in sorted(folder.glob("*.whl"))]
    return sorted(found, key=lambda item: canonicalize_name(item.name))


def _read(path: Path, pins: Mapping[NormalizedName, Pin], lock: Path) -> Distribution:
    metadata, texts = _metadata(path)
    name = canonicalize_name(metadata["Name"])
    pin = pins.get(name)
    if pin is None or str(pin.version) != metadata["Version"]:
        raise BillError(
            f"{path} is {metadata['Name']} {metadata['Version']}, but {lock} has "
            f"{f'{pin.name} {pin.version}' if pin else f'no {name}'}. Build the wheels again from this lock."
        )
    digest = _digest(path)
    hashes = [value.partition(":")[2] for value in pin.hashes]
    return Distribution(
        name=metadata["Name"],
        version=metadata["Version"],
        wheel_sha256=digest if digest in hashes else None,
        source_sha256=hashes[0] if digest not in hashes and len(hashes) == 1 else None,
        licences=tuple(licences_of(metadata, texts)),
        requires=tuple(sorted(asked.name for asked in pins.values() if name in asked.via)),
        declares=tuple(sorted(_declared(metadata))),
    )


def _declared(metadata: Message) -> set[NormalizedName]:
    # Name and marker only: of some old distributions what stands between them is not in the form of today.
    lines = [text.partition(";") for text in metadata.get_all("Requires-Dist") or ()]
    here = [before for before, _, marker in lines if not marker or Marker(marker.strip()).evaluate({"extra": ""})]
    return {canonicalize_name(match[0]) for match in map(_NAME.match, here) if match}


def _metadata(path: Path) -> tuple[Message, list[str]]:
    with zipfile.ZipFile(path) as archive:
        names = sorted(archive.namelist())
        inside = [name for name in names if name.partition("/")[0].endswith(".dist-info")]
        metadata = [name for name in inside if name.partition("/")[2] == "METADATA"]
        if len(metadata) != 1:
            raise BillError(f"reading {path}: it has {len(metadata)} files *.dist-info/METADATA; a wheel has one.")
        texts = [name for name in inside if name.rpartition("/")[2].upper().startswith(_LICENCE_FILES)]
        message = Parser().parsestr(archive.read(metadata[0]).decode("utf-8"))
        return message, [archive.read(name).decode("utf-8", errors="replace") for name in texts]


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as stream:
        for chunk in iter(lambda: stream.read(_CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()
