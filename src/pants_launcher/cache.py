"""Where the private install is, and whether what is there can be used."""

import contextlib
import os
import sys
from typing import Dict, NamedTuple, Optional

LOCKS = ("3rdparty/python/pants.lock", "3rdparty/python/external-tools.lock")
# The sources that decide what an install holds. Others may change without setting up Pants again.
_SHAPING_SOURCES = ("cache.py", "external_tools.py", "install.py")
_MARKER = "environment"
# Stands in the names of files that are being written; one that is found later was left by a killed launch.
TEMPORARY = ".new-"


class Install(NamedTuple):
    """One private install of Pants and its tools, complete or not.

    Attributes:
        folder: Its final place; it is built there under a lock, since the scripts of a venv hold absolute paths.
    """

    folder: str

    @property
    def venv(self) -> str:
        """The virtual environment that holds Pants."""
        return os.path.join(self.folder, "venv")

    @property
    def python(self) -> str:
        """The interpreter of the virtual environment."""
        return os.path.join(self.venv, "bin", "python")

    @property
    def server(self) -> str:
        """The program that the native client runs when no daemon answers."""
        return os.path.join(self.tools, "pants-server")

    @property
    def native_client(self) -> str:
        """The compiled client of Pants, which talks to a running daemon without starting Python."""
        return os.path.join(self.venv, "lib", "python3.9", "site-packages", "pants", "bin", "native_client")

    @property
    def tools(self) -> str:
        """The folder of the external tools."""
        return os.path.join(self.folder, "tools")

    @property
    def marker(self) -> str:
        """The file that makes the install complete; it holds the variables for Pants and is written last."""
        return os.path.join(self.folder, _MARKER)


def install_for(root: str, launcher_dir: str) -> Install:
    """The install that belongs to this checkout's locks and launcher and to the running interpreter.

    Args:
        root: The top of the checkout.
        launcher_dir: The launcher's folder in the cache.

    Raises:
        OSError: a lock or a source of the launcher cannot be read.
    """
    # hashlib is needed on every launch; it is a C extension and imports in well under a millisecond.
    import hashlib

    key = hashlib.sha256()
    for path in (*LOCKS, *(f"src/pants_launcher/{name}" for name in _SHAPING_SOURCES)):
        with open(os.path.join(root, path), "rb") as file:
            key.update(path.encode() + b"\0" + hashlib.sha256(file.read()).digest())
    key.update(f"{os.path.realpath(sys.executable)}\0{sys.version}".encode())
    return Install(os.path.join(launcher_dir, key.hexdigest()[:16]))


def environment_of(install: Install) -> Optional[Dict[str, str]]:
    """The variables for Pants that a complete install recorded, or None where it is missing, unfinished or damaged."""
    try:
        with open(install.marker, encoding="utf-8") as file:
            folder, *lines = file.read().splitlines()
    except (OSError, ValueError):
        return None
    # A moved cache folder has scripts that point to the old place.
    if folder != install.folder:
        return None
    # access() follows links, so a removed base interpreter shows here too.
    if not all(os.access(path, os.X_OK) for path in (install.python, install.server, install.native_client)):
        return None
    variables = dict(line.split("=", 1) for line in lines)
    urls = [value for name, value in variables.items() if name.endswith("_URL_TEMPLATE")]
    if not all(os.path.exists(url[len("file://") :]) for url in urls):
        return None
    return variables


def mark_used(install: Install) -> None:
    """Record that an install is in use, so that later set-ups leave it in place."""
    # A cache that is only readable is as good for all else.
    with contextlib.suppress(OSError):
        os.utime(install.marker)


def write_whole(path: str, text: str) -> None:
    """Write a small file so that it is there with all of `text` or not at all.

    Raises:
        OSError: it cannot be written.
    """
    temporary = f"{path}{TEMPORARY}{os.getpid()}"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
