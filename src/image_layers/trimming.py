"""Decides which files of a wheel need not ship."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from image_layers.errors import LayerError


@dataclass(frozen=True)
class Trimming:
    """Patterns over paths inside a wheel; `*` also matches `/`, the last pattern that matches decides.

    Attributes:
        rules: Pairs of pattern and whether what it matches is left out.
    """

    rules: tuple[tuple[str, bool], ...]

    def drops(self, path: str) -> bool:
        """Whether the file at `path` (POSIX, relative to site-packages) is left out."""
        dropped = False
        for pattern, drop in self.rules:
            if fnmatchcase(path, pattern):
                dropped = drop
        return dropped


def read_trimming(path: Path) -> Trimming:
    """Rules of a file with one pattern a line: `- PATTERN` leaves out, `+ PATTERN` keeps; `#` starts a comment.

    Raises:
        LayerError: a line is neither.
    """
    rules = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        sign, _, pattern = text.partition(" ")
        if sign not in ("-", "+") or not pattern.strip():
            raise LayerError(f"{path}:{number}: {text!r} is not `- PATTERN` or `+ PATTERN`.")
        rules.append((pattern.strip(), sign == "-"))
    return Trimming(tuple(rules))
