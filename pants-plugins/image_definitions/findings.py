"""What is wrong where, and the comments that allow it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterable, Sequence

from image_definitions.dockerfile import Comment

# The rules that a comment may allow, with what each refuses.
RULES = {
    "add-from-url": "an ADD of a URL",
    "frontend-line": "a Dockerfile frontend that is fetched",
    "here-document": "a here-document in a Dockerfile",
    "network-in-run": "a RUN that downloads",
    "shared-tag": "a tag that two images have",
    "unpinned-from": "a parent image without a digest",
    "unprovided-source": "an ADD or COPY of what the dependencies do not provide",
    "unused-dependency": "a dependency of an image that no instruction takes",
}
# Of the comments themselves.
COMMENT_RULE = "allowing-comment"
# Pants cannot build these, whoever allows them.
CYCLE_RULE = "dependency-cycle"

_MARK = re.compile(r"#\s*image-definitions\s*:\s*(.*)")
_ALLOW = re.compile(r"allow=([a-z,-]+)(?:\s+(\S.*))?$")


@dataclass(frozen=True, order=True)
class Finding:
    """One fault; `line` is 0 when only the file is known."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line or 1}: {self.rule}: {self.message}"


@dataclass(frozen=True)
class Allowance:
    """A comment that allows rules for one place: the lines from `first` to `last`."""

    path: str
    comment: Comment
    rules: tuple[str, ...]
    first: int
    last: int


def read_comment(path: str, comment: Comment, first: int, last: int) -> Allowance | Finding | None:
    """What a comment allows from line `first` to line `last`, what is wrong with it, or none if it is not for us."""
    marked = _MARK.match(comment.text)
    if not marked:
        return None
    found = _ALLOW.match(marked.group(1).strip())
    if not found:
        return Finding(
            path,
            comment.line,
            COMMENT_RULE,
            f"{comment.text!r} is not understood. Write `# image-definitions: allow=RULE REASON`.",
        )
    rules = tuple(filter(None, found.group(1).split(",")))
    wrong = [rule for rule in rules if rule not in RULES]
    if wrong or not rules:
        named = ", ".join(wrong) or "none"
        return Finding(path, comment.line, COMMENT_RULE, f"no such rule: {named}. There are: {', '.join(RULES)}.")
    if not found.group(2):
        return Finding(
            path, comment.line, COMMENT_RULE, f"allows {', '.join(rules)} without a reason. Write it behind the rule."
        )
    return Allowance(path, comment, rules, first, last)


def without_allowed(findings: Iterable[Finding], allowances: Sequence[Allowance]) -> list[Finding]:
    """The findings that no comment allows, and one for each comment that allows nothing that is there."""
    left: list[Finding] = []
    used: set[tuple[Allowance, str]] = set()
    for finding in findings:
        by = [
            allowance
            for allowance in allowances
            if allowance.path == finding.path
            and finding.rule in allowance.rules
            and allowance.first <= finding.line <= allowance.last
        ]
        used.update((allowance, finding.rule) for allowance in by)
        if not by:
            left.append(finding)
    for allowance in allowances:
        for rule in allowance.rules:
            if (allowance, rule) not in used:
                left.append(
                    Finding(
                        allowance.path,
                        allowance.comment.line,
                        COMMENT_RULE,
                        f"allows {rule}, which finds nothing here. Remove it.",
                    )
                )
    return sorted(set(left))
