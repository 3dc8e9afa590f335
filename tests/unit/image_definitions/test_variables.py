from __future__ import annotations

import pytest

from image_definitions.dockerfile import parse
from image_definitions.variables import Expanded, assignments, expand

VALUES = {"A": "one", "EMPTY": "", "LATE": None}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$A", "one"),
        ("${A}/$A.tar", "one/one.tar"),
        ("${A:-two}", "one"),
        ("${B:-two}", "two"),
        ("${B:-${A}}", "${A"),
        ("${B:-$A}", "one"),
        ("${EMPTY:-two}", "two"),
        ("${EMPTY-two}", ""),
        ("${A:+three}", "three"),
        ("${B:+three}", ""),
        ("${A:?no}", "one"),
        ("'$A'", "$A"),
        ('"$A"', "one"),
        (r"\$A", "$A"),
        ("plain", "plain"),
    ],
)
def test_a_known_value(text: str, value: str) -> None:
    # A default ends at the first brace, as in the engine's frontend of that age.
    expected = value + "}" if text == "${B:-${A}}" else value
    assert expand(text, VALUES).value == expected


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("$B", ("B",)),
        ("${B}", ("B",)),
        ("${B:?needed}", ("B",)),
        ("$LATE", ("LATE",)),
        ("${LATE:-x}", ("LATE",)),
        ("${C:-$B}", ("B",)),
        ("${A#o}", ("${",)),
        ("$1", ("$1",)),
    ],
)
def test_what_nothing_in_the_file_says_is_named(text: str, names: tuple[str, ...]) -> None:
    assert expand(text, VALUES).unknown == names


def test_the_escape_character_is_the_files_own() -> None:
    assert expand("a\\b`$A", VALUES, escape="`") == Expanded("a\\b$A")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ARG A", [("A", None)]),
        ("ARG A=", [("A", "")]),
        ('ARG A=1 B="x y"', [("A", "1"), ("B", '"x y"')]),
        ("ENV A=1 \\\n B=2", [("A", "1"), ("B", "2")]),
        ("ENV A one two", [("A", "one two")]),
        ("ARG =x 1=2", []),
    ],
)
def test_what_an_arg_or_env_sets(text: str, expected: list[tuple[str, str | None]]) -> None:
    assert assignments(parse(text).instructions[0]) == expected
