"""Registers the rule that publishes docker images, in place of Pants' own, which `incremental_docker` leaves out."""

from __future__ import annotations

from typing import Iterable

from pants.engine.rules import Rule
from pants.engine.unions import UnionRule

from image_publishing import image_tests, publish


def rules() -> Iterable[Rule | UnionRule]:
    """The rule, and the one that asks for the results of an image's tests."""
    return (*image_tests.rules(), *publish.rules())
