"""Registers Pants' docker backend with its image build replaced by the incremental one, and without its push.

Its linter is registered here as well: that backend brings the docker backend's rules along, the replaced one included.
"""

from __future__ import annotations

from typing import Iterable

from pants.backend.docker import register as docker
from pants.backend.docker.goals import package_image, publish
from pants.backend.docker.lint.hadolint import register as hadolint
from pants.engine.rules import Rule, TaskRule
from pants.engine.target import Target
from pants.engine.unions import UnionRule
from pants.vcs.git import rules as git_rules

from incremental_docker import context, image_build, revision

_REPLACED = {
    f"{replaced.__module__}.{replaced.__name__}"
    for replaced in (
        package_image.build_docker_image,
        # By image_publishing.
        publish.push_docker_images,
    )
}


def rules() -> Iterable[Rule | UnionRule]:
    """Pants' own rules but those that are replaced, and the image build that stands in for one of them."""
    stock = (*docker.rules(), *hadolint.rules())
    kept = [item for item in stock if not (isinstance(item, TaskRule) and item.canonical_name in _REPLACED)]
    return (*kept, *context.rules(), *git_rules(), *image_build.rules(), *revision.rules())


def target_types() -> Iterable[type[Target]]:
    """`docker_image`, unchanged."""
    return tuple(docker.target_types())
