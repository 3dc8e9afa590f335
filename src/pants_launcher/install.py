"""Setting up the private install of Pants."""

import errno
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from typing import Dict, Mapping, Sequence, Tuple

from pants_launcher import external_tools
from pants_launcher.cache import LOCKS, TEMPORARY, Install, environment_of, write_whole
from pants_launcher.errors import LauncherError, last_lines, say
from pants_launcher.interpreter import choice_file, require_python38
from pants_launcher.locking import exclusive
from pants_launcher.settings import CACHE, Settings

_UNUSED_AFTER_S = 30 * 24 * 3600
_INSTALL_NAME = re.compile(r"[0-9a-f]{16}")
# Pants reads a tool's file by the path in its address without decoding it.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+@,=~-]+")
# Client settings that would change what is installed or where to. All that say how to reach the index stay in force.
_FOREIGN = frozenset(
    (
        "PIP_ABI",
        "PIP_CONSTRAINT",
        "PIP_DEST",
        "PIP_DRY_RUN",
        "PIP_EDITABLE",
        "PIP_IMPLEMENTATION",
        "PIP_LOG",
        "PIP_NO_BINARY",
        "PIP_PLATFORM",
        "PIP_PREFIX",
        "PIP_PYTHON",
        "PIP_PYTHON_VERSION",
        "PIP_QUIET",
        "PIP_REPORT",
        "PIP_REQUIREMENT",
        "PIP_REQUIRE_VIRTUALENV",
        "PIP_ROOT",
        "PIP_TARGET",
        "PIP_USER",
        "PIP_VERBOSE",
        "PYTHONHOME",
        "PYTHONPATH",
    )
)
_UNREACHABLE = re.compile(
    r"NewConnectionError|ConnectTimeoutError|ReadTimeoutError|NameResolutionError|ProxyError|SSLError|ProtocolError"
    r"|Connection refused|timed out|\b50[0-9] (Server )?Error",
)
_MISSING = re.compile(r"^ERROR: No matching distribution found for (?P<what>\S+)", re.MULTILINE)
_MISMATCH = "DO NOT MATCH THE HASHES"
_DISK_FULL = "No space left on device"
# Some programs hide why they failed; with less than this left, the disk was the reason.
_FULL_BYTES = 2**20
_NEEDED = "400 MB"


def install_pants(root: str, install: Install, settings: Settings, env: Mapping[str, str]) -> Dict[str, str]:
    """Install Pants and its tools, or wait for the launch that does.

    Args:
        root: The top of the checkout, which is only read.
        install: The install to set up.
        settings: The launcher's settings.
        env: The environment, with the package client's own settings.

    Returns:
        The variables for Pants that the install recorded.

    Raises:
        LauncherError: it could not be set up.
    """
    _require_plain(install.folder)
    try:
        os.makedirs(settings.launcher_dir, exist_ok=True)
        lock = os.path.join(settings.launcher_dir, "lock")
        with exclusive(lock, lambda: say(f"another launch is setting up Pants; waiting for it ({lock})")) as descriptor:
            variables = environment_of(install)
            if variables is None:
                require_python38(settings)
                variables = _Installation(root, install, env, descriptor).run()
                write_whole(choice_file(settings.launcher_dir), f"{sys.executable}\n")
                _remove_unused(settings, install)
            return variables
    except OSError as error:
        raise _storage_error(install, error) from error


class _Installation:
    """One attempt at an install, made while the lock is held."""

    def __init__(self, root: str, install: Install, env: Mapping[str, str], lock: int) -> None:
        self._root = root
        self._install = install
        self._env = {name: value for name, value in env.items() if name not in _FOREIGN}
        self._lock = lock
        self._wheels = os.path.join(install.folder, "wheels")

    def run(self) -> Dict[str, str]:
        install = self._install
        version = self._pin(LOCKS[0], "pantsbuild-pants")
        say(f"setting up Pants {version} in {install.folder} (about 20 s, once)")
        # What is there has no marker, so it is what an interrupted or damaged install left. Without its marker nothing
        # of it counts, even where this removal is itself interrupted.
        _remove(install.marker)
        _remove(install.folder)
        try:
            return self._build()
        except BaseException:
            # A failure leaves the disk as it was; only a kill leaves something, for the next launch to remove.
            _remove(install.folder)
            raise

    def _build(self) -> Dict[str, str]:
        install = self._install
        os.makedirs(install.tools)
        os.mkdir(self._wheels)
        self._python([sys.executable, "-m", "venv", install.venv], "make a virtual environment")
        self._pip(["install", "--no-user", "--no-warn-script-location"], LOCKS[0])
        self._pip(["download", "--dest", self._wheels], LOCKS[1])
        os.chmod(install.native_client, 0o755)
        _write_server(install)
        variables = self._tools()
        _remove(self._wheels)
        self._finish(variables)
        return variables

    def _tools(self) -> Dict[str, str]:
        platform = external_tools.this_platform()
        variables: Dict[str, str] = {}
        pex = os.path.join(self._install.tools, external_tools.PEX.file)
        pex_root = os.path.join(self._install.folder, "pex-root")
        version = self._pin(LOCKS[1], external_tools.PEX.distribution)
        command = external_tools.pex_command(self._install.python, version, self._wheels, pex)
        self._python(command, "build the pex command line", PEX_ROOT=pex_root, PEX_IGNORE_RCFILES="1")
        _remove(pex_root)
        paths = [(external_tools.PEX, pex)]
        for tool in external_tools.BINARIES:
            paths.append((tool, external_tools.extract_binary(tool, self._wheels, self._install.tools)))
        for tool, path in paths:
            version = external_tools.tool_version(self._pin(LOCKS[1], tool.distribution))
            variables.update(external_tools.variables_of(tool, version, platform, path))
        return variables

    def _pin(self, lock: str, distribution: str) -> str:
        with open(os.path.join(self._root, lock), encoding="utf-8") as file:
            pins = external_tools.locked_versions(file.read())
        if distribution not in pins:
            raise LauncherError(
                f"cannot set up Pants: {lock} names no {distribution}.\n"
                f"Add it to {lock[: -len('lock')]}in and lock again."
            )
        return pins[distribution]

    def _finish(self, variables: Mapping[str, str]) -> None:
        lines = [self._install.folder, *(f"{name}={value}" for name, value in sorted(variables.items()))]
        write_whole(self._install.marker, "".join(f"{line}\n" for line in lines))

    def _pip(self, command: Sequence[str], lock: str) -> None:
        checks = [
            "--quiet",
            "--require-hashes",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--requirement",
            os.path.join(self._root, lock),
        ]
        status, output = self._run([self._install.python, "-m", "pip", *command, *checks])
        if status != 0:
            raise LauncherError(explain_pip(output, lock))

    def _python(self, command: Sequence[str], what: str, **extra: str) -> None:
        status, output = self._run(command, **extra)
        if status != 0:
            if _DISK_FULL in output or shutil.disk_usage(self._install.folder).free < _FULL_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise LauncherError(
                f"cannot set up Pants: could not {what} with {command[0]} (status {status}).\n"
                f"It said:\n{last_lines(output)}\n"
                "Check that this CPython is whole (some systems package `venv` apart), then start Pants again."
            )

    def _run(self, command: Sequence[str], **extra: str) -> Tuple[int, str]:
        done = subprocess.run(
            command,
            env={**self._env, **extra},
            cwd=self._install.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # The child keeps the lock should this process be killed; see `exclusive`.
            pass_fds=(self._lock,),
        )
        return done.returncode, done.stdout.decode("utf-8", "replace")


def _write_server(install: Install) -> None:
    """Write the program that starts Pants on the base interpreter instead of the one in the virtual environment.

    Pants puts the path of its own interpreter into every key of its caches, and the virtual environment lies below the
    home of the user: no other user would find what was built.
    """
    python = shlex.quote(os.path.realpath(sys.executable))
    packages = os.path.join(install.venv, "lib", "python3.9", "site-packages")
    lines = (
        # To a shell a command, to Python a string: the path of an interpreter may be too long for the first line.
        "#!/bin/sh",
        f"'''exec' {python} -I \"$0\" \"$@\"",
        "' '''",
        "import site, sys",
        # What else is installed for that interpreter is no part of Pants.
        "sys.path[:] = [folder for folder in sys.path if not folder.endswith(('site-packages', 'dist-packages'))]",
        f"site.addsitedir({packages!r})",
        "from pants.bin.pants_loader import main",
        "sys.exit(main())",
    )
    with open(install.server, "w", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))
    os.chmod(install.server, 0o755)


def explain_pip(output: str, lock: str) -> str:
    """What went wrong in a hash-checked install, and what to do.

    Args:
        output: All that pip printed.
        lock: The lock's path in the checkout.
    """
    # pip warns of every retry; the last warning is enough.
    lines = output.splitlines()
    warnings = [line for line in lines if line.startswith("WARNING")]
    quoted = warnings[-1:] + [line for line in lines if not line.startswith("WARNING")]
    if _DISK_FULL in output:
        # This can come at the end of a traceback of pip's own.
        quoted = [line for line in lines if _DISK_FULL in line]
    said = f"pip said:\n{last_lines(chr(10).join(quoted))}"
    missing = _MISSING.search(output)
    if _MISMATCH in output:
        return (
            f"cannot set up Pants: a downloaded package does not match its hash in {lock}. {said}\n"
            "If the lock was edited, lock again; if not, the package index serves something else than what was locked:"
            " do not install it, and check the index this machine is set to use."
        )
    if _DISK_FULL in output:
        return (
            f"cannot set up Pants: the disk is full. {said}\n"
            f"Free about {_NEEDED}, or set {CACHE} to an absolute path on another disk, then start Pants again."
        )
    if _UNREACHABLE.search(output):
        return (
            f"cannot set up Pants: the Python package index cannot be reached. {said}\n"
            "Check the network and this machine's settings for pip (`pip config list`, PIP_INDEX_URL, proxy,"
            " certificates), then start Pants again."
        )
    if missing:
        return (
            f"cannot set up Pants: the Python package index has no fitting wheel of {missing['what']}, which {lock}"
            f" asks for. {said}\n"
            "Check the index that pip is set to use (`pip config list`, PIP_INDEX_URL), or lock a release it carries."
        )
    return f"cannot set up Pants: pip failed on {lock}. {said}\nCorrect that and start Pants again."


def _require_plain(folder: str) -> None:
    if not _PLAIN_PATH.fullmatch(folder):
        raise LauncherError(
            f"cannot set up Pants in {folder!r}: Pants takes its tools from there, and only from a path of letters,"
            f" digits and / . _ + @ , = ~ -.\nSet {CACHE} to such an absolute path."
        )


def _storage_error(install: Install, error: OSError) -> LauncherError:
    if error.errno == errno.ENOSPC or error.errno == errno.EDQUOT:
        advice = f"Free about {_NEEDED}, or set {CACHE} to an absolute path on another disk, then start Pants again."
    else:
        advice = f"Make that folder writable, or set {CACHE} to an absolute path that is."
    return LauncherError(f"cannot set up Pants in {install.folder}: {error}.\n{advice}")


def _remove_unused(settings: Settings, kept: Install) -> None:
    """Remove what killed launches left, and installs that no launch has used for 30 days.

    Younger installs stay: another checkout or interpreter may use them.
    """
    for name in os.listdir(settings.launcher_dir):
        path = os.path.join(settings.launcher_dir, name)
        other = Install(path)
        if TEMPORARY in name:
            _remove(path)
        elif _INSTALL_NAME.fullmatch(name) and other != kept and _unused_s(other) > _UNUSED_AFTER_S:
            _remove(other.marker)
            _remove(other.folder)


def _unused_s(install: Install) -> float:
    try:
        return time.time() - os.stat(install.marker).st_mtime
    except OSError:
        # Without its marker it is what a killed launch left: nobody can use it.
        return float("inf")


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.remove(path)
