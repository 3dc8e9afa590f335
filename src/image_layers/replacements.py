"""Puts modules of ours in the place of some of a library's, or lines of ours behind its own, where these harm users.

Each is tied by hash to the library's file: a release of the library that changes that file does not build until
somebody has looked at both.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import NormalizedName, canonicalize_name

from image_layers.errors import LayerError


@dataclass(frozen=True)
class Replacement:
    """One file of a wheel, and what ships in its place or with it.

    Attributes:
        distribution: Whose wheel it is.
        path: Of the file, POSIX, relative to site-packages.
        original: SHA-256 of the library's file, hexadecimal.
        ours: The file that ships.
        appended: Whether it ships behind the library's, in one file.
        origin: Where this is written down, for messages.
    """

    distribution: NormalizedName
    path: str
    original: str
    ours: Path
    appended: bool
    origin: str

    def apply(self, content: bytes) -> bytes:
        """What ships in place of the library's `content`.

        Raises:
            LayerError: the library's file is not the one that ours was written for.
        """
        found = hashlib.sha256(content).hexdigest()
        if found != self.original:
            does = "adds to" if self.appended else "replaces"
            raise LayerError(
                f"{self.origin} {does} {self.path} of {self.distribution}, whose SHA-256 was {self.original}; the "
                f"wheel's has {found}. The library has changed it: compare the two, adapt {self.ours} and write the "
                "new hash down, or take the line away."
            )
        ours = self.ours.read_bytes()
        return content + b"\n\n" + ours if self.appended else ours


@dataclass(frozen=True)
class Replacements:
    """All that are replaced."""

    items: tuple[Replacement, ...] = ()

    def of(self, distribution: str) -> dict[str, Replacement]:
        """What is replaced in a wheel, by path."""
        name = canonicalize_name(distribution)
        return {item.path: item for item in self.items if item.distribution == name}


def read_replacements(path: Path) -> Replacements:
    """Lines of `DISTRIBUTION PATH SHA256 [+]OURS`; OURS is relative to the list's folder, `#` starts a comment.

    A plus sign appends OURS to the library's file instead of replacing that.

    Raises:
        LayerError: a line is something else, or there is no such file of ours.
    """
    items = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 4:
            raise LayerError(f"{path}:{number}: {line.strip()!r} is not `DISTRIBUTION PATH SHA256 [+]OURS`.")
        distribution, place, original, ours = words
        appended, ours = ours.startswith("+"), ours.lstrip("+")
        if not (path.parent / ours).is_file():
            raise LayerError(f"{path}:{number}: there is no {path.parent / ours} to ship in place of {place}.")
        items.append(
            Replacement(
                canonicalize_name(distribution), place, original, path.parent / ours, appended, f"{path}:{number}"
            )
        )
    return Replacements(tuple(items))
