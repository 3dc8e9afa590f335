"""Holds what a Dockerfile takes from its build context against what its target's dependencies put there."""

from __future__ import annotations

import difflib
import posixpath
import re
from dataclasses import dataclass
from typing import Iterable, Sequence

from image_definitions.dockerfile_rules import Source
from image_definitions.findings import Finding


@dataclass(frozen=True)
class Output:
    """Something that a target puts into a build context.

    Attributes:
        address: Of the target.
        path: Relative to the repository; `*` in it stands for what is known after the build only.
        is_folder: Whether files lie below `path`, which only the build knows.
    """

    address: str
    path: str
    is_folder: bool = False

    def __str__(self) -> str:
        return f"{self.path}/" if self.is_folder else self.path


@dataclass(frozen=True)
class Dependency:
    """An entry of an image's dependencies: its address as in a BUILD file, where it stands, and what it provides.

    `is_parent` holds for an image; a FROM takes it.
    """

    address: str
    path: str
    line: int
    outputs: tuple[Output, ...]
    is_parent: bool = False


@dataclass(frozen=True)
class Image:
    """A `docker_image` target.

    Attributes:
        address: Of the target.
        defined_at: File and line of the target.
        folder: Of its BUILD file.
        dockerfile: Its path.
        context_root: The folder that paths in the Dockerfile are relative to; `.` is the repository.
    """

    address: str
    defined_at: str
    folder: str
    dockerfile: str
    context_root: str = "."


def unprovided(
    image: Image, sources: Iterable[Source], provided: Sequence[Output], known: Iterable[Output]
) -> list[Finding]:
    """One finding for each path that an instruction takes and no dependency provides.

    Args:
        image: The target.
        sources: What its Dockerfile takes.
        provided: What all its dependencies put into the context.
        known: What any target of the repository would put there.
    """
    available = [*provided, Output(image.address, image.dockerfile)]
    everything = [*known]
    findings = []
    for source in sources:
        if source.pattern is None or any(takes(source.pattern, each, image.context_root) for each in available):
            continue
        message = (
            f"{source.instruction} takes {source.written}, which no entry of `dependencies` of {image.address} "
            f"({image.defined_at}) provides: the engine will not find it. "
        )
        findings.append(
            Finding(
                image.dockerfile,
                source.line,
                "unprovided-source",
                message + _advice(image, source.pattern, provided, everything),
            )
        )
    return findings


def unused(
    image: Image, sources: Sequence[Source], parents: Iterable[str], entries: Iterable[Dependency]
) -> list[Finding]:
    """One finding for each dependency of which no instruction takes anything.

    Args:
        image: The target.
        sources: What its Dockerfile takes.
        parents: The addresses that its FROMs name.
        entries: Its dependencies as written.
    """
    named = frozenset(parents)
    findings = []
    for entry in entries:
        if not entry.outputs or entry.address in named:
            continue
        if any(
            source.pattern is None or takes(source.pattern, output, image.context_root)
            for source in sources
            for output in entry.outputs
        ):
            continue
        if entry.is_parent:
            what = f"no FROM of {image.dockerfile} names it: it is built for nothing"
        else:
            what = (
                f"no ADD, COPY or RUN --mount of {image.dockerfile} takes {_listed(map(str, entry.outputs))}: the "
                "image does not hold it"
            )
        findings.append(
            Finding(
                entry.path,
                entry.line,
                "unused-dependency",
                f"{image.address} depends on {entry.address}, but {what}. Add the instruction, or remove the entry.",
            )
        )
    return findings


def takes(pattern: str, output: Output, context_root: str = ".") -> bool:
    """Whether the source of an ADD or COPY may match an output; wrong only in favour of a match."""
    wanted = _parts(pattern)
    held = _parts(output.path)
    root = _parts(context_root)
    if output.is_folder and held == root[: len(held)]:
        # The root lies in the folder: anything may be there.
        return True
    if held[: len(root)] != root:
        return False
    held = held[len(root) :]
    if len(wanted) <= len(held):
        return all(map(_overlap, wanted, held))
    return output.is_folder and all(map(_overlap, wanted, held))


def _parts(path: str) -> list[str]:
    return [part for part in posixpath.normpath(f"/{path}").split("/") if part]


def _overlap(wanted: str, held: str) -> bool:
    if "*" in held:
        # Both may leave something open; a match cannot be ruled out then.
        return not _is_plain(wanted) or bool(
            re.fullmatch(".*".join(map(re.escape, held.split("*"))), wanted, re.DOTALL)
        )
    return bool(re.fullmatch(_expression(wanted), held, re.DOTALL))


def _is_plain(segment: str) -> bool:
    return not any(sign in segment for sign in "*?[\\")


def _expression(segment: str) -> str:
    """A segment in the syntax of Go's filepath.Match, as a regular expression."""
    expression, at = "", 0
    while at < len(segment):
        character = segment[at]
        closing = segment.find("]", at + 2) if character == "[" else -1
        if character == "*":
            expression += ".*"
        elif character == "?":
            expression += "."
        elif character == "\\" and at + 1 < len(segment):
            at += 1
            expression += re.escape(segment[at])
        elif closing > 0:
            inner = segment[at + 1 : closing]
            negated = inner.startswith("^") and len(inner) > 1
            inner = inner[1:] if negated else inner
            escaped = re.sub(r"([\\\]\[^&~|])", r"\\\1", inner)
            candidate = f"[{'^' if negated else ''}{escaped}]"
            try:
                re.compile(candidate)
            except re.error:
                # The engine refuses it as well.
                candidate = re.escape(segment[at : closing + 1])
            expression += candidate
            at = closing
        else:
            expression += re.escape(character)
        at += 1
    return expression


def _advice(image: Image, pattern: str, provided: Sequence[Output], known: Sequence[Output]) -> str:
    ending = posixpath.splitext(pattern)[1]
    writers = sorted(
        {
            each.address
            for each in known
            if not each.is_folder and takes(pattern, each, image.context_root)
            # Where both leave something open, the ending decides.
            and ("*" not in each.path or _is_plain(pattern) or posixpath.splitext(each.path)[1] == ending)
        }
    )
    if writers and "." not in (pattern, posixpath.normpath(pattern)):
        own = [address for address in writers if address.rpartition(":")[0] == image.folder]
        chosen = own or writers
        names = " or ".join(f'":{address.rpartition(":")[2]}"' if own else f'"{address}"' for address in chosen[:3])
        return f"Add {names} to its dependencies, which writes it."
    relative = (
        "" if _parts(image.context_root) == [] else f" Paths are relative to its context_root, {image.context_root}."
    )
    held = sorted(map(str, provided))
    near = difflib.get_close_matches(pattern, held, n=1)
    if near:
        return f"No target writes it. Is {near[0]} meant?{relative}"
    provides = f"The dependencies provide {_listed(held)}." if held else "The dependencies provide no file."
    return f"No target writes it. {provides} Name the target that makes it, or correct the path.{relative}"


def _listed(names: Iterable[str], limit: int = 8) -> str:
    shown = sorted(names)
    return ", ".join(shown[:limit]) + (f" and {len(shown) - limit} more" if len(shown) > limit else "")
