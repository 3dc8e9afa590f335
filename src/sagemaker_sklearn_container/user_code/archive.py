"""Unpacking tar archives that may come from anyone."""

from __future__ import annotations

import posixpath
import tarfile
from pathlib import Path

from sagemaker_sklearn_container.errors import CodeSourceError


def extract(archive: Path, target: Path) -> None:
    """Unpack a tar file, compressed or not, below the directory `target`.

    Every member is checked before the first is written.

    Raises:
        CodeSourceError: no tar file, or a member that is absolute, contains `..`, is a device or pipe, links to a place
            outside the archive, or lies behind a link.

    Source: contract T-44 (CWE-22).
    """
    try:
        with tarfile.open(archive) as tar:
            members = tar.getmembers()
            links = {posixpath.normpath(member.name) for member in members if member.issym()}
            for member in members:
                reason = _objection(member, links)
                if reason:
                    raise CodeSourceError(
                        f"Unpacking {archive.name}: member {member.name!r} {reason}. Nothing was unpacked; rebuild the "
                        "archive from plain files with relative paths."
                    )
            # The filter drops owners and special permission bits, and checks once more on the real file system.
            tar.extractall(target, members=members, filter="data")
    except (tarfile.TarError, EOFError, OSError) as exc:
        raise CodeSourceError(f"Unpacking {archive.name} into {target} failed: {type(exc).__name__}: {exc}.") from exc


def _objection(member: tarfile.TarInfo, links: set[str]) -> str | None:
    """Why `member` must not be unpacked, or None."""
    if _escapes(member.name):
        return "would be written outside the target directory"
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        return "is a device or pipe"
    name = posixpath.normpath(member.name)
    parents = [name[:end] for end, character in enumerate(name) if character == "/"]
    if links.intersection(parents):
        return "lies behind a symbolic link"
    # A symbolic link's target is relative to the link, a hard link's to the archive.
    linked = posixpath.join(posixpath.dirname(name), member.linkname) if member.issym() else member.linkname
    if (member.issym() or member.islnk()) and (posixpath.isabs(member.linkname) or _leaves(linked)):
        return f"links to {member.linkname!r}, outside the target directory"
    return None


def _escapes(path: str) -> bool:
    return posixpath.isabs(path) or ".." in path.split("/")


def _leaves(path: str) -> bool:
    return posixpath.normpath(path).split("/")[0] == ".."
