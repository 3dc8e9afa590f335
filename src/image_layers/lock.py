"""Reads the lock: what is pinned, and which image needs it.

The lock is one hashed requirements file. Its `# via` comments, written by the resolver, say who asked for a
distribution: another distribution, or `-r NAME.in`, the list of one image. Following them from an image's list
gives the image's share, so no second resolve can disagree with the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterable

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from image_layers.errors import LayerError

_VIA = "# via"


@dataclass(frozen=True)
class Pin:
    """One locked distribution.

    Attributes:
        name: Normalised.
        version: The only version allowed.
        hashes: `sha256:...` of every archive allowed.
        via: Normalised names, or `-r FILE`, of what asked for it.
    """

    name: NormalizedName
    version: Version
    hashes: tuple[str, ...]
    via: frozenset[str]

    def as_requirement(self) -> str:
        """The pin as a line that pip's hash-checking mode takes."""
        return " ".join([f"{self.name}=={self.version}", *(f"--hash={value}" for value in self.hashes)])


def read_lock(path: Path) -> dict[NormalizedName, Pin]:
    """The pins of a lock, by normalised name.

    Raises:
        LayerError: a line is not `NAME==VERSION`, or a pin has no hash.
    """
    pins: dict[NormalizedName, Pin] = {}
    for block in _blocks(path.read_text(encoding="utf-8").splitlines()):
        words = [word for line in block if not line.lstrip().startswith("#") for word in line.rstrip("\\").split()]
        name, separator, version = words[0].partition("==")
        hashes = tuple(word.partition("=")[2] for word in words[1:] if word.startswith("--hash="))
        if not separator or not hashes:
            raise LayerError(
                f"{path}: {words[0]!r} is not a pinned and hashed requirement (NAME==VERSION --hash=...). "
                "Lock again; 3rdparty/README.md says how."
            )
        pin = Pin(canonicalize_name(name), Version(version), hashes, frozenset(_via(block)))
        pins[pin.name] = pin
    return pins


def _blocks(lines: Iterable[str]) -> list[list[str]]:
    blocks: list[list[str]] = []
    for line in lines:
        if line and not line[0].isspace() and not line.startswith("#"):
            blocks.append([])
        if blocks and line.strip():
            blocks[-1].append(line)
    return blocks


def _via(block: Iterable[str]) -> Iterable[str]:
    inside = False
    for line in block:
        text = line.strip()
        if text.startswith(_VIA):
            inside, text = True, "#" + text[len(_VIA) :]
        if inside and text.startswith("#") and text.strip("# "):
            asker = text.strip("# ")
            yield asker if asker.startswith("-") else canonicalize_name(asker)


def read_requirements(path: Path) -> list[Requirement]:
    """The requirements of an image's list, comments left out."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line]


def check_against(pins: dict[NormalizedName, Pin], lock: Path, wanted: Path) -> None:
    """Hold the lock against what an image asks for by name.

    Raises:
        LayerError: the lock lacks a distribution, has a version the list does not allow, or does not know that this
            list asks for it; names both and where.
    """
    for requirement in read_requirements(wanted):
        pin = pins.get(canonicalize_name(requirement.name))
        if pin is None or pin.version not in requirement.specifier:
            found = f"{pin.name} {pin.version}" if pin else f"no {requirement.name}"
            raise LayerError(
                f"{wanted} asks for `{requirement}`, but {lock} has {found}. "
                "Put the version back, or change the list and lock again; 3rdparty/README.md says how."
            )
        if _asker(wanted) not in pin.via:
            # Its share would come out without it: the distribution is in the lock for others' sake.
            raise LayerError(
                f"{wanted} asks for `{requirement}`, but {lock} has {pin.name} only for {', '.join(sorted(pin.via))}. "
                "Lock again; 3rdparty/README.md says how."
            )


def share_of(pins: dict[NormalizedName, Pin], lists: Iterable[Path]) -> set[NormalizedName]:
    """The distributions that the given image lists need, their dependencies included."""
    reached: set[str] = {_asker(path) for path in lists}
    share: set[NormalizedName] = set()
    while True:
        further = {pin.name for pin in pins.values() if pin.via & reached} - share
        if not further:
            return share
        share |= further
        reached |= further


def _asker(path: Path) -> str:
    return f"-r {path.name}"
