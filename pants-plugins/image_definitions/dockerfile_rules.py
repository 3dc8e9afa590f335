"""What a Dockerfile says that cannot work, or not twice alike, whatever its target's dependencies are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, Collection, Mapping

from image_definitions.dockerfile import Dockerfile, Instruction
from image_definitions.findings import Allowance, Finding, read_comment
from image_definitions.network import downloads
from image_definitions.shell import Command, Word, commands
from image_definitions.variables import Expanded, assignments, expand

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_WHOLE_VARIABLE = re.compile(r"\$\{?([A-Za-z0-9_]+)\}?")
# Also what the engine clones: git@host:path, and a repository's address.
_URL = re.compile(r"(?:https?|ftps?|git|ssh|s3|oci)://|git@[^/]+:|github\.com/", re.IGNORECASE)
# BuildKit sets these by itself.
_GIVEN = dict.fromkeys(
    f"{side}{what}" for side in ("BUILD", "TARGET") for what in ("ARCH", "OS", "PLATFORM", "VARIANT")
)


@dataclass(frozen=True)
class Source:
    """A path in the build context that an instruction takes; `pattern` is none when only the build knows it."""

    instruction: str
    line: int
    written: str
    pattern: str | None


@dataclass(frozen=True)
class DockerfileReport:
    """What was found in one Dockerfile.

    Attributes:
        findings: What is wrong, whether allowed or not.
        allowances: Comments that allow some of it.
        sources: What it takes from its build context.
        parents: The values of FROM and `--from`, as far as they are known, each with its line.
    """

    findings: tuple[Finding, ...]
    allowances: tuple[Allowance, ...]
    sources: tuple[Source, ...]
    parents: tuple[tuple[str, int], ...]


def inspect(
    dockerfile: Dockerfile, path: str, build_args: Mapping[str, str | None], is_image: Callable[[str], bool]
) -> DockerfileReport:
    """Everything that one Dockerfile says by itself.

    Args:
        dockerfile: As parsed.
        path: For the messages.
        build_args: Build arguments that its target or the configuration sets; none for one from the environment.
        is_image: Whether a text is the address of a `docker_image` target.
    """
    inspection = _Inspection(dockerfile, path, build_args, is_image)
    inspection.run()
    comments = [
        (comment, instruction.line, instruction.text.lines[-1])
        for instruction in dockerfile.instructions
        for comment in instruction.comments
    ]
    # A comment above the frontend's line is what this parser reads as a comment of the first instruction.
    first = dockerfile.instructions[0] if dockerfile.instructions else None
    read = [
        read_comment(path, comment, 1 if instruction_line == (first.line if first else 0) else instruction_line, last)
        for comment, instruction_line, last in comments
    ]
    read += [read_comment(path, comment, comment.line, comment.line) for comment in dockerfile.last_comments]
    return DockerfileReport(
        (*inspection.findings, *(each for each in read if isinstance(each, Finding))),
        tuple(each for each in read if isinstance(each, Allowance)),
        tuple(inspection.sources),
        tuple(inspection.parents),
    )


class _Inspection:
    def __init__(
        self, dockerfile: Dockerfile, path: str, build_args: Mapping[str, str | None], is_image: Callable[[str], bool]
    ) -> None:
        self.dockerfile = dockerfile
        self.path = path
        self.build_args = build_args
        self.is_image = is_image
        self.findings: list[Finding] = []
        self.sources: list[Source] = []
        self.parents: list[tuple[str, int]] = []
        self.stages: set[str] = set()
        self.stage_count = 0
        # Of ARGs above the first FROM, and where each was given its default.
        self.before: dict[str, str | None] = {}
        self.default_lines: dict[str, int] = {}
        self.values: dict[str, str | None] = {}
        self.environment: dict[str, str] = {}

    def add(self, line: int, rule: str, message: str) -> None:
        self.findings.append(Finding(self.path, line, rule, message))

    def run(self) -> None:
        if "syntax" in self.dockerfile.directives:
            line, frontend = self.dockerfile.directives["syntax"]
            self.add(
                line,
                "frontend-line",
                f"`# syntax={frontend}` has the engine fetch {frontend} before it reads the file, at whatever version "
                "it has by then. The engine's own frontend is enough here: remove the line.",
            )
        for instruction in self.dockerfile.instructions:
            self.visit(instruction, triggered=False)

    def visit(self, instruction: Instruction, triggered: bool) -> None:
        keyword = instruction.keyword
        if keyword == "ONBUILD":
            inner = instruction.triggered()
            if inner and inner.keyword != "ONBUILD":
                self.visit(inner, triggered=True)
            return
        if instruction.heredocs:
            self.add(
                instruction.line,
                "here-document",
                f"{keyword} has a here-document ({instruction.heredocs[0]}), which the frontend of engine 20.10 does "
                "not read. Join the commands with `&&`, or put the text into a layer.",
            )
        elif keyword == "FROM":
            self.visit_from(instruction)
        elif keyword in ("ARG", "ENV"):
            self.visit_assignments(instruction)
        elif keyword in ("ADD", "COPY"):
            self.visit_copy(instruction, triggered)
        elif keyword == "RUN":
            self.visit_run(instruction, triggered)

    def visit_from(self, instruction: Instruction) -> None:
        words = instruction.words
        self.values, self.environment = {}, {}
        if words:
            self.check_parent(instruction, words[0])
        if len(words) == 3 and words[1].upper() == "AS":
            self.stages.add(words[2].lower())
        self.stage_count += 1

    def check_parent(self, instruction: Instruction, written: str) -> None:
        expanded = self.expand(written, {**_GIVEN, **self.before})
        value, line = expanded.value, instruction.line
        whole = _WHOLE_VARIABLE.fullmatch(written)
        if whole and whole.group(1) in self.default_lines and whole.group(1) not in self.build_args:
            line = self.default_lines[whole.group(1)]
        if expanded.unknown:
            names = ", ".join(expanded.unknown)
            self.add(
                line,
                "unpinned-from",
                f"FROM {written}: nothing in the tree says what {names} is. Give it a default in an ARG above the "
                "first FROM: a docker_image target's address, or an image with its digest (NAME@sha256:...).",
            )
            return
        self.parents.append((value, instruction.line))
        if value == "scratch" or value.lower() in self.stages or _DIGEST.search(value):
            return
        if self.is_image(value):
            if whole:
                return
            self.add(
                line,
                "unpinned-from",
                f"FROM {written}: Pants replaces a target's address only when an ARG's default holds nothing else. "
                f"Write `ARG PARENT={value}` above and `FROM ${{PARENT}}`.",
            )
            return
        shown = f"FROM {written}" if value == written else f"FROM {written} is {value}"
        self.add(
            line,
            "unpinned-from",
            f"{shown}: this is neither a docker_image target nor pinned, so that another day or machine starts from "
            f"another image. Pin it by digest: {value.partition('@')[0]}@sha256: and 64 hexadecimal digits.",
        )

    def check_image_name(self, line: int, flag: str, name: str) -> None:
        """The value of `--from`, which names a stage, its number or an image; BuildKit replaces no variable there."""
        is_stage = name.lower() in self.stages or (name.isdigit() and int(name) < self.stage_count)
        if name == "scratch" or is_stage or _DIGEST.search(name):
            return
        self.add(
            line,
            "unpinned-from",
            f"{flag}={name} is no stage above and not pinned: another day or machine takes the files of another image. "
            "Name a stage, or pin it by digest (NAME@sha256:...).",
        )

    def expand(self, text: str, values: Mapping[str, str | None]) -> Expanded:
        return expand(text, values, self.dockerfile.escape)

    def visit_assignments(self, instruction: Instruction) -> None:
        for name, written in assignments(instruction):
            values = self.values if self.stage_count else self.before
            expanded = self.expand(written, values) if written is not None else None
            value = None if expanded is None or expanded.unknown else expanded.value
            if instruction.keyword == "ENV":
                self.environment[name] = value or ""
            elif name in self.environment:
                # ENV wins over an ARG of the same name.
                continue
            elif name in self.build_args:
                value = self.build_args[name]
            elif written is None and self.stage_count:
                value = self.before.get(name)
            if not self.stage_count:
                self.default_lines[name] = instruction.line
            values[name] = value

    def visit_copy(self, instruction: Instruction, triggered: bool) -> None:
        stage = instruction.flag("from")
        if stage is not None:
            self.check_image_name(instruction.line, "--from", stage)
            return
        for written in instruction.words[:-1]:
            expanded = self.expand(written, self.values)
            line = self.line_of(instruction, written)
            if _URL.match(expanded.value):
                self.add(
                    line,
                    "add-from-url",
                    f"{instruction.keyword} {written} downloads whatever is there on the day of the build, and this "
                    "build cannot. Fetch it in a target of its own, checked by a hash, and ADD what that writes.",
                )
            elif not triggered:
                pattern = None if expanded.unknown else expanded.value
                self.sources.append(Source(instruction.keyword, line, written, pattern))

    def line_of(self, instruction: Instruction, word: str) -> int:
        at = instruction.text.value.find(word)
        return instruction.text.line_at(max(at, 0))

    def visit_run(self, instruction: Instruction, triggered: bool) -> None:
        for flag in instruction.flags:
            name, _, value = flag.partition("=")
            if name == "--mount":
                self.visit_mount(instruction, value.strip("\"'"), triggered)
        listed = instruction.exec_form
        if listed:
            found = downloads(
                [Command({}, tuple(Word(text, (0,) * max(len(text), 1)) for text in listed))], self.environment
            )
        else:
            found = downloads(commands(instruction.text.value), self.environment)
        for download in found:
            self.add(
                instruction.text.line_at(download.offset),
                "network-in-run",
                f"RUN calls `{download.command}`, which downloads; builds run with --network=none, so it fails, and "
                f"elsewhere it would bring another result each day. {download.advice}",
            )

    def visit_mount(self, instruction: Instruction, value: str, triggered: bool) -> None:
        settings = dict(part.partition("=")[::2] for part in value.split(","))
        origin = settings.get("from")
        if origin is not None:
            self.check_image_name(instruction.line, "--mount from", origin)
        elif settings.get("type", "bind") == "bind" and not triggered:
            written = settings.get("source", settings.get("src", "."))
            expanded = self.expand(written, self.values)
            pattern = None if expanded.unknown else expanded.value
            self.sources.append(Source("RUN --mount", instruction.line, written, pattern))


def absolute_address(text: str, folder: str) -> str:
    """An address as Pants reads it in an ARG's default: relative to the folder of the target's BUILD file.

    Args:
        text: `:NAME`, `FOLDER:NAME` or `//FOLDER:NAME`.
        folder: Relative to the repository.
    """
    if text.startswith(":"):
        return f"{folder}{text}"
    return text[2:] if text.startswith("//") else text


def line_of_argument(dockerfile: Dockerfile, values: Collection[str]) -> int:
    """The line of the ARG whose default is one of `values`; 0 when there is none."""
    for instruction in dockerfile.instructions:
        if instruction.keyword == "ARG":
            for _, written in assignments(instruction):
                if written is not None and expand(written, {}, dockerfile.escape).value in values:
                    return instruction.line
    return 0
