"""Gives back the memory of what libraries needed for their import only."""

from __future__ import annotations

import ctypes
import logging
import os
from typing import Iterator, NamedTuple

logger = logging.getLogger(__name__)

_SMAPS = "/proc/self/smaps"
_MADV_DONTNEED = 4
_CODE, _READ_ONLY = "r-xp", "r--p"


class _Mapping(NamedTuple):
    """A part of a file in memory: its addresses, permissions, path, and how much of it is not the file's any more."""

    start: int
    end: int
    permissions: str
    path: str
    own_kib: int


def unmap_unused() -> None:
    """Unmap the pages of programs and libraries, code and constants; those in use come back by themselves.

    A page of a file that was read once stays mapped, and counts as this process's memory, until the kernel is short of
    memory. Imports read most of a library, predictions little of it: for scikit-learn and its model that is 20 MB of
    80. What comes back does so from the kernel's cache of files, in microseconds. Pages that differ from the file are
    left alone: there is no other copy.

    To be called before workers are forked, while there is one thread.
    """
    try:
        mappings = list(_mappings())
        advise = ctypes.CDLL(None, use_errno=True).madvise
    except (OSError, ValueError, AttributeError) as exc:
        logger.debug("The pages of libraries stay mapped: %s", exc)
        return
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    # Files that are mapped for their data, such as a model's, are not read anew at each prediction.
    programs = {mapping.path for mapping in mappings if mapping.permissions == _CODE}
    for mapping in mappings:
        if mapping.permissions not in (_CODE, _READ_ONLY) or mapping.path not in programs or mapping.own_kib:
            continue
        if advise(mapping.start, mapping.end - mapping.start, _MADV_DONTNEED):
            logger.debug("Pages of %s stay mapped: %s", mapping.path, os.strerror(ctypes.get_errno()))


def _mappings() -> Iterator[_Mapping]:
    """The mapped files, in the order of their addresses."""
    found: tuple[int, int, str, str] | None = None
    with open(_SMAPS, encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            if line.startswith("Anonymous:"):
                if found is not None:
                    yield _Mapping(*found, own_kib=int(line.split()[1]))
                found = None
            elif line[0] not in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":  # addresses are written in small letters
                addresses, permissions, _, _, _, *path = line.split(None, 5)
                start, end = (int(address, 16) for address in addresses.split("-"))
                # [vdso] and the like are no files.
                named = path and path[0].startswith("/")
                found = (start, end, permissions, path[0].rstrip("\n")) if named else None
