"""Lists files below folders.

Source: contract A-03.
"""

from __future__ import annotations

import errno
import fnmatch
import functools
import os
import re
import stat
from typing import Any, Callable, Iterable, Iterator, Sequence

from mlio.stores import Compression, DataStore, File

# A run of digits, or one other character; blanks between them do not count.
_TOKEN = re.compile(rb"[0-9]+|[^0-9\t\n\v\f\r ]")


def list_files(
    path: str | Sequence[str] | None = None,
    pattern: str = "",
    predicate: Callable[[str], bool] | None = None,
    memory_map: bool = True,
    compression: Compression = Compression.INFER,
    *,
    pathname: str | None = None,
    pathnames: Sequence[str] | None = None,
    mmap: bool | None = None,
) -> list[DataStore]:
    """The files at and below some paths; links are followed.

    Args:
        path: A path or several; of a folder, everything below it is listed.
        pattern: Shell pattern that a file's whole path must match; `*` matches `/`, too. Empty matches all.
        predicate: Takes a file's path and returns whether to list it.
        memory_map: See `File`.
        compression: See `File`.
        pathname, pathnames: Other names of `path`.
        mmap: Another name of `memory_map`.

    Returns:
        list of File, by name in natural order within each folder: numbers in names count by their value.

    Raises:
        OSError: a path does not exist or a folder cannot be read; FileNotFoundError, PermissionError.
        ValueError: a path is empty.

    Source: contract A-03.
    """
    given: Any = path
    if pathname is not None:
        given = pathname
    if pathnames is not None:
        given = pathnames
    roots = [given] if isinstance(given, str) else list(given)
    matches = re.compile(_translated(pattern)).match if pattern else None
    mapping = memory_map if mmap is None else mmap
    files: list[DataStore] = []
    for found in _walk(roots):
        if matches is not None and not matches(found):
            continue
        if predicate is not None and not predicate(found):
            continue
        files.append(File(found, mapping, compression))
    return files


def _walk(roots: Iterable[str]) -> Iterator[str]:
    for root in sorted(roots, key=natural_key):
        if not root:
            raise FileNotFoundError(errno.ENOENT, "Listing files: the path is empty", root)
        yield from _below(root, os.stat(root), ())


def _below(path: str, status: os.stat_result, parents: tuple[tuple[int, int], ...]) -> Iterator[str]:
    if stat.S_ISREG(status.st_mode) or stat.S_ISBLK(status.st_mode):
        yield path
    if not stat.S_ISDIR(status.st_mode):
        return
    identity = (status.st_dev, status.st_ino)
    if identity in parents:  # a link back to where we came from
        return
    prefix = path if path.endswith("/") else path + "/"
    for name in sorted(os.listdir(path), key=natural_key):
        child = prefix + name
        try:
            found = os.stat(child)
        except FileNotFoundError:
            if os.path.islink(child):  # to nothing
                continue
            raise
        yield from _below(child, found, (*parents, identity))


def _natural_order(one: str, other: str) -> int:
    """Negative, zero or positive: whether `one` comes before `other`.

    Runs of digits compare as numbers, behind a leading zero as decimals; blanks do not count; all else by its bytes.
    """
    mine, others = _tokens(one), _tokens(other)
    for left, right in zip(mine, others):
        if left == right:
            continue
        if left.isdigit() and right.isdigit() and len(left) != len(right) and b"0" not in (left[:1], right[:1]):
            return len(left) - len(right)
        return -1 if left < right else 1
    if len(mine) != len(others):
        return len(mine) - len(others)
    return -1 if one < other else int(one > other)


def _tokens(name: str) -> list[bytes]:
    return _TOKEN.findall(os.fsencode(name))


natural_key = functools.cmp_to_key(_natural_order)


def _translated(pattern: str) -> str:
    """A regular expression for a shell pattern; a backslash takes the next character's meaning away."""
    plain = re.sub(r"\\(.)", lambda found: f"[{found[1]}]" if found[1] in "*?[" else found[1], pattern, flags=re.DOTALL)
    return fnmatch.translate(plain)
