"""Registers Pants' docker backend with its image build replaced by the incremental one.

Its linter is registered here as well: that backend brings the docker backend's rules along, the replaced one included.
"""

from __future__ import annotations

from typing import Iterable

from pants.backend.docker import register as docker
from pants.backend.docker.goals import package_image
from pants.backend.docker.lint.hadolint import register as hadolint
from pants.engine.rules import Rule, TaskRule
from pants.engine.target import Target
from pants.engine.unions import UnionRule

from incremental_docker import image_build

_REPLACED = f"{package_image.__name__}.{package_image.build_docker_image.__name__}"


def rules() -> Iterable[Rule | UnionRule]:
    """Pants' own rules but one, and the rule that stands in for it."""
    stock = (*docker.rules(), *hadolint.rules())
    kept = [item for item in stock if not (isinstance(item, TaskRule) and item.canonical_name == _REPLACED)]
    return (*kept, *image_build.rules())


def target_types() -> Iterable[type[Target]]:
    """`docker_image`, unchanged."""
    return tuple(docker.target_types())
