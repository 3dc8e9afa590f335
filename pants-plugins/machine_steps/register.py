"""Registers the target `machine_step`."""

from __future__ import annotations

from typing import Iterable

from pants.engine.rules import Rule
from pants.engine.target import Target
from pants.engine.unions import UnionRule

from machine_steps import step


def rules() -> Iterable[Rule | UnionRule]:
    """The rules of its runs."""
    return tuple(step.rules())


def target_types() -> Iterable[type[Target]]:
    """The target."""
    return (step.MachineStepTarget,)
