"""The simple commands of a shell text, those within others included, each word's place kept.

Enough of POSIX sh and bash to say which programs a `RUN` starts: quotes, operators, groups, redirections,
substitutions, reserved words. What a variable holds is not known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Sequence

# Before a command that runs.
_RESERVED = frozenset({"!", "{", "coproc", "do", "elif", "else", "if", "then", "time", "until", "while"})
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_REDIRECTION = re.compile(r"\d*(?:&>>?|>>|>\||>&|<&|<>|<<<|<<-?|>|<)")
_SEPARATORS = ";&|()\n"
_BLANKS = " \t\r"
# No script nests deeper; a text of nothing but opening signs does.
_DEPTH = 40


@dataclass(frozen=True)
class Word:
    """A word without its quotes, and where each of its characters stands in the text."""

    text: str
    offsets: tuple[int, ...]

    @property
    def offset(self) -> int:
        return self.offsets[0]


@dataclass(frozen=True)
class Command:
    """A simple command: the variables set for it alone, and its words; the first is the program."""

    environment: dict[str, str]
    words: tuple[Word, ...]


def commands(text: str) -> list[Command]:
    """The simple commands of a text, in the order in which they begin; a text with open quotes is read to its end."""
    return commands_of_word(Word(text, tuple(range(len(text)))))


def commands_of_word(script: Word, depth: int = 0) -> list[Command]:
    """The simple commands of a word that is a text itself, as in `sh -c '...'`."""
    scanner = _Scanner(script.text, script.offsets, depth)
    scanner.scan()
    return sorted(scanner.found, key=lambda command: command.words[0].offset)


def without_assignments(words: Sequence[Word]) -> tuple[dict[str, str], tuple[Word, ...]]:
    """Leading `NAME=value` words by name, and the words behind them."""
    environment: dict[str, str] = {}
    count = 0
    for word in words:
        if not _ASSIGNMENT.match(word.text):
            break
        name, _, value = word.text.partition("=")
        environment[name.rstrip("+")] = value
        count += 1
    return environment, tuple(words[count:])


class _Scanner:
    def __init__(self, text: str, offsets: Sequence[int], depth: int) -> None:
        self.text = text
        self.offsets = offsets
        self.depth = depth
        self.at = 0
        self.found: list[Command] = []

    def scan(self, until: str = "") -> None:
        """Reads commands up to the end, or past the `until` that closes them."""
        words: list[Word] = []
        open_groups = 0
        while self.at < len(self.text):
            character = self.text[self.at]
            redirection = _REDIRECTION.match(self.text, self.at)
            if character == until and not open_groups:
                self.at += 1
                break
            if character in _BLANKS:
                self.at += 1
            elif character == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif self.text[self.at : self.at + 2] in ("<(", ">("):
                self._nested(2)
            elif redirection:
                self.at = redirection.end()
                self._skip_blanks()
                if self.text[self.at : self.at + 2] in ("<(", ">("):
                    self._nested(2)
                else:
                    self._word()
            elif character in _SEPARATORS:
                open_groups += {"(": 1, ")": -1}.get(character, 0) if until else 0
                open_groups = max(open_groups, 0)
                self._end(words)
                words = []
                self.at += 1
            else:
                word = self._word()
                if word:
                    words.append(word)
        self._end(words)

    def _end(self, words: list[Word]) -> None:
        while words and words[0].text in _RESERVED:
            words = words[1:]
        environment, rest = without_assignments(words)
        if rest:
            self.found.append(Command(environment, rest))

    def _skip_blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in _BLANKS:
            self.at += 1

    def _word(self) -> Word | None:
        characters: list[str] = []
        places: list[int] = []
        begin, quote = self.at, ""
        while self.at < len(self.text):
            character = self.text[self.at]
            if quote == "'":
                if character == "'":
                    quote = ""
                else:
                    characters.append(character)
                    places.append(self.offsets[self.at])
                self.at += 1
            elif character == "\\" and self.at + 1 < len(self.text):
                following = self.text[self.at + 1]
                if quote and following not in '$`"\\\n':
                    characters.append(character)
                    places.append(self.offsets[self.at])
                if following != "\n":
                    characters.append(following)
                    places.append(self.offsets[self.at + 1])
                self.at += 2
            elif character == "`":
                characters.append("$")
                places.append(self.offsets[self.at])
                self._backticks()
            elif self.text.startswith("$(", self.at):
                characters.append("$")
                places.append(self.offsets[self.at])
                self._nested(2)
            elif character == '"':
                quote = "" if quote else '"'
                self.at += 1
            elif not quote and character == "'":
                quote = "'"
                self.at += 1
            elif not quote and (character in _SEPARATORS or character in _BLANKS or character in "<>"):
                break
            else:
                characters.append(character)
                places.append(self.offsets[self.at])
                self.at += 1
        if self.at == begin:
            return None
        # A word of empty quotes is a word.
        return Word("".join(characters), tuple(places) or (self.offsets[begin],))

    def _nested(self, opening: int) -> None:
        """Reads a substitution's commands, the closing parenthesis included."""
        self.at += opening
        if self.depth >= _DEPTH:
            return
        self.depth += 1
        self.scan(until=")")
        self.depth -= 1

    def _backticks(self) -> None:
        self.at += 1
        characters: list[str] = []
        places: list[int] = []
        while self.at < len(self.text) and self.text[self.at] != "`":
            if self.text[self.at] == "\\" and self.text[self.at + 1 : self.at + 2] in ("`", "$", "\\"):
                self.at += 1
            characters.append(self.text[self.at])
            places.append(self.offsets[self.at])
            self.at += 1
        self.at += 1
        if self.depth < _DEPTH:
            self.found += commands_of_word(Word("".join(characters), tuple(places)), self.depth + 1)
