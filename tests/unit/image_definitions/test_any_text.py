"""Nothing that a file may hold makes the linter fail; what it finds lies in that file."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from image_definitions.build_file import BuildFile
from image_definitions.context_rules import Output, takes
from image_definitions.dockerfile import parse
from image_definitions.dockerfile_rules import inspect
from image_definitions.findings import without_allowed
from image_definitions.network import downloads
from image_definitions.shell import commands
from image_definitions.variables import expand

DOCKERFILE_PIECES = st.sampled_from(
    ("FROM ", "ARG ", "ENV ", "RUN ", "ADD ", "COPY ", "ONBUILD ", "# image-definitions: allow=", "# escape=`\n")
    + ("\n", "\\\n", "`\n", "#", " ", "--from=", "--mount=", "type=bind,source=", "<<EOF", '["a", "b"]', "[", "AS x")
    + ("scratch", "a.tar", "$A", "${A:-", "}", "'", '"', "\\", "A=b", "pip install x", "sh -c ", "https://", "\ufeff")
)
SHELL_PIECES = st.sampled_from(
    ("curl", "sh -c ", "env ", "eval ", "pip install ", "$(", "`", "(", ")", "'", '"', "\\", " ", ";", "&&", "|", "\n")
    + (">", "<", "<(", "#", "${", "}", "A=1 ", "if ", "then ", "find . -exec ", "python -m ", "-c", "--", "xargs ")
)
DOCKERFILES = st.one_of(st.text(), st.lists(DOCKERFILE_PIECES, max_size=40).map("".join))
SHELL_TEXTS = st.one_of(st.text(), st.lists(SHELL_PIECES, max_size=40).map("".join))


@settings(deadline=None)
@given(DOCKERFILES)
def test_any_dockerfile(text: str) -> None:
    report = inspect(parse(text), "Dockerfile", {"A": None, "B": "b"}, is_image=lambda address: address == "a:b")
    last = text.count("\n") + 1
    for finding in without_allowed(report.findings, report.allowances):
        assert 1 <= finding.line <= last
        assert "\n" not in str(finding).replace(text, "")
    assert all(1 <= source.line <= last for source in report.sources)


@settings(deadline=None)
@given(DOCKERFILES)
def test_the_characters_of_an_instruction_stand_in_the_lines_they_say(text: str) -> None:
    lines = text.lstrip("\ufeff").split("\n")
    for instruction in parse(text).instructions:
        for offset, character in enumerate(instruction.text.value):
            assert character in lines[instruction.text.line_at(offset) - 1]


@settings(deadline=None)
@given(SHELL_TEXTS)
def test_any_shell_text(text: str) -> None:
    found = commands(text)
    for command in found:
        for word in command.words:
            assert len(word.offsets) == max(len(word.text), 1)
            assert all(0 <= offset < len(text) for offset in word.offsets)
    assert all(0 <= download.offset < len(text) for download in downloads(found))


def test_signs_that_open_and_never_close() -> None:
    for sign in ("$(", "`", "(", "<(", "${", "sh -c '", 'eval "', "\\", "ONBUILD "):
        downloads(commands(sign * 5000))
        inspect(parse(f"RUN {sign * 5000}"), "Dockerfile", {}, is_image=lambda _: False)
        expand(sign * 5000, {})


@settings(deadline=None)
@given(st.text(), st.text(), st.booleans(), st.text())
def test_any_source_and_output(pattern: str, path: str, is_folder: bool, root: str) -> None:
    takes(pattern, Output("a:b", path, is_folder), root)


@settings(deadline=None)
@given(st.text(alphabet="abc/.-_", min_size=1))
def test_a_path_takes_itself(path: str) -> None:
    assert takes(path, Output("a:b", path))


@settings(deadline=None)
@given(st.text())
def test_any_variables(text: str) -> None:
    expand(text, {"A": "a", "B": None})


@settings(deadline=None)
@given(st.text(), st.text())
def test_any_build_file(text: str, name: str) -> None:
    file = BuildFile.parse("a/BUILD", text)
    file.line_of_target(name)
    file.line_of_text(name, "x")
    file.comments_of(name)
