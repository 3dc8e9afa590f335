"""What git says of the working tree: the revision to compare with, and the files that differ."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from image_graph.errors import GraphError

_MAIN = "origin/main"


@dataclass(frozen=True)
class Comparison:
    """A working tree beside a revision.

    Attributes:
        since: Id of the revision's commit.
        described: The revision in words.
        files: Paths that differ, untracked ones included.
        remark: What limits the comparison, or empty.
    """

    since: str
    described: str
    files: tuple[str, ...]
    remark: str = ""


class NoGitError(Exception):
    """There is nothing to compare with; the message says why."""


def compare(root: Path, since: str | None) -> Comparison:
    """Compare the working tree with a revision.

    Args:
        root: Top of the repository.
        since: Name of the revision; None for where the branch left `origin/main`, or `HEAD` where there is none.

    Raises:
        NoGitError: no revision was named, and there is no git, no git repository or no commit.
        GraphError: the revision that was named does not exist.
    """
    remark = ""
    if since is None:
        base = _try(root, "merge-base", "HEAD", _MAIN)
        if base:
            commit, described = base, f"where this branch left {_MAIN}"
        else:
            commit, described = _head(root), "HEAD"
            if _try(root, "rev-parse", "--verify", "--quiet", f"{_MAIN}^{{commit}}"):
                shallow = _try(root, "rev-parse", "--is-shallow-repository") == "true"
                reason = (
                    "this clone is shallow; `git fetch --unshallow` brings the rest" if shallow else "none is known"
                )
                remark = f"Compared with HEAD, since it and {_MAIN} have no common commit here: {reason}."
    else:
        try:
            commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{since}^{{commit}}")
        except (NoGitError, GraphError) as error:
            raise GraphError(
                f"comparing with `--since={since}` failed: git knows no such revision in {root}. {error}".rstrip()
                + "\n"
                "Name a commit, branch or tag that `git log` shows, or fetch it first."
            ) from error
        described = since
    return Comparison(commit, f"{described} ({commit[:12]})", _differing(root, commit), remark)


def _differing(root: Path, commit: str) -> tuple[str, ...]:
    # The same three questions that Pants asks.
    difference = ("diff", "--name-only", "-z", "--no-renames", "--relative")
    try:
        committed = _git(root, *difference, f"{commit}...HEAD")
    except GraphError as error:
        raise GraphError(
            f"comparing with {commit[:12]} failed: {error}.\n"
            "It and HEAD need a common commit: `git fetch --unshallow` brings the rest of a shallow clone."
        ) from error
    tracked = _git(root, *difference, "HEAD")
    untracked = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    return tuple(sorted(filter(None, {name for said in (committed, tracked, untracked) for name in said.split("\0")})))


def _head(root: Path) -> str:
    try:
        return _git(root, "rev-parse", "--verify", "HEAD^{commit}")
    except GraphError as error:
        raise NoGitError(f"git has no commit to compare with: {error}") from error


def _try(root: Path, *arguments: str) -> str:
    try:
        return _git(root, *arguments)
    except GraphError:
        return ""


def _git(root: Path, *arguments: str) -> str:
    """Standard output of a git command.

    Raises:
        NoGitError: there is no git program, or `root` is in no repository.
        GraphError: the command failed otherwise.
    """
    try:
        done = subprocess.run(["git", *arguments], cwd=root, stdin=subprocess.DEVNULL, capture_output=True)
    except FileNotFoundError as error:
        raise NoGitError("there is no `git` on PATH") from error
    said = done.stderr.decode(errors="replace").strip()
    if "not a git repository" in said:
        raise NoGitError("this is no git repository")
    if done.returncode != 0:
        raise GraphError(said)
    return done.stdout.decode(errors="surrogateescape").strip("\n")
