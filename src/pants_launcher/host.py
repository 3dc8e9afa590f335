"""What kind of machine this is, as far as it decides whether system packages may be installed."""

import os
from typing import NamedTuple, Optional, Sequence

OS_RELEASE = "/etc/os-release"


class Host(NamedTuple):
    """Facts about the machine.

    Attributes:
        debian: Whether it is Debian or says that it is like Debian.
        root: Whether this process is the superuser.
        systemd: Whether systemd manages its services.
        name: The system's name for people.
    """

    debian: bool
    root: bool
    systemd: bool
    name: str


def this_host(os_release: str = OS_RELEASE) -> Host:
    """The machine this process runs on."""
    try:
        with open(os_release, encoding="utf-8") as file:
            fields = dict(line.strip().split("=", 1) for line in file if "=" in line)
    except (OSError, ValueError):
        fields = {}
    words = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}".replace('"', " ").split()
    return Host(
        debian="debian" in words,
        root=os.geteuid() == 0,
        systemd=os.path.isdir("/run/systemd/system"),
        name=fields.get("PRETTY_NAME", os.uname().sysname).strip('"'),
    )


def find_executable(name: str, folders: Sequence[str]) -> Optional[str]:
    """The first executable file called `name` in `folders`, or None."""
    for folder in folders:
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None
