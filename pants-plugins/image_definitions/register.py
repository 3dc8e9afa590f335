"""Registers the linter of image definitions."""

from __future__ import annotations

from typing import Iterable

from pants.engine.rules import Rule
from pants.engine.unions import UnionRule

from image_definitions import checks, lint


def rules() -> Iterable[Rule | UnionRule]:
    """The linter, and what a build asks before it starts."""
    return (*checks.rules(), *lint.rules())
