from __future__ import annotations

import pytest

from image_definitions.dockerfile import Instruction, parse


def only(text: str) -> Instruction:
    (instruction,) = parse(text).instructions
    return instruction


def test_an_instruction_over_several_lines_is_one_text_that_knows_its_lines() -> None:
    run = only("# first\n\nrun one && \\\n  # between\n\n  two && \\  \n  three\n")
    assert (run.keyword, run.line) == ("RUN", 3)
    assert run.text.value == "one &&   two &&   three"
    assert {word: run.text.line_at(run.text.value.index(word)) for word in ("one", "two", "three")} == {
        "one": 3,
        "two": 6,
        "three": 7,
    }
    assert [(comment.line, comment.text) for comment in run.comments] == [(1, "# first"), (4, "# between")]


def test_comments_below_the_last_instruction_are_kept_apart() -> None:
    dockerfile = parse("FROM scratch\n# end\n")
    assert [comment.text for comment in dockerfile.last_comments] == ["# end"]
    assert dockerfile.instructions[0].comments == ()


@pytest.mark.parametrize(
    ("text", "keywords"),
    [
        ("RUN a\\\\\nRUN b\n", ["RUN", "RUN"]),
        ("RUN a\\\nRUN b\n", ["RUN"]),
        ("# escape=`\nRUN a`\nRUN b\n", ["RUN"]),
        ("# escape=`\nRUN a\\\nRUN b\n", ["RUN", "RUN"]),
        ("# a comment\n# escape=`\nRUN a`\nRUN b\n", ["RUN", "RUN"]),
        ("# escape=x\nRUN a\\\nRUN b\n", ["RUN"]),
        ("\ufeffFROM scratch\r\nRUN a\r\n", ["FROM", "RUN"]),
        ("RUN a \\", ["RUN"]),
        ("RUN \\\n\\\n\\\n", ["RUN"]),
        ("", []),
    ],
)
def test_where_an_instruction_ends(text: str, keywords: list[str]) -> None:
    assert [instruction.keyword for instruction in parse(text).instructions] == keywords


def test_directives_end_with_the_first_line_that_is_none() -> None:
    dockerfile = parse("# syntax=one\n#ESCAPE = `\n# other=1\n# check=skip=all\nFROM scratch\n")
    assert dockerfile.directives == {"syntax": (1, "one"), "escape": (2, "`")}


def test_flags_stand_before_the_arguments_only() -> None:
    copy = only("COPY --from='stage' --chown=1:1 --link a --b /c/\n")
    assert copy.flags == ("--from='stage'", "--chown=1:1", "--link")
    assert copy.flag("from") == "stage"
    assert copy.flag("chmod") is None
    assert copy.words == ("a", "--b", "/c/")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('RUN ["a b", "c"]', ("a b", "c")),
        ('RUN ["a", \\\n "b"]', ("a", "b")),
        # The engine reads the list and nothing behind it.
        ('RUN ["a"] && b', ("a",)),
        ("RUN [ -f x ]", None),
        ('RUN ["a", 1]', None),
        ("FROM [x]", None),
    ],
)
def test_the_exec_form_is_a_list_of_strings(text: str, words: tuple[str, ...] | None) -> None:
    assert only(text).exec_form == words


def test_a_here_document_ends_at_its_word() -> None:
    dockerfile = parse("RUN <<EOF cat\nRUN inside\n EOF\nEOF\nCOPY <<-'A' <<B /x\n1\n\tA\n2\nB\nEXPOSE 1\n")
    assert [(each.keyword, each.heredocs) for each in dockerfile.instructions] == [
        ("RUN", ("<<EOF",)),
        ("COPY", ("<<-'A'", "<<B")),
        ("EXPOSE", ()),
    ]


@pytest.mark.parametrize("text", ["RUN cat <<<word", 'RUN python -c "1<<2"', "RUN echo $((1<<2))", "CMD <<EOF"])
def test_what_only_looks_like_a_here_document(text: str) -> None:
    assert only(text).heredocs == ()


def test_what_a_trigger_holds_keeps_its_line() -> None:
    inner = only("ONBUILD \\\n RUN --mount=type=cache,target=/x \\\n a").triggered()
    assert inner
    assert (inner.keyword, inner.flags, inner.line) == ("RUN", ("--mount=type=cache,target=/x",), 2)
    assert inner.text.line_at(0) == 3
    assert only("ONBUILD").triggered() is None
