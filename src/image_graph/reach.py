"""What a change reaches."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Iterable, Sequence

from image_graph.targets import Targets


@dataclass(frozen=True)
class ChangedFile:
    """A file that changed, and what that reaches.

    Attributes:
        path: In the repository.
        owners: Addresses of the targets that hold it, generated ones by themselves.
        defined: The same by their addresses in BUILD files.
        images: Addresses of the images that are built anew.
        tests: Addresses of the tests that run again.
    """

    path: str
    owners: tuple[str, ...]
    defined: tuple[str, ...]
    images: tuple[str, ...]
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Reach:
    """A change of the working tree.

    Attributes:
        files: One entry for each changed file.
        changed: Addresses of the targets that changed, as Pants says.
        reached: Addresses of those that depend on them.
        images: Addresses of the images among both.
        tests: Addresses of the tests among both.
    """

    files: tuple[ChangedFile, ...]
    changed: frozenset[str]
    reached: frozenset[str]
    images: tuple[str, ...]
    tests: tuple[str, ...]


def reach(targets: Targets, files: Sequence[str], changed: Iterable[str]) -> Reach:
    """Follow a change along the dependencies.

    Args:
        targets: All targets.
        files: Paths that changed.
        changed: Addresses of the targets that own them.
    """
    outputs = targets.outputs()
    direct = frozenset(address for address in changed if address in targets)
    # As Pants does: the generator of what changed would look as if all of its targets had.
    generators = {targets.generator_of(address) for address in direct} - direct
    everything = targets.closure(direct, outputs) - generators

    def images_and_tests(addresses: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        ordered = sorted(addresses)
        return (
            tuple(address for address in ordered if targets[address].is_image),
            tuple(address for address in ordered if targets[address].is_test),
        )

    rows = []
    for path in files:
        owners = tuple(sorted(address for address in direct if _owns(targets, address, path)))
        defined = tuple(sorted({targets.generator_of(address) for address in owners}))
        rows.append(ChangedFile(path, owners, defined, *images_and_tests(targets.closure(owners, outputs))))
    return Reach(tuple(rows), direct, frozenset(everything) - direct, *images_and_tests(everything))


def _owns(targets: Targets, address: str, path: str) -> bool:
    folder, name = posixpath.split(path)
    if path in targets[address].sources:
        return True
    defined_in = targets[targets.generator_of(address)].folder
    return (name == "BUILD" or name.startswith("BUILD.")) and defined_in == folder
