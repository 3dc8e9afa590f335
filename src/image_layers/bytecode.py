"""Compiles the Python sources of a tree to bytecode that any later build repeats byte for byte."""

from __future__ import annotations

import importlib.util
import os
import struct
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path, PurePosixPath

from image_layers.code_objects import dumps

_CHUNK = 32
# PEP 552: the source's modification time and size say whether the bytecode is valid.
_BY_TIMESTAMP = 0


def compile_tree(root: Path, at: PurePosixPath, mtime: int) -> None:
    """Compile every source below `root` into `__pycache__`, sources that are not valid for this Python left alone.

    The images set PYTHONDONTWRITEBYTECODE, so what is not compiled here is compiled again at each start.

    Args:
        root: Directory on this machine.
        at: Image-absolute directory it will be; tracebacks name sources below it.
        mtime: Modification time the sources will have in the layer; the interpreter compares it with the one
            recorded in the bytecode.
    """
    sources = sorted(path for path in root.rglob("*.py") if path.is_file())
    work = partial(_compile, root=root, at=at, mtime=mtime)
    with ProcessPoolExecutor() as pool:
        for _ in pool.map(work, sources, chunksize=_CHUNK):
            pass


def _compile(source: Path, root: Path, at: PurePosixPath, mtime: int) -> None:
    os.utime(source, (mtime, mtime))
    shown = at / source.relative_to(root).as_posix()
    content = source.read_bytes()
    try:
        code = compile(content, str(shown), "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # Templates and sources for other Python versions; nothing imports them here.
        return
    header = importlib.util.MAGIC_NUMBER + struct.pack("<3I", _BY_TIMESTAMP, mtime, len(content))
    compiled = source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"
    compiled.parent.mkdir(exist_ok=True)
    compiled.write_bytes(header + dumps(code))
