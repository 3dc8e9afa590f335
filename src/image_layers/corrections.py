"""Corrects what a distribution declares about its dependencies, as the resolve that made the lock did.

Both read the same two files: `overrides.txt` replaces a declared requirement, `excludes.txt` drops one. The images'
metadata then says what is true, and `pip check` is clean.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from image_layers.lock import read_requirements

_FIELD = "Requires-Dist:"


@dataclass(frozen=True)
class Corrections:
    """Requirements to replace and names to drop, wherever they are declared."""

    replacements: dict[NormalizedName, Requirement]
    excluded: frozenset[NormalizedName]

    def apply(self, metadata: str) -> str:
        """Distribution metadata with every `Requires-Dist` line corrected; text without one comes back as it was."""
        headers, separator, description = metadata.partition("\n\n")
        lines = (self._corrected(line) for line in headers.split("\n"))
        return "\n".join(line for line in lines if line is not None) + separator + description

    def _corrected(self, line: str) -> str | None:
        if not line.startswith(_FIELD):
            return line
        declared = line[len(_FIELD) :].strip()
        name = canonicalize_name(_name_of(declared))
        if name in self.excluded:
            return None
        replacement = self.replacements.get(name)
        if replacement is None:
            return line
        marker = declared.partition(";")[2].strip()
        return f"{_FIELD} {replacement}" + (f" ; {marker}" if marker else "")


def _name_of(declared: str) -> str:
    try:
        return Requirement(declared).name
    except InvalidRequirement:
        # The declaration may be here because its version part is invalid; the name comes first all the same.
        end = next((index for index, letter in enumerate(declared) if letter in " ([<>=!~;"), len(declared))
        return declared[:end]


def read_corrections(overrides: Path, excludes: Path) -> Corrections:
    """The corrections that the lock was made with."""
    return Corrections(
        replacements={canonicalize_name(item.name): item for item in read_requirements(overrides)},
        excluded=frozenset(canonicalize_name(item.name) for item in read_requirements(excludes)),
    )
