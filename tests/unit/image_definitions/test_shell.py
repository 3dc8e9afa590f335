from __future__ import annotations

import pytest

from image_definitions.shell import commands


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b && c || d; e | f & g", ["a b", "c", "d", "e", "f", "g"]),
        ("a 'b;c' \"d && e\" f\\;g", ["a b;c d && e f;g"]),
        ("(a; { b; }) && ! c", ["a", "b", "}", "c"]),
        ("if a; then b; elif c; then d; else e; fi", ["a", "b", "c", "d", "e", "fi"]),
        ("for x in 1 2; do a $x; done", ["for x in 1 2", "a $x", "done"]),
        ("while a; do b; done", ["a", "b", "done"]),
        ("a >out 2>&1 <in && b &>x", ["a", "b"]),
        ("A=1 B='2 3' c d", ["c d"]),
        ("A=1", []),
        ('a "$(b c)" `d e`', ["a $ $", "b c", "d e"]),
        ("a ${X:-$(b)} $(( 1 + 2 ))", ["a ${X:-$} $", "b", "1 + 2"]),
        ("a <(b) >(c)", ["a", "b", "c"]),
        ("a # b && c", ["a"]),
        ("a#b", ["a#b"]),
        ("case $x in y) a;; *) b;; esac", ["case $x in y", "a", "*", "b", "esac"]),
        ("a '", ["a "]),
        ("$(", ["$"]),
        ("a ''", ["a "]),
    ],
)
def test_the_commands_of_a_text(text: str, expected: list[str]) -> None:
    assert [" ".join(word.text for word in command.words) for command in commands(text)] == expected


def test_a_word_knows_where_it_begins() -> None:
    text = 'one && X=1 "two" \\three $(four)'
    for command in commands(text):
        word = command.words[0]
        assert text.startswith(word.text, word.offset)


def test_variables_set_for_one_command() -> None:
    (command,) = commands("A=1 B='2 3' c")
    assert command.environment == {"A": "1", "B": "2 3"}
