"""Settings of the machine, handed to a step through a file that is no part of the step's key.

Pants keys a step by its command, its environment and its input files. A named cache is a folder of the machine, which a
step reaches through a link in its sandbox; what lies in it is no part of the key. So the settings go there: machines
with different mirrors, proxies or homes share what they build, and no credential in an address gets to a shared cache.
"""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path
from typing import Mapping

# One of Pants' named caches.
NAMED_CACHE = "machine_settings"

# Relative to the sandbox: the link to that cache.
LINK = ".machine_settings"

# The variable of a step that asks for the settings, by any value.
ASKS = "MACHINE_SETTINGS"

_FILE = "environment"

# A setting: results may come from other machines.
SHARED_CACHE = "MACHINE_SETTINGS_SHARED_CACHE"

# Pants starts a step while it still asks the shared cache, and takes whichever ends first. A step that downloads leaves
# the cache a second, and keeps a failure to itself until the cache must have answered: a machine that cannot run a step
# at all, without a network or without mmdebstrap, still gets what others built.
_AHEAD_S = 1
_FAILURE_WAITS_S = 30

# A step has no PATH of its own.
_SLEEP = "PATH=/usr/bin:/bin sleep"

# Runs the command behind it. The file is missing only where a cleaner of caches was faster.
WITH_SETTINGS = (
    f'if [ -n "${{{ASKS}:-}}" ] && [ -e {LINK}/{_FILE} ]; then set -a; . {LINK}/{_FILE}; set +a; fi; '
    f'if [ -z "${{{SHARED_CACHE}:-}}" ]; then exec "$@"; fi; '
    f'{_SLEEP} {_AHEAD_S}; "$@" || {{ status=$?; {_SLEEP} {_FAILURE_WAITS_S}; exit $status; }}'
)


def write_settings(folder: Path, settings: Mapping[str, str]) -> None:
    """Write the settings for the steps that follow, at once or not at all, readable by this user alone.

    Args:
        folder: The named cache; made where it is missing.
        settings: Variables by name.

    Raises:
        OSError: the file system failed.
    """
    text = "".join(f"{name}={shlex.quote(settings[name])}\n" for name in sorted(settings))
    place = folder / _FILE
    try:
        if place.read_text(encoding="utf-8", errors="surrogateescape") == text:
            return
    except FileNotFoundError:
        pass
    folder.mkdir(parents=True, exist_ok=True)
    # Of a name of its own: one daemon prepares several steps at a time.
    descriptor, temporary = tempfile.mkstemp(prefix=f"{_FILE}.", dir=folder)
    with open(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    Path(temporary).replace(place)
