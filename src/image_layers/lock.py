"""Reads locks: what is pinned, and who asked for it.

A lock is a hashed requirements file. Its `# via` comments, written by the resolver, say who asked for a distribution:
another distribution, or `-r NAME.in`, a list.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, Mapping, Sequence

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
    for block in blocks(path.read_text(encoding="utf-8")):
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


def blocks(text: str) -> list[list[str]]:
    """The lines of each pin in a lock's text: its first line, those of its hashes, its comments."""
    found: list[list[str]] = []
    for line in text.splitlines():
        if line and not line[0].isspace() and not line.startswith("#"):
            found.append([])
        if found and line.strip():
            found[-1].append(line)
    return found


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


def check_against(locks: Mapping[Path, Mapping[NormalizedName, Pin]], wanted: Path) -> None:
    """Hold an image's lock and those of the images below it against what the image asks for by name.

    Args:
        locks: Pins by file, the image's own first.
        wanted: Requirements list of the image.

    Raises:
        LayerError: no lock has a distribution, or one has a version the list does not allow; names both and where.
    """
    for requirement in read_requirements(wanted):
        name = canonicalize_name(requirement.name)
        path = next((path for path, pins in locks.items() if name in pins), next(iter(locks)))
        pin = locks[path].get(name)
        if pin is None or pin.version not in requirement.specifier:
            found = f"{pin.name} {pin.version}" if pin else f"no {requirement.name}"
            raise LayerError(
                f"{wanted} asks for `{requirement}`, but {path} has {found}. "
                "Put the version back, or change the list and lock again; 3rdparty/README.md says how."
            )


def part_of(
    pins: Mapping[NormalizedName, Pin], only: Sequence[str], without: Sequence[str], lock: Path
) -> set[NormalizedName]:
    """The pins of one of the layers that an image's libraries are split into.

    Args:
        pins: All of the image.
        only: Names; without any, all.
        without: Names that another layer has.
        lock: The pins' file, for messages.

    Raises:
        LayerError: a name is no pin, so that the layers would no longer be what they are called.
    """
    for name in (*only, *without):
        if canonicalize_name(name) not in pins:
            raise LayerError(
                f"{lock} has no {name}, which is to be in a layer of its own. "
                "Name another one in the image's BUILD file, or take that layer away."
            )
    chosen = {canonicalize_name(name) for name in only} or set(pins)
    return chosen - {canonicalize_name(name) for name in without}
