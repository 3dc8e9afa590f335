from __future__ import annotations

import pytest

from image_definitions.dockerfile import parse
from image_definitions.dockerfile_rules import DockerfileReport, absolute_address, inspect, line_of_argument
from image_definitions.findings import without_allowed

DIGEST = "sha256:" + "0123456789abcdef" * 4
IMAGES = {"docker/base:image", "docker/x:sibling"}


def report(text: str, **build_args: str | None) -> DockerfileReport:
    return inspect(
        parse(text), "x/Dockerfile", build_args, is_image=lambda text: absolute_address(text, "docker/x") in IMAGES
    )


def places(text: str, **build_args: str | None) -> list[tuple[int, str]]:
    """Line and rule of what is left when the comments have had their say."""
    found = report(text, **build_args)
    return [(each.line, each.rule) for each in without_allowed(found.findings, found.allowances)]


@pytest.mark.parametrize(
    "text",
    [
        "FROM scratch",
        f"FROM python:3.8@{DIGEST}",
        f"FROM --platform=$TARGETPLATFORM registry:5000/a/b@{DIGEST} AS x\nFROM X",
        "ARG BASE=docker/base:image\nFROM ${BASE}",
        "ARG BASE=//docker/base:image\nFROM $BASE",
        "ARG BASE=:sibling\nFROM ${BASE}",
        f'ARG BASE="python@{DIGEST}"\nFROM ${{BASE}}',
        f"ARG V={DIGEST}\nFROM python@$V",
        f"FROM ${{BASE:-python@{DIGEST}}}",
        "FROM scratch AS one\nFROM one AS two\nCOPY --from=one /x /y\nCOPY --from=0 /x /y",
        f"FROM scratch\nCOPY --from=python@{DIGEST} /x /y",
        f"FROM scratch\nRUN --mount=from=python@{DIGEST},target=/x true",
    ],
)
def test_a_parent_that_is_pinned(text: str) -> None:
    assert places(text) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("FROM python:3.8", 1),
        ("FROM python", 1),
        ("FROM python@sha256:0123", 1),
        (f"FROM python@{DIGEST}0", 1),
        ("# a\n\nFROM scratch\nFROM python:3.8 AS x", 4),
        ("ARG OTHER=1\nARG BASE=python:3.8\nFROM ${BASE}", 2),
        ("ARG BASE=python:3.8\nFROM ${BASE}-slim", 2),
        ("ARG BASE=docker/base:imag\nFROM ${BASE}", 1),
        ("ARG BASE\nFROM ${BASE}", 1),
        ("FROM ${BASE}", 1),
        ("FROM ${BASE:-python:3.8}", 1),
        ("FROM docker/base:image", 1),
        ("ARG BASE=docker/base:image\nFROM ${BASE:-docker/base:image}", 2),
        ("FROM scratch AS one\nFROM two", 2),
        ("FROM scratch\nARG BASE=scratch\nFROM ${BASE}", 3),
        ("FROM scratch\nCOPY --from=nginx:1 /x /y", 2),
        ("FROM scratch\nCOPY --from=1 /x /y", 2),
        ("FROM scratch\nRUN --mount=type=bind,from=nginx,target=/x true", 2),
    ],
)
def test_a_parent_that_is_not_pinned(text: str, line: int) -> None:
    assert places(text) == [(line, "unpinned-from")]


def test_a_build_argument_of_the_target_wins_over_the_default() -> None:
    text = "ARG BASE=scratch\nFROM ${BASE}"
    assert places(text, BASE="python:3.8") == [(2, "unpinned-from")]
    assert places(text, BASE=None) == [(2, "unpinned-from")]
    assert places(text, BASE=f"python@{DIGEST}") == []


def test_a_message_says_what_stands_there_why_it_is_refused_and_what_to_write() -> None:
    (found,) = report("ARG BASE=python:3.8\nFROM ${BASE}").findings
    assert str(found) == (
        "x/Dockerfile:1: unpinned-from: FROM ${BASE} is python:3.8: this is neither a docker_image target nor pinned, "
        "so that another day or machine starts from another image. Pin it by digest: python:3.8@sha256: and 64 "
        "hexadecimal digits."
    )


def test_a_download_is_reported_on_the_line_of_its_command() -> None:
    text = "FROM scratch\nRUN true && \\\n    # comment\n    apt-get update && \\\n\n    pip install x\n"
    assert places(text) == [(4, "network-in-run"), (6, "network-in-run")]


@pytest.mark.parametrize(
    "run",
    [
        'RUN ["pip", "install", "x"]',
        'RUN ["/bin/sh", "-c", "cd / && pip install x"]',
        "RUN --network=default pip install x",
        "ONBUILD RUN pip install x",
        "ENV PIP_NO_INDEX=0\nRUN pip install x",
    ],
)
def test_forms_of_run(run: str) -> None:
    assert [rule for _, rule in places(f"FROM scratch\n{run}")] == ["network-in-run"]


def test_pip_without_an_index_is_let_be() -> None:
    assert places("FROM scratch\nENV PIP_NO_INDEX=1\nRUN pip install x") == []
    # Of another stage.
    assert places("FROM scratch AS a\nENV PIP_NO_INDEX=1\nFROM scratch\nRUN pip install x") == [(4, "network-in-run")]


@pytest.mark.parametrize(
    "source",
    [
        "https://example.org/x",
        "HTTP://example.org/x",
        "ftp://example.org/x",
        "git@github.com:a/b.git",
        "git://example.org/x",
        "github.com/a/b",
    ],
)
def test_an_add_of_a_url(source: str) -> None:
    assert places(f"FROM scratch\nADD a \\\n  {source} /x") == [(3, "add-from-url")]
    assert places(f'FROM scratch\nADD ["{source}", "/x"]') == [(2, "add-from-url")]
    assert places(f"FROM scratch\nARG WHERE={source}\nADD $WHERE /x") == [(3, "add-from-url")]
    assert places(f"FROM scratch\nONBUILD ADD {source} /x") == [(2, "add-from-url")]


def test_the_frontend_line() -> None:
    assert places("# escape=\\\n# syntax=docker/dockerfile:1\nFROM scratch") == [(2, "frontend-line")]
    assert places("# a comment\n# syntax=docker/dockerfile:1\nFROM scratch") == []


def test_a_here_document() -> None:
    assert places("FROM scratch\nRUN <<EOF\npip install x\nEOF\nCOPY <<EOF /x\nEOF") == [
        (2, "here-document"),
        (5, "here-document"),
    ]


def test_what_is_taken_from_the_context() -> None:
    text = (
        "ARG A=early\nFROM scratch AS one\nARG A\nARG B=b\nENV C=c\n"
        'COPY --from=0 not /x\nADD $A.tar \\\n ${B}/$C.txt /\nCOPY ["d e", "f"]\nADD $FROM_PARENT /x\n'
        "RUN --mount=type=bind,source=g,target=/g --mount=type=cache,target=/h true\n"
        "RUN --mount=target=/all true\nADD https://example.org/x /\nONBUILD COPY later /\n"
    )
    assert [(each.instruction, each.line, each.pattern) for each in report(text).sources] == [
        ("ADD", 7, "early.tar"),
        ("ADD", 8, "b/c.txt"),
        ("COPY", 9, "d e"),
        ("ADD", 10, None),
        ("RUN --mount", 11, "g"),
        ("RUN --mount", 12, "."),
    ]


def test_the_parents_that_are_named() -> None:
    text = "ARG A=docker/base:image\nFROM $A AS one\nFROM one\nFROM scratch\n"
    assert report(text).parents == (("docker/base:image", 2), ("one", 3), ("scratch", 4))


def test_a_comment_with_a_reason_allows_what_is_below_it_only() -> None:
    allow = "# image-definitions: allow=network-in-run the mirror is on this host\n"
    assert places(f"FROM scratch\n{allow}RUN wget a\nRUN wget b") == [(4, "network-in-run")]
    assert places(f"FROM scratch\nRUN true && \\\n{allow}wget a") == []


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("allow=network-in-run", "allows network-in-run without a reason. Write it behind the rule."),
        ("allow=everything because", "no such rule: everything. There are: "),
        ("allow=, because", "no such rule: none. There are: "),
        ("please", "'# image-definitions: please' is not understood. Write `# image-definitions: allow=RULE REASON`."),
        ("allow=dependency-cycle because", "no such rule: dependency-cycle."),
        ("allow=add-from-url because", "allows add-from-url, which finds nothing here. Remove it."),
    ],
)
def test_a_comment_that_allows_nothing_is_reported(comment: str, message: str) -> None:
    found = report(f"FROM scratch\n# image-definitions: {comment}\nRUN wget a")
    left = without_allowed(found.findings, found.allowances)
    assert [(each.line, each.rule) for each in left] == [(2, "allowing-comment"), (3, "network-in-run")]
    assert left[0].message.startswith(message)


def test_a_comment_below_everything_allows_nothing() -> None:
    assert places("FROM scratch\n# image-definitions: allow=add-from-url because") == [(2, "allowing-comment")]


def test_the_frontend_line_can_be_allowed_by_the_comment_below_it() -> None:
    text = "# syntax=a\n# image-definitions: allow=frontend-line mirrored here\nFROM scratch"
    assert places(text) == []


def test_the_line_of_an_argument() -> None:
    dockerfile = parse('ARG A=1\nARG B="docker/base:image"\nFROM $B')
    assert line_of_argument(dockerfile, ["docker/base:image"]) == 2
    assert line_of_argument(dockerfile, ["docker/other:image"]) == 0
