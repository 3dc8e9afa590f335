"""Writes a layer: a plain tar whose bytes depend on its entries alone."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Iterable

from image_layers.entries import Entry, directory
from image_layers.errors import LayerError


def write_layer(entries: Iterable[Entry], out: BinaryIO, mtime: int) -> None:
    """Write `entries` as a tar, sorted by path, missing parent directories added.

    Args:
        entries: In any order.
        out: Binary sink, left open.
        mtime: Modification time of every member, seconds since the epoch: what changes is content, never time.

    Raises:
        LayerError: two entries claim one path and are not the same directory.

    Source: POSIX.1-2017 pax interchange format.
    """
    members = _by_path(entries)
    # A plain ustar header wherever it fits; pax records only for what does not.
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8") as archive:
        for path in sorted(members):
            _add(archive, members[path], mtime)


def _by_path(entries: Iterable[Entry]) -> dict[PurePosixPath, Entry]:
    members: dict[PurePosixPath, Entry] = {}
    for entry in entries:
        known = members.setdefault(entry.path, entry)
        if known is not entry and (known.kind != tarfile.DIRTYPE or _status(known) != _status(entry)):
            raise LayerError(
                f"two things want to be {entry.path} in one layer: {known.origin} and {entry.origin}. Leave one out."
            )
    for path in list(members):
        for parent in path.parents:
            if parent != PurePosixPath("/"):
                members.setdefault(parent, directory(parent))
    return members


def _status(entry: Entry) -> tuple[bytes, int, int, int]:
    return entry.kind, entry.mode, entry.uid, entry.gid


def _add(archive: tarfile.TarFile, entry: Entry, mtime: int) -> None:
    info = tarfile.TarInfo(str(entry.path.relative_to("/")))
    info.type = entry.kind
    info.mode = entry.mode
    info.uid, info.gid = entry.uid, entry.gid
    info.mtime = mtime
    if entry.kind == tarfile.SYMTYPE:
        info.linkname = entry.target
    elif entry.kind == tarfile.LNKTYPE:
        info.linkname = str(PurePosixPath(entry.target).relative_to("/"))
    if isinstance(entry.content, Path):
        info.size = entry.content.stat().st_size
        with entry.content.open("rb") as stream:
            archive.addfile(info, stream)
    elif entry.content is not None:
        info.size = len(entry.content)
        archive.addfile(info, io.BytesIO(entry.content))
    else:
        archive.addfile(info)
