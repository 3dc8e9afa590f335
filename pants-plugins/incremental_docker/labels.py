"""The labels of the OCI image specification, from what is known of a build."""

from __future__ import annotations

import re
from typing import Mapping, Sequence

_OCI = "org.opencontainers.image"
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)", re.IGNORECASE | re.MULTILINE)
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def base_of(dockerfile: str, build_args: Mapping[str, str]) -> str:
    """The image that a Dockerfile's last stage is built on: a reference, `scratch`, a stage's name; empty without one.

    Args:
        dockerfile: Its text.
        build_args: Values of its arguments by name.
    """
    found = _FROM.findall(dockerfile)
    if not found:
        return ""
    return _VARIABLE.sub(lambda match: build_args.get(match[1] or match[2], match[0]), found[-1])


def labels_of(
    repository: str,
    tags: Sequence[str],
    revision: str | None,
    licences: str | None,
    base: str,
    image_ids: Mapping[str, str],
) -> dict[str, str]:
    """The labels of an image, by name; what is not known is left out.

    Args:
        repository: Its name without registry and tag.
        tags: Its tags without the name; the first is its version.
        revision: Commit of its source.
        licences: SPDX expression of what is in it.
        base: As `base_of` says.
        image_ids: Id of each image that was built for it, by full name.
    """
    name, _, digest = base.partition("@")
    labels = {
        "title": repository,
        "version": tags[0],
        "revision": revision,
        "licenses": licences,
        # Of an image that was built here the id stands for the digest of the manifest, which only a registry makes.
        "base.name": name if digest or name in image_ids else None,
        "base.digest": digest or image_ids.get(name),
    }
    return {f"{_OCI}.{key}": value for key, value in labels.items() if value}
