"""Copies the CPython this tool runs on into a tree: moved to the images' prefix, without what nothing there needs."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from image_layers import layout
from image_layers.errors import LayerError

# Paths below the interpreter's prefix that are copied at all.
_KEPT = (f"bin/{layout.PYTHON}", f"lib/lib{layout.PYTHON}*.so.*", f"lib/{layout.PYTHON}/*")

_DROPPED = (
    # Libraries come from the lock, through the layers above this one.
    f"lib/{layout.PYTHON}/site-packages/*",
    "*/__pycache__/*",
    # Tests, and the extension modules only they import.
    "*/test/*",
    "*/tests/*",
    "*/lib-dynload/_test*",
    "*/lib-dynload/_ctypes_test*",
    "*/lib-dynload/xx*",
    # Windows and editors: nothing to show them on.
    "*/idlelib/*",
    "*/tkinter/*",
    "*/turtle*",
    "*/lib-dynload/_tkinter*",
    # Yellow pages would bring Kerberos and RPC libraries into the operating system layer.
    "*/lib-dynload/nis.*",
    # For building against this interpreter; no compiler ships.
    f"lib/{layout.PYTHON}/config-*/*",
    "*.a",
    # A second copy of pip and setuptools, older than the locked ones.
    "*/ensurepip/_bundled/*",
    "*/distutils/command/wininst-*.exe",
    # Written at first use.
    "*/lib2to3/*.pickle",
)


def copy_interpreter(tree: Path) -> None:
    """Fill `tree`, which stands for the image's root, with the interpreter at the images' prefix.

    Raises:
        LayerError: the running interpreter is not one that can be moved; says which and what to install.
    """
    source = Path(sys.base_prefix)
    target = tree / layout.PREFIX.relative_to("/")
    for path in sorted(source.rglob("*")):
        inside = path.relative_to(source).as_posix()
        if path.is_dir() or not _ships(inside):
            continue
        copy = target / inside
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy, follow_symlinks=False)
        if not copy.is_symlink():
            # Some builds install their shared library read-only; its prefix is changed below.
            copy.chmod(copy.stat().st_mode | stat.S_IWUSR)
    binary = target / "bin" / layout.PYTHON
    if not (binary.is_file() and (target / "lib" / layout.PYTHON / "os.py").is_file()):
        raise LayerError(
            f"the interpreter layer is made from {sys.executable}, but {source} does not hold bin/{layout.PYTHON} and "
            f"lib/{layout.PYTHON}. Provide a CPython installed below one prefix of its own, for example by pyenv."
        )
    for name in ("python", "python3"):
        (target / "bin" / name).symlink_to(layout.PYTHON)
    _relocate(target, source)


def _ships(inside: str) -> bool:
    kept = any(fnmatchcase(inside, pattern) for pattern in _KEPT)
    return kept and not any(fnmatchcase(inside, pattern) for pattern in _DROPPED)


def _relocate(target: Path, source: Path) -> None:
    for path in sorted(target.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        if content.startswith(b"\x7fELF"):
            _set_run_path(path, target)
            content = path.read_bytes()
        moved = move_prefix(content, str(source), layout.PREFIX)
        if moved != content:
            path.write_bytes(moved)


def _set_run_path(path: Path, target: Path) -> None:
    if not _patchelf("--print-rpath", str(path)):
        return
    if path.parent == target / "bin":
        _patchelf("--set-rpath", "$ORIGIN/../lib", str(path))
    else:
        # Extension modules find the interpreter's library already loaded.
        _patchelf("--remove-rpath", str(path))


def _patchelf(*arguments: str) -> str:
    command: list[str] = [str(_patchelf_binary()), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise LayerError(f"making {arguments[-1]} relocatable failed; patchelf said: {done.stderr.strip()}")
    return done.stdout.strip()


def _patchelf_binary() -> Path:
    # The patchelf distribution is a binary with a finder; its place depends on how the tool was unpacked.
    for entry in sys.path:
        for place in ("../../../bin/patchelf", "bin/patchelf", ".prefix/bin/patchelf"):
            candidate = Path(entry, place)
            if candidate.is_file():
                return candidate
    found = shutil.which("patchelf")
    if found is None:
        raise LayerError("the interpreter layer needs `patchelf`; the lock of the build tools lists it, lock again.")
    return Path(found)


def move_prefix(content: bytes, old: str, new: PurePosixPath) -> bytes:
    """Replace the interpreter's prefix in a file of it.

    In text the prefix becomes `new`. In a binary only the folder above it is replaced, at the same length: linkers let
    strings share their ends, so "3.8.18" at the end of the prefix may also be the version string. The interpreter
    finds its real prefix from where it is started; what is compiled in is a last resort and would name a folder of the
    machine the layer was built on.

    Args:
        content: Whole file.
        old: The prefix to replace.
        new: The prefix in the image.
    """
    before, after = old.encode(), str(new).encode()
    if b"\0" not in content:
        return content.replace(before, after)
    parent = before.rpartition(b"/")[0]
    if len(parent) < len(after):
        return content
    return content.replace(before, after.ljust(len(parent), b"/") + before[len(parent) :])
