"""Starting a Docker engine that outlives the launcher."""

import contextlib
import os
import re
import subprocess
import time
from typing import Mapping, NamedTuple, Optional, Tuple

from pants_launcher.docker_engine import problem_with
from pants_launcher.errors import LauncherError, last_lines

PID_FILE = "/var/run/docker.pid"
# A killed engine leaves its containerd behind; the first new engine that meets it ends, and that containerd with it.
_ATTEMPTS = 2
_STEP_S = 0.1
# The engine needs its tools, among them iptables, and reaches registries through the user's proxy; nothing else of the
# environment of whoever starts it first is its business.
_KEPT = ("HOME", "LANG", "LC_ALL", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Daemon(NamedTuple):
    """How to start an engine and where it can be seen.

    Attributes:
        command: The program and its arguments.
        address: Where it will answer.
        pid_file: The file in which it keeps its process id.
        log: The file for its output.
        patience_s: How long it may take to answer, in seconds.
    """

    command: Tuple[str, ...]
    address: str
    pid_file: str
    log: str
    patience_s: float = 60.0


def start(daemon: Daemon, env: Mapping[str, str]) -> int:
    """Start the engine, or wait for one that is starting, until it answers.

    Args:
        daemon: What to start.
        env: The environment, from which the engine gets its home and proxy.

    Returns:
        The process id of the engine.

    Raises:
        LauncherError: it ended or did not answer in time.
    """
    running = running_pid(daemon)
    if running is not None:
        if wait_for(daemon.address, daemon.patience_s):
            return running
        raise LauncherError(
            f"these goals need a Docker engine; {daemon.command[0]} runs (pid {running}) but has not answered at"
            f" {daemon.address} within {daemon.patience_s:.0f} s.\n"
            "Look at its log, or end that process and start Pants again."
        )
    # The engine refuses to start beside the pid file of a dead one whose number another process got since.
    with contextlib.suppress(FileNotFoundError):
        os.remove(daemon.pid_file)
    for _ in range(_ATTEMPTS):
        process = _spawn(daemon, env)
        deadline = time.monotonic() + daemon.patience_s
        while time.monotonic() < deadline:
            if problem_with(daemon.address) is None:
                return process.pid
            if process.poll() is not None:
                break
            time.sleep(_STEP_S)
        ended = process.poll()
        if ended is None:
            break
        # It also ends where another engine was quicker.
        other = running_pid(daemon)
        if other is not None and wait_for(daemon.address, daemon.patience_s):
            return other
    what = f"ended with status {ended}" if ended is not None else f"has not answered within {daemon.patience_s:.0f} s"
    with open(daemon.log, encoding="utf-8", errors="replace") as file:
        said = last_lines(file.read())
    raise LauncherError(
        f"these goals need a Docker engine; started {' '.join(daemon.command)}, but it {what}.\n"
        f"Its log ends with:\n{said}\n"
        f"Correct that (all of it is in {daemon.log}; a container needs `--privileged` to run an engine), or set"
        " DOCKER_HOST to the address of another engine."
    )


def _spawn(daemon: Daemon, env: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    with open(daemon.log, "wb") as log:
        return subprocess.Popen(
            daemon.command,
            env={"PATH": _PATH, **{name: env[name] for name in _KEPT if name in env}},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def running_pid(daemon: Daemon) -> Optional[int]:
    """The process id in the pid file, where that process is alive and runs this daemon's program."""
    try:
        with open(daemon.pid_file, encoding="ascii") as file:
            pid = int(file.read())
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
    except (OSError, ValueError):
        return None
    program = os.path.basename(daemon.command[0]).encode()
    return pid if any(os.path.basename(word) == program for word in words[:2]) else None


def wait_for(address: str, patience_s: float) -> bool:
    """Whether an engine answers at `address` within `patience_s` seconds."""
    deadline = time.monotonic() + patience_s
    while problem_with(address) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(_STEP_S)
    return True


def version_of(program: str) -> str:
    """The version that the engine's program prints, or `of unknown version`."""
    try:
        done = subprocess.run([program, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return "of unknown version"
    found = re.search(rb"version ([0-9][0-9.]*)", done.stdout)
    return found[1].decode("ascii") if found else "of unknown version"
