"""The answer of `pants peek`: every target with its fields and dependencies."""

from __future__ import annotations

import json
import posixpath
from dataclasses import dataclass
from typing import Any, Iterable, Iterator, Mapping

from image_graph.errors import GraphError


@dataclass(frozen=True)
class Target:
    """One target as Pants describes it.

    Attributes:
        address: Its name for Pants.
        type: For example `docker_image`.
        inputs: Addresses of what it is made from. Generators among its dependencies are given as their targets.
        sources: Its files, by their paths in the repository.
        fields: All that Pants says of it.
    """

    address: str
    type: str
    inputs: tuple[str, ...]
    sources: tuple[str, ...]
    fields: Mapping[str, Any]

    @property
    def folder(self) -> str:
        """The folder that its address names; empty at the top of the repository."""
        return self.address.partition("#")[0].partition(":")[0].lstrip("/")

    @property
    def is_image(self) -> bool:
        """Whether a container image is built from it."""
        return self.type == "docker_image"

    @property
    def is_step(self) -> bool:
        """Whether it is one run of a program, whose files others take."""
        return self.type in ("adhoc_tool", "shell_command")

    @property
    def is_test(self) -> bool:
        """Whether goal `test` runs it."""
        return self.type.endswith("_test") or self.type == "test_shell_command"


class Targets(Mapping[str, Target]):
    """All targets of a repository, by address."""

    def __init__(self, answer: Iterable[Mapping[str, Any]]) -> None:
        """Take in what `peek` printed.

        Raises:
            GraphError: a target names another that is not in the answer.
        """
        raw = {fields["address"]: fields for fields in answer}
        self._targets = {address: _target(fields, raw) for address, fields in sorted(raw.items())}

    def __getitem__(self, address: str) -> Target:
        return self._targets[address]

    def __iter__(self) -> Iterator[str]:
        return iter(self._targets)

    def __len__(self) -> int:
        return len(self._targets)

    def generator_of(self, address: str) -> str:
        """The address of the target in a BUILD file that a target was generated from; its own if it is no such."""
        plain, part, _ = address.partition("#")
        if part:
            return plain if plain in self else address
        sources = self[address].sources
        path, _, name = address.partition(":")
        if len(sources) != 1 or path.lstrip("/") != sources[0]:
            return address
        folder = posixpath.dirname(sources[0])
        while name.startswith("../"):
            folder, name = posixpath.dirname(folder), name[3:]
        generator = _in_full(f"{folder or '//'}:{name}" if name else folder)
        return generator if generator in self else address

    def closure(self, roots: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
        """`roots` and all that is reached from them along `edges`."""
        seen: set[str] = set()
        waiting = list(roots)
        while waiting:
            address = waiting.pop()
            if address not in seen:
                seen.add(address)
                waiting += edges.get(address, ())
        return seen

    def circle(self) -> str | None:
        """A target that needs itself, or None; Python's files may do so."""
        inputs = self.inputs()
        for address, target in self.items():
            if target.type != "python_source" and address in self.closure(target.inputs, inputs):
                return address
        return None

    def inputs(self) -> dict[str, tuple[str, ...]]:
        """What each target is made from, by address."""
        return {address: target.inputs for address, target in self.items()}

    def outputs(self) -> dict[str, list[str]]:
        """What is made from each target, by address."""
        made: dict[str, list[str]] = {}
        for address, target in self.items():
            for needed in target.inputs:
                made.setdefault(needed, []).append(address)
        return made


def parse(answer: str) -> Targets:
    """The targets in the text that `peek` printed.

    Raises:
        GraphError: the text is something else.
    """
    try:
        listed = json.loads(answer)
        return Targets(listed)
    except (ValueError, KeyError, TypeError) as error:
        raise GraphError(
            f"reading the answer of `pants peek` failed: {type(error).__name__}: {error}. It starts with"
            f" {answer[:80]!r}; a JSON list of targets with `address`, `target_type` and `dependencies` is needed.\n"
            "Run `./pants peek ::` and look at what it prints."
        ) from error


def _target(fields: Mapping[str, Any], known: Mapping[str, object]) -> Target:
    address = fields["address"]
    inputs = dict.fromkeys(fields["dependencies"])
    # The one field with an address that `peek` does not count among the dependencies.
    if fields.get("runnable"):
        written = _absolute(fields["runnable"], address)
        inputs[written if written in known else _in_full(written)] = None
    for needed in inputs:
        if needed not in known:
            raise GraphError(
                f"drawing {address} failed: it needs {needed}, which Pants did not list among all targets.\n"
                f"Compare `./pants dependencies {address}` with `./pants list ::`."
            )
    return Target(address, fields["target_type"], tuple(inputs), tuple(fields.get("sources") or ()), fields)


def _absolute(written: str, beside: str) -> str:
    """An address that a BUILD file beside the target `beside` names, from the top of the repository."""
    if written.startswith(":"):
        return beside.partition("#")[0].partition(":")[0] + written
    return written if written.startswith("//:") else written.lstrip("/")


def _in_full(address: str) -> str:
    """An address with the name that it may leave out, the folder's own."""
    return address if ":" in address else f"{address}:{posixpath.basename(address)}"
