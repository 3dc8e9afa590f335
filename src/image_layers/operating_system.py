"""Makes the operating system layer from Debian's packages, and holds them against the list in the tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Iterable, Sequence

from image_layers.entries import Entry, entries_of_tar
from image_layers.errors import LayerError

# Documentation stays out at unpacking and, through the same settings, in images built on these. Licences stay.
_DPKG_OPTIONS = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/lintian/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/man/*",
)

# State of the machine or the moment, not of the packages.
_DROPPED = (
    "/dev/*",
    "/etc/.pwd.lock",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/run/*",
    "/tmp/*",
    "/var/cache/apt/*",
    "/var/cache/debconf/*-old",
    "/var/cache/ldconfig/aux-cache",
    "/var/lib/apt/lists/*",
    "/var/lib/dpkg/*-old",
    "/var/log/*",
    # Backups that shadow's tools keep of the files they change.
    "/etc/group-",
    "/etc/gshadow-",
    "/etc/passwd-",
    "/etc/shadow-",
    "/etc/subgid-",
    "/etc/subuid-",
)

_KEPT_EMPTY = ("/run/lock", "/var/cache/apt/archives", "/var/cache/apt/archives/partial", "/var/lib/apt/lists/partial")

# mmdebstrap and its helpers are Debian's, and so must be the python3 that they find.
_SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"

# Runs in the new root while apt still knows the archive: one line a package, as in the recorded list.
_LIST_PACKAGES = (
    "dpkg-query --show --showformat='${Package}=${Version}\\n' | xargs apt-cache show --no-all-versions"
    " | awk '/^Package:/ {p=$2} /^Version:/ {v=$2} /^Architecture:/ {a=$2} /^SHA256:/ {print p, v, a, $2}'"
    " | LC_ALL=C sort > /packages.txt"
)


@dataclass(frozen=True)
class Package:
    """One Debian package: its name, version, architecture and the sha256 of its archive file."""

    name: str
    version: str
    architecture: str
    sha256: str


def read_packages(text: str) -> dict[str, Package]:
    """A package list, one `NAME VERSION ARCHITECTURE SHA256` a line, by name; `#` starts a comment."""
    lines = (line.partition("#")[0].split() for line in text.splitlines())
    return {words[0]: Package(*words) for words in lines if words}


def read_names(path: Path) -> list[str]:
    """The names of a list of wanted packages, comments left out."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return sorted(line for line in lines if line)


def drift(recorded: dict[str, Package], found: dict[str, Package]) -> list[str]:
    """One line for each package that differs between two lists, by name; empty when they agree."""
    lines = []
    for name in sorted({*recorded, *found}):
        before, now = recorded.get(name), found.get(name)
        if before == now:
            continue
        if now is None:
            lines.append(f"{name}: recorded, not installed any more")
        elif before is None:
            lines.append(f"{name}: not recorded, installed at {now.version}")
        elif before.version == now.version:
            lines.append(f"{name} {now.version}: archive file changed from {before.sha256} to {now.sha256}")
        else:
            lines.append(f"{name}: recorded {before.version}, the archive has {now.version}")
    return lines


def bootstrap(suite: str, wanted: Sequence[str], work: Path, mtime: int) -> OperatingSystem:
    """A root file system of the suite's current packages, security updates in, as entries of a layer.

    The archive is the one that mmdebstrap takes by itself; OS_MIRROR in the environment names another.

    Args:
        suite: Debian's code name.
        wanted: Packages beside the essential ones and apt.
        work: Scratch directory.
        mtime: What scripts take for the time, seconds since the epoch.

    Raises:
        LayerError: mmdebstrap is not installed, or failed: with its last lines.
    """
    tool = shutil.which("mmdebstrap", path=_SYSTEM_PATH)
    if tool is None:
        raise LayerError(
            f"the operating system layer is made by `mmdebstrap`, which is in none of {_SYSTEM_PATH}. On Debian: "
            "`apt-get install mmdebstrap`. Elsewhere: name a stock image in docker/0.23-1/base/Dockerfile.cpu instead."
        )
    archive, packages = work / "root.tar", work / "packages.txt"
    command = [
        *_isolation(),
        tool,
        "--variant=apt",
        "--architectures=amd64",
        f"--include={','.join(wanted)}",
    ]
    command += [f"--dpkgopt={option}" for option in _DPKG_OPTIONS]
    command += [f'--customize-hook=chroot "$1" sh -c "{_escaped(_LIST_PACKAGES)}"']
    command += [f"--customize-hook=download /packages.txt {packages}", '--customize-hook=rm "$1/packages.txt"']
    command += [suite, str(archive)]
    mirror = os.environ.get("OS_MIRROR")
    if mirror:
        command.append(mirror)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment = {**inherited, "PATH": _SYSTEM_PATH, "SOURCE_DATE_EPOCH": str(mtime), "TMPDIR": str(work)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        last = "\n".join(done.stdout.strip().splitlines()[-15:])
        raise LayerError(
            f"bootstrapping Debian {suite} failed; mmdebstrap said:\n{last}\n"
            "It needs root with the right to mount, or user namespaces; the archive (OS_MIRROR names another); "
            f"and disk space in {work}."
        )
    # Some certificates have names that are not ASCII; the machine's locale has no say in them.
    with tarfile.open(archive, encoding="utf-8") as tar:
        entries = entries_of_tar(tar, _ships)
    return OperatingSystem(entries, packages.read_text(encoding="utf-8"))


def _isolation() -> list[str]:
    # As root, mmdebstrap mounts /proc, /sys and /dev into the new root. In namespaces of their own the mounts and the
    # processes end with the build, however it ends; otherwise mmdebstrap makes a user namespace by itself.
    if os.geteuid() != 0:
        return []
    return [
        "/usr/bin/unshare",
        "--mount",
        "--propagation=private",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "--",
    ]


@dataclass(frozen=True)
class OperatingSystem:
    """A root file system.

    Attributes:
        entries: Its files, owners and modes as the packages set them.
        packages: Its package list, as `read_packages` takes it.
    """

    entries: list[Entry]
    packages: str


def add_user(entries: Iterable[Entry], name: str, uid: int, home: str) -> list[Entry]:
    """Entries with a user, and a group of the same name and number, who cannot log in.

    The package that has `useradd` is not among what a container needs.

    Args:
        entries: Of a root file system.
        name: The user's.
        uid: Number of user and group.
        home: Image-absolute directory; not created here.

    Raises:
        LayerError: the file system has no /etc/passwd or /etc/group.
    """
    # `*` for a password, as Debian's own system users have: no /etc/shadow is needed, and none is there.
    lines = {
        PurePosixPath("/etc/group"): f"{name}:*:{uid}:\n",
        PurePosixPath("/etc/passwd"): f"{name}:*:{uid}:{uid}::{home}:/usr/sbin/nologin\n",
    }
    added = []
    for entry in entries:
        line = lines.pop(entry.path, None)
        if line is not None:
            assert isinstance(entry.content, bytes), "a bootstrapped root holds its files' bytes"
            entry = replace(entry, content=entry.content + line.encode())
        added.append(entry)
    if lines:
        missing = ", ".join(sorted(str(path) for path in lines))
        raise LayerError(f"adding user {name}: the root file system has no {missing}; is base-passwd in it?")
    return added


def _ships(path: PurePosixPath) -> bool:
    return str(path) in _KEPT_EMPTY or not any(fnmatchcase(str(path), pattern) for pattern in _DROPPED)


def _escaped(script: str) -> str:
    # For use inside double quotes of the shell that runs the hook.
    return script.replace("\\", "\\\\").replace("$", "\\$").replace('"', '\\"')
