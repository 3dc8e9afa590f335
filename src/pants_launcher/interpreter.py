"""The two interpreters: the CPython 3.9 that runs Pants, and the CPython 3.8 that Pants uses for all that ships."""

import contextlib
import os
from typing import Iterator, Optional, Sequence, Tuple

from pants_launcher.cache import write_whole
from pants_launcher.errors import LauncherError
from pants_launcher.settings import Settings

_NAME = "python3.8"
_CHOICE = "python3.9"


def choice_file(launcher_dir: str) -> str:
    """The file in which the `pants` script looks for the path of a CPython 3.9 before it searches."""
    return os.path.join(launcher_dir, _CHOICE)


def require_cpython39(implementation: str, version: Sequence[object], executable: str, launcher_dir: str) -> None:
    """Make sure of the interpreter that the `pants` script started, which may come from its memory.

    Args:
        implementation: The running interpreter's kind, as `sys.implementation.name`.
        version: Its version, as `sys.version_info`.
        executable: Its path.
        launcher_dir: The launcher's folder in the cache.

    Raises:
        LauncherError: it is not a CPython 3.9.
    """
    if implementation != "cpython" or tuple(version[:2]) != (3, 9):
        seen = f"{implementation} {'.'.join(str(part) for part in version[:2])}"
        raise LauncherError(
            f"cannot start Pants with {executable}: it is a {seen}, and Pants 2.17 needs a CPython 3.9.\n"
            f"Start ./pants itself; if it chose this interpreter, remove {choice_file(launcher_dir)} first."
        )


def require_python38(settings: Settings) -> str:
    """The path of a CPython 3.8, as `find_python38` finds it.

    Raises:
        LauncherError: there is none.
    """
    found = find_python38(settings)
    if found is None:
        raise LauncherError(
            "cannot find a CPython 3.8, for which everything in this tree is built.\n"
            f"Looked for a working `{_NAME}` in: "
            f"{', '.join(search_path(settings)) or '(no folders: PATH and pyenv are empty)'}.\n"
            "Install one (for example `pyenv install 3.8`) or put its folder on PATH, then start Pants again."
        )
    return found


def find_python38(settings: Settings) -> Optional[str]:
    """The path of a CPython 3.8, remembered from an earlier launch where it still is on the search path, if any."""
    memory = os.path.join(settings.launcher_dir, _NAME)
    folders = search_path(settings)
    remembered = _read(memory)
    if os.path.dirname(remembered) in folders and os.access(remembered, os.X_OK):
        return remembered
    for folder in folders:
        candidate = os.path.join(folder, _NAME)
        if os.access(candidate, os.X_OK) and _is_cpython38(candidate):
            # What is remembered only saves time.
            with contextlib.suppress(OSError):
                write_whole(memory, f"{candidate}\n")
            return candidate
    return None


def search_path(settings: Settings) -> Tuple[str, ...]:
    """The folders that `[python-bootstrap].search_path = ["<PYENV>", "<PATH>"]` names, in order, without repetition."""
    return tuple(dict.fromkeys((*_pyenv_folders(settings), *settings.path)))


def _pyenv_folders(settings: Settings) -> Iterator[str]:
    if settings.pyenv_root is None:
        return
    versions = os.path.join(settings.pyenv_root, "versions")
    try:
        names = sorted(os.listdir(versions))
    except OSError:
        return
    for name in names:
        yield os.path.join(versions, name, "bin")


def _is_cpython38(candidate: str) -> bool:
    import subprocess

    code = "import sys; print(sys.implementation.name, *sys.version_info[:2])"
    try:
        # A pyenv shim exists for versions that are not switched on too; it then fails, which running it shows.
        answer = subprocess.run(
            [candidate, "-I", "-S", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.stdout.split() == [b"cpython", b"3", b"8"]


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except (OSError, ValueError):
        return ""
