"""The source revision of an image: the newest commit that changed a file it is made of.

Not the commit that is checked out: with that, each commit would make another image of the same content, and each image
would be tested and published again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import PurePath
from typing import Mapping

from pants.base.build_environment import get_buildroot
from pants.core.util_rules.system_binaries import GitBinaryException
from pants.engine.addresses import Address
from pants.engine.engine_aware import EngineAwareReturnType
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import (
    SourcesField,
    SourcesPaths,
    SourcesPathsRequest,
    TransitiveTargets,
    TransitiveTargetsRequest,
)
from pants.vcs.git import GitWorktree, GitWorktreeRequest, MaybeGitWorktree

logger = logging.getLogger(__name__)

# Of an image without a revision, as of files without a time.
_NO_TIME = "1970-01-01T00:00:00Z"
_DIRTY = "-dirty"


@dataclass(frozen=True)
class Revision:
    """Where an image's files come from.

    Attributes:
        commit: Full id, with `-dirty` where the working tree differs from it in one of the files; None when unknown.
        time: When that was committed, by RFC 3339 and in UTC.
    """

    commit: str | None
    time: str = _NO_TIME


@dataclass(frozen=True)
class RevisionRequest:
    """Asks for the revision of a target."""

    address: Address


@dataclass(frozen=True)
class WorkingTree(EngineAwareReturnType):
    """The git checkout at this moment.

    Attributes:
        git: What asks git; None without a repository, or in one without a commit.
        head: Commit that is checked out.
        changed: Paths below the repository's top that differ from it, new ones included.
        ends: Commits at which a shallow clone's history ends.
    """

    git: GitWorktree | None
    head: str = ""
    changed: frozenset[str] = frozenset()
    ends: frozenset[str] = frozenset()

    def cacheable(self) -> bool:
        """No: a tree changes between sessions."""
        return False


@rule(desc="Look at the git checkout")
async def working_tree() -> WorkingTree:
    """What images of this session say about their source."""
    git = (await Get(MaybeGitWorktree, GitWorktreeRequest())).git_worktree
    try:
        if git is None:
            raise GitBinaryException("there is no git, or no git repository")
        status = _ask(git, "status", "--porcelain=v2", "--branch", "--untracked-files=all", "--no-renames", "-z")
        head, changed = _parse(status)
        # At once: each process that a large daemon starts costs it the copying of its page tables.
        shallow, ends = _ask(git, "rev-parse", "--is-shallow-repository", "--git-path", "shallow").splitlines()
        # The file exists in a shallow clone only.
        return WorkingTree(git, head, changed, _lines_of(git.worktree / ends) if shallow == "true" else frozenset())
    except GitBinaryException as error:
        logger.warning(
            f"Images get no label of their source revision: {error}. "
            "Build in a git checkout with at least one commit for that."
        )
        return WorkingTree(None)


@rule(desc="Find the source revision")
async def revision_of(request: RevisionRequest, tree: WorkingTree) -> Revision:
    """The newest commit that changed a source or a BUILD file of what the target is made of."""
    if tree.git is None:
        return Revision(None)
    transitive = await Get(
        TransitiveTargets, TransitiveTargetsRequest([request.address], include_special_cased_deps=True)
    )
    # Pants makes targets of its own of lists and locks, named with `_`: what tools run with is no source of an image.
    targets = [target for target in transitive.closure if not target.alias.startswith("_")]
    sources = await MultiGet(
        Get(SourcesPaths, SourcesPathsRequest(target[SourcesField]))
        for target in targets
        if target.has_field(SourcesField)
    )
    build_files = {str(PurePath(target.address.spec_path, "BUILD")) for target in targets}
    below_root = build_files.union(*(paths.files for paths in sources))
    # The build root may lie somewhere in a larger repository.
    root = PurePath(get_buildroot()).relative_to(tree.git.worktree)
    files = tuple(sorted(str(root / file) for file in below_root))
    try:
        commit, time = _newest(_Asker(tree.git), tree.head, files)
    except GitBinaryException as error:
        logger.warning(f"{request.address}: no label of its source revision, git failed: {error}")
        return Revision(None)
    if not commit or commit in tree.ends:
        if commit:
            logger.warning(
                f"{request.address}: no label of its source revision: this clone's history ends at {commit}, before "
                "the commit that changed it last. Fetch the rest: git fetch --unshallow."
            )
        return Revision(None)
    return Revision(f"{commit}{_DIRTY}" if tree.changed.intersection(files) else commit, time)


class _Asker:
    """A checkout as a key: the newest commit of some files depends on place and HEAD, on nothing of a session."""

    def __init__(self, git: GitWorktree) -> None:
        self.git = git

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asker) and self.git.worktree == other.git.worktree

    def __hash__(self) -> int:
        return hash(self.git.worktree)


@lru_cache(maxsize=256)
def _newest(asker: _Asker, head: str, files: tuple[str, ...]) -> tuple[str, str]:
    """The commit, empty when none has any of the files, and its time. Files are named from the repository's top."""
    found = _ask(asker.git, "log", "-1", "--format=%H %ct", head, "--", *(f":/{file}" for file in files))
    commit, _, seconds = found.partition(" ")
    return commit, datetime.fromtimestamp(int(seconds or 0), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _parse(status: str) -> tuple[str, frozenset[str]]:
    """The checked out commit and the changed paths, of `git status --porcelain=v2 --branch -z`.

    Raises:
        GitBinaryException: there is no commit yet.
    """
    head = ""
    changed = set()
    for entry in status.split("\0"):
        kind, _, rest = entry.partition(" ")
        if entry.startswith("# branch.oid "):
            head = entry.rpartition(" ")[2]
        elif kind in _FIELDS_BEFORE_PATH:
            changed.add(rest.split(" ", _FIELDS_BEFORE_PATH[kind])[-1])
    if not head or head == "(initial)":
        raise GitBinaryException("the git repository has no commit")
    return head, frozenset(changed)


# By git's documentation of the format: of a changed path, one that is not merged, one that is not tracked.
_FIELDS_BEFORE_PATH: Mapping[str, int] = {"1": 7, "u": 9, "?": 0}


def _ask(git: GitWorktree, *arguments: str) -> str:
    # Pants' own class has no method for these questions.
    answer: str = git._git_binary._invoke_unsandboxed(git._create_git_cmdline(arguments))
    return answer


def _lines_of(path: PurePath) -> frozenset[str]:
    with open(path, encoding="ascii") as stream:
        return frozenset(stream.read().split())


def rules():  # type: ignore[no-untyped-def]  # As Pants itself declares it.
    return collect_rules()
