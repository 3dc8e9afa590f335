"""What ARG and ENV make of `$NAME` in a Dockerfile."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Mapping

from image_definitions.dockerfile import Instruction

_REFERENCE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+?])([^}]*))?\})")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Expanded:
    """A text with its variables replaced, and the names whose value nothing in the tree says."""

    value: str
    unknown: tuple[str, ...] = ()


def expand(text: str, values: Mapping[str, str | None], escape: str = "\\", depth: int = 8) -> Expanded:
    """Replaces variables and removes quotes.

    Args:
        text: As written.
        values: By name; none stands for a value that is known at the build only. A name that is not in it is unknown.
        escape: The Dockerfile's escape character.
        depth: How deep defaults within defaults are followed.
    """
    done: list[str] = []
    unknown: list[str] = []
    at, quote = 0, ""
    while at < len(text):
        character = text[at]
        if character == escape and quote != "'" and at + 1 < len(text):
            done.append(text[at + 1])
            at += 2
        elif character in "\"'" and quote in ("", character):
            quote = "" if quote else character
            at += 1
        elif character == "$" and quote != "'":
            found = _REFERENCE.match(text, at)
            if found:
                piece = _value(found, values, escape, depth)
                done.append(piece.value)
                unknown += piece.unknown
            else:
                # Parameter forms beyond these, and specials such as $$ or $1.
                done.append(character)
                unknown.append(text[at : at + 2])
            at = found.end() if found else at + 1
        else:
            done.append(character)
            at += 1
    return Expanded("".join(done), tuple(unknown))


def _value(found: re.Match[str], values: Mapping[str, str | None], escape: str, depth: int) -> Expanded:
    name, form, word = found.group(1) or found.group(2), found.group(3), found.group(4) or ""
    value = values.get(name)
    if form is None or form.endswith("?") or depth == 0 or (name in values and value is None):
        return Expanded("", (name,)) if value is None else Expanded(value)
    is_set = bool(value) if form.startswith(":") else value is not None
    if form.endswith("-"):
        return Expanded(value or "") if is_set else expand(word, values, escape, depth - 1)
    return expand(word, values, escape, depth - 1) if is_set else Expanded("")


def assignments(instruction: Instruction) -> list[tuple[str, str | None]]:
    """The names an ARG or ENV sets, in order, each with its value as written; none for an ARG without a default."""
    text = instruction.text.value
    words = _quoted_words(text)
    if instruction.keyword == "ENV" and words and "=" not in words[0]:
        name, _, value = text.partition(" ")
        return [(name, value.strip())]
    pairs = [word.partition("=") for word in words]
    return [(name, value if equals else None) for name, equals, value in pairs if _NAME.fullmatch(name)]


def _quoted_words(text: str) -> list[str]:
    return [found.group() for found in re.finditer(r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\]|["'\\])+""", text)]
