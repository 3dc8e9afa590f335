"""What a step's key says of the interpreter that runs it: a path alone may be another build on the next machine.

Run by that interpreter: prints its version, then a digest of its files.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys

# Written by use or by others, or never part of what an image gets of an interpreter.
_LEFT_OUT = frozenset(("__pycache__", "site-packages", "dist-packages", "test", "tests", "ensurepip"))


def digest_of(prefix: str, name: str) -> str:
    """The sha256 of an interpreter's program, shared library and standard library: relative paths and contents.

    Args:
        prefix: The folder it is installed in.
        name: The program's, for example `python3.8`.
    """
    total = hashlib.sha256()
    for path in _files(prefix, name):
        try:
            with open(path, "rb") as file:
                content = hashlib.sha256(file.read()).hexdigest()
        except FileNotFoundError:
            continue
        total.update(f"{os.path.relpath(path, prefix)}\0{content}\n".encode("utf-8", "surrogateescape"))
    return total.hexdigest()


def _files(prefix: str, name: str) -> list[str]:
    library = os.path.join(prefix, "lib")
    found = [os.path.join(prefix, "bin", name)]
    found += [os.path.join(library, file) for file in os.listdir(library) if file.startswith(f"lib{name}")]
    for folder, folders, files in os.walk(os.path.join(library, name)):
        folders[:] = [inner for inner in folders if inner not in _LEFT_OUT]
        # lib2to3 writes its grammars at first use.
        found += [os.path.join(folder, file) for file in files if not file.endswith(".pickle")]
    return sorted(found)


if __name__ == "__main__":
    print(platform.python_version())
    print(digest_of(sys.base_prefix, f"python{sys.version_info[0]}.{sys.version_info[1]}"))
