"""Installing Debian's packages."""

import os
import subprocess
import time
from typing import Dict, List, Mapping, Sequence

from pants_launcher.errors import LauncherError, last_lines, say

_LOCK_WAIT_S = 600
# What the Docker client and its BuildKit plugin are called where Debian packages them apart from the engine.
_OPTIONAL_CLIENTS = ("docker-buildx", "docker-cli")


def install(packages: Sequence[str], log: str, env: Mapping[str, str]) -> None:
    """Install Debian packages without their recommendations, waiting for other users of the package system.

    Args:
        packages: Names of packages.
        log: The file for the output of apt-get.
        env: The environment, with any proxy settings.

    Raises:
        LauncherError: they could not be installed.
    """
    say(f"installing Debian's {', '.join(packages)} (once, log {log})")
    quiet: Dict[str, str] = {**env, "DEBIAN_FRONTEND": "noninteractive"}
    with open(log, "wb") as output:
        # A failed update is no error in itself: the lists at hand may still serve.
        _apt(["update", "--quiet"], output.fileno(), quiet)
        wanted = [*packages, *(_clients_beside_engine(quiet) if "docker.io" in packages else [])]
        command = ["install", "--quiet", "--yes", "--no-install-recommends", *wanted]
        status = _apt(command, output.fileno(), quiet)
    if status != 0:
        with open(log, encoding="utf-8", errors="replace") as file:
            said = last_lines(file.read())
        raise LauncherError(
            f"cannot install Debian's {', '.join(wanted)}: apt-get failed (status {status}). It said:\n{said}\n"
            f"Correct that (all of its output is in {log}), or install them by hand: apt-get install {' '.join(wanted)}"
        )


def _apt(arguments: Sequence[str], output: int, env: Mapping[str, str]) -> int:
    command = ["apt-get", "-o", f"DPkg::Lock::Timeout={_LOCK_WAIT_S}", *arguments]
    deadline = time.monotonic() + _LOCK_WAIT_S
    while True:
        done = subprocess.run(
            command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        os.write(output, done.stdout)
        # The option above covers dpkg's lock, not that of the package lists.
        if done.returncode == 0 or b"Could not get lock" not in done.stdout or time.monotonic() > deadline:
            return done.returncode
        time.sleep(2)


def _clients_beside_engine(env: Mapping[str, str]) -> List[str]:
    names = subprocess.run(["apt-cache", "pkgnames", "docker-"], env=env, stdout=subprocess.PIPE, check=False).stdout
    known = names.decode("utf-8", "replace").split()
    return [name for name in _OPTIONAL_CLIENTS if name in known]
