"""Finds tags that two images have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Sequence

from image_definitions.findings import Finding


@dataclass(frozen=True, order=True)
class Tag:
    """A tag of a `docker_image` target, `REPOSITORY:TAG`, with file and line of where it is given."""

    address: str
    name: str
    path: str
    line: int


def shared(tags: Sequence[Tag], of: Iterable[str]) -> list[Finding]:
    """One finding for each tag of the targets `of` that another target has, too.

    Args:
        tags: Of all images in the repository.
        of: Addresses of the images to report on.
    """
    checked = frozenset(of)
    holders: dict[str, list[Tag]] = {}
    for tag in sorted(tags):
        holders.setdefault(tag.name, []).append(tag)
    findings = []
    for tag in tags:
        others = [other for other in holders[tag.name] if other.address != tag.address]
        if tag.address in checked and others:
            named = " and ".join(f"{other.address} ({other.path}:{other.line or 1})" for other in others)
            findings.append(
                Finding(
                    tag.path,
                    tag.line,
                    "shared-tag",
                    f"{tag.name} is a tag of {tag.address} and of {named}: it would name the one that was built last. "
                    "Give one of them another `repository` or other `image_tags`.",
                )
            )
    return findings
