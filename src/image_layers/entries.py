"""What a layer holds: one `Entry` for each file, directory or link, all that is not content made canonical."""

from __future__ import annotations

import os
import stat
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Callable, Iterator

from image_layers.errors import LayerError

_DIRECTORY_MODE = 0o755
_EXECUTABLE_MODE = 0o755
_FILE_MODE = 0o644


@dataclass(frozen=True)
class Entry:
    """One member of a layer.

    Attributes:
        path: Image-absolute path.
        kind: A tarfile type: `REGTYPE`, `DIRTYPE`, `SYMTYPE` or `LNKTYPE`.
        mode: Permission bits.
        content: File bytes, or the file that holds them; None unless `kind` is `REGTYPE`.
        target: What a link points to: any text for a symbolic link, an image-absolute path for a hard link.
        uid: Owner.
        gid: Group.
        origin: Where the entry came from, for messages.
    """

    path: PurePosixPath
    kind: bytes
    mode: int
    content: bytes | Path | None = None
    target: str = ""
    uid: int = 0
    gid: int = 0
    origin: str = ""


def directory(path: PurePosixPath, mode: int = _DIRECTORY_MODE, uid: int = 0, gid: int = 0) -> Entry:
    """A directory of the layer's own making."""
    return Entry(path=path, kind=tarfile.DIRTYPE, mode=mode, uid=uid, gid=gid, origin="layout")


def entries_of_tree(root: Path, at: PurePosixPath) -> Iterator[Entry]:
    """Everything below `root`, placed below `at` in the image.

    Owners become root and modes 0755 or 0644, since a checkout's or a wheel's own depend on umask and user.

    Args:
        root: Directory on this machine; itself not part of the result.
        at: Image-absolute directory.

    Raises:
        LayerError: something is neither file, directory nor symbolic link.
    """
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = Path(folder, name)
            inside = at / path.relative_to(root).as_posix()
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode):
                yield Entry(inside, tarfile.SYMTYPE, 0o777, target=os.readlink(path), origin=str(path))
            elif stat.S_ISDIR(status.st_mode):
                yield Entry(inside, tarfile.DIRTYPE, _DIRECTORY_MODE, origin=str(path))
            elif stat.S_ISREG(status.st_mode):
                executable = status.st_mode & 0o111
                mode = _EXECUTABLE_MODE if executable else _FILE_MODE
                yield Entry(inside, tarfile.REGTYPE, mode, content=path, origin=str(path))
            else:
                raise LayerError(f"{path}: only files, directories and symbolic links can go into a layer.")


def entries_of_tar(archive: tarfile.TarFile, ships: Callable[[PurePosixPath], bool] = lambda path: True) -> list[Entry]:
    """The members of a tar, owners and modes kept; which of several hard-linked names holds the content is canonical.

    Args:
        archive: Open for reading; device nodes are left out, a container gets its own.
        ships: Whether the member at an image-absolute path is wanted. It is asked here since leaving out the one
            hard-linked name that holds the content must not take the content from the others.
    """
    entries: dict[PurePosixPath, Entry] = {}
    groups: dict[PurePosixPath, list[PurePosixPath]] = {}
    for member in archive:
        path = PurePosixPath("/") / member.name
        if path == PurePosixPath("/") or member.isdev():
            continue
        content: bytes | None = None
        target = member.linkname
        if member.isreg():
            extracted = archive.extractfile(member)
            assert extracted is not None, "a regular member always has content"
            content = extracted.read()
        elif member.islnk():
            first = PurePosixPath("/") / member.linkname
            groups.setdefault(first, [first]).append(path)
            target = str(first)
        entries[path] = Entry(
            path=path,
            kind=tarfile.REGTYPE if member.isreg() else member.type,
            mode=member.mode,
            content=content,
            target=target,
            uid=member.uid,
            gid=member.gid,
            origin=member.name,
        )
    for first, names in groups.items():
        holder = entries[first]
        canonical = min(filter(ships, names), default=first)
        for name in names:
            entries[name] = replace(holder, path=name, kind=tarfile.LNKTYPE, content=None, target=str(canonical))
        entries[canonical] = replace(holder, path=canonical)
    return [entry for entry in entries.values() if ships(entry.path)]
