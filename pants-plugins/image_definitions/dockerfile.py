"""Reads a Dockerfile into instructions, each character with its line.

The same steps as BuildKit's parser: directives, comments, continued lines, flags, exec form, here-documents. What an
instruction means is not looked at here.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Iterator

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$")
_DIRECTIVES = frozenset({"check", "escape", "syntax"})
_KEYWORD = re.compile(r"\s*(\S+)\s*(.*)", re.DOTALL)
_WITH_EXEC_FORM = frozenset({"ADD", "CMD", "COPY", "ENTRYPOINT", "HEALTHCHECK", "RUN", "SHELL", "VOLUME"})
_WITH_HEREDOCS = frozenset({"ADD", "COPY", "RUN"})
_HEREDOC = re.compile(r"\d*<<(-?)([^<]+)")
# What Go's bufio calls a line's end; str.splitlines() knows more of them.
_LINE_END = re.compile(r"\r?\n")


@dataclass(frozen=True)
class Comment:
    """A comment line; `text` begins with the number sign."""

    line: int
    text: str


@dataclass(frozen=True)
class Text:
    """Text that may come from several lines of a file."""

    value: str
    # Where each line's part begins in `value`, and the number of that line.
    starts: tuple[int, ...]
    lines: tuple[int, ...]

    def line_at(self, offset: int) -> int:
        """The line that the character at `offset` stands in."""
        return self.lines[max(bisect_right(self.starts, offset) - 1, 0)]

    def part(self, start: int) -> Text:
        """What follows `start`."""
        first = max(bisect_right(self.starts, start) - 1, 0)
        return Text(self.value[start:], tuple(max(at - start, 0) for at in self.starts[first:]), self.lines[first:])


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Attributes:
        keyword: In capitals.
        line: Its first.
        flags: `--name=value` between keyword and arguments, as written.
        text: The arguments, continued lines joined.
        comments: The comment lines since the instruction before, and those between its own lines.
        heredocs: The words that open here-documents.
    """

    keyword: str
    line: int
    flags: tuple[str, ...]
    text: Text
    comments: tuple[Comment, ...] = ()
    heredocs: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The arguments: those of the exec form, or what is between white space."""
        listed = self.exec_form
        return tuple(self.text.value.split()) if listed is None else listed

    @property
    def exec_form(self) -> tuple[str, ...] | None:
        """The arguments when they are a JSON list of strings, as `RUN ["a", "b"]` has it."""
        if self.keyword not in _WITH_EXEC_FORM or not self.text.value.startswith("["):
            return None
        try:
            # What follows the list is ignored, by the engine as well.
            listed, _ = json.JSONDecoder().raw_decode(self.text.value)
        except (ValueError, RecursionError):
            return None
        return tuple(listed) if all(isinstance(word, str) for word in listed) else None

    def flag(self, name: str) -> str | None:
        """The value of `--NAME=value`, without quotes; none when it is not there."""
        for flag in self.flags:
            key, _, value = flag.partition("=")
            if key == f"--{name}":
                return value.strip("\"'")
        return None

    def triggered(self) -> Instruction | None:
        """What `ONBUILD` holds for the build of a child image; none when it holds nothing."""
        return _instruction(self.text, self.comments, self.heredocs)


@dataclass(frozen=True)
class Dockerfile:
    """A Dockerfile's directives by name (line and value), its instructions, and the comments below the last of them."""

    directives: dict[str, tuple[int, str]]
    escape: str
    instructions: tuple[Instruction, ...]
    last_comments: tuple[Comment, ...]


def parse(text: str) -> Dockerfile:
    """Reads a Dockerfile; never fails, since what is no instruction becomes one with an unknown keyword."""
    lines = _LINE_END.split(text[1:] if text.startswith("\ufeff") else text)
    directives = dict(_directives(lines))
    escape = directives["escape"][1] if "escape" in directives else "\\"
    # A doubled sign continues nothing.
    continued = re.compile(rf"(?<!{re.escape(escape)}){re.escape(escape)}[ \t]*$")
    instructions: list[Instruction] = []
    comments: list[Comment] = []
    # Directives are comments to everything but the parser.
    number = 0
    while number < len(lines):
        line = lines[number].strip()
        number += 1
        if line.startswith("#"):
            comments.append(Comment(number, line))
        if not line or line.startswith("#"):
            continue
        pieces: list[tuple[int, str]] = []
        piece, more = _cut(continued, lines[number - 1].lstrip())
        pieces.append((number, piece))
        while more and number < len(lines):
            line = lines[number]
            number += 1
            if line.strip().startswith("#"):
                comments.append(Comment(number, line.strip()))
            elif line.strip():
                piece, more = _cut(continued, line)
                pieces.append((number, piece))
        joined = _joined(pieces)
        opened = tuple(_heredocs(joined.value))
        for word in opened:
            number = _after_heredoc(lines, number, word)
        instruction = _instruction(joined, tuple(comments), opened)
        if instruction is not None:
            instructions.append(instruction)
            comments = []
    return Dockerfile(directives, escape, tuple(instructions), tuple(comments))


def _directives(lines: list[str]) -> Iterator[tuple[str, tuple[int, str]]]:
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        found = _DIRECTIVE.match(line.strip())
        name = found.group(1).lower() if found else ""
        if not found or name not in _DIRECTIVES or name in seen:
            return
        if name == "escape" and found.group(2) not in ("\\", "`"):
            return
        seen.add(name)
        yield name, (number, found.group(2))


def _cut(continued: re.Pattern[str], line: str) -> tuple[str, bool]:
    """A line without its continuation sign, and whether it had one."""
    found = continued.search(line)
    return (line[: found.start()], True) if found else (line, False)


def _joined(pieces: list[tuple[int, str]]) -> Text:
    starts, offset = [], 0
    for _, piece in pieces:
        starts.append(offset)
        offset += len(piece)
    value = "".join(piece for _, piece in pieces).rstrip()
    return Text(value, tuple(starts), tuple(number for number, _ in pieces))


def _instruction(text: Text, comments: tuple[Comment, ...], heredocs: tuple[str, ...]) -> Instruction | None:
    found = _KEYWORD.match(text.value)
    if not found:
        return None
    keyword = found.group(1).upper()
    arguments = text.part(found.start(2))
    flags: list[str] = []
    while arguments.value.startswith("--"):
        flag = re.match(r"\S+", arguments.value)
        assert flag, "begins with two dashes"
        rest = arguments.value[flag.end() :]
        arguments = arguments.part(len(arguments.value) - len(rest.lstrip()))
        if flag.group() == "--":
            break
        flags.append(flag.group())
    return Instruction(keyword, text.lines[0], tuple(flags), arguments, comments, heredocs)


def _heredocs(line: str) -> Iterator[str]:
    words = line.split()
    while words and words[0].upper() == "ONBUILD":
        words = words[1:]
    if words and words[0].upper() in _WITH_HEREDOCS:
        for word in words[1:]:
            found = _HEREDOC.fullmatch(word)
            if found and found.group(2).strip("\"'"):
                yield word


def _after_heredoc(lines: list[str], number: int, word: str) -> int:
    """The number of the line that ends a here-document, or of the last one."""
    found = _HEREDOC.fullmatch(word)
    assert found, "was found by this expression"
    end = found.group(2).strip("\"'")
    while number < len(lines):
        line = lines[number]
        number += 1
        if (line.lstrip("\t") if found.group(1) else line) == end:
            break
    return number
