"""The environment in which Pants is started."""

import os
import sys
from typing import Dict, Mapping, Optional

from pants_launcher.cache import Install

TOOL_SCOPES = ("PEX_CLI", "HADOLINT", "SHELLCHECK", "SHFMT")
DOCKER_SEARCH_PATHS = "PANTS_DOCKER_EXECUTABLE_SEARCH_PATHS"
INTERPRETERS = "PANTS_PYTHON_BOOTSTRAP_SEARCH_PATH"


def environment_for_pants(user: Mapping[str, str], tools: Mapping[str, str], install: Install) -> Dict[str, str]:
    """The user's environment with what the native client and Pants need.

    A tool for which the user has set any of version, address or known versions is left wholly to the user: the three
    belong together. `PYTHONPATH` and `PYTHONHOME` are dropped, because they would put other modules before those of the
    private install.

    Args:
        user: The environment the launcher was started in.
        tools: The variables of the external tools, as the install recorded them.
        install: The private install.
    """
    env = {name: value for name, value in user.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    for scope in TOOL_SCOPES:
        ours = {name: value for name, value in tools.items() if name.startswith(f"PANTS_{scope}_")}
        if not any(name in user for name in ours):
            env.update(ours)
    env["_PANTS_SERVER_EXE"] = install.server
    # Pants' own switch against the warning that the official launcher was not used; only its presence counts.
    env["NO_SCIE_WARNING"] = "1"
    return env


def interpreters_for_pants(user: Mapping[str, str], python38: Optional[str]) -> Dict[str, str]:
    """The variable that tells Pants which interpreters there are, unless the user has set it.

    The whole search path is part of every key of Pants' caches. With the two interpreters alone, a machine that has
    others besides, or another PATH, shares what was built.

    Args:
        user: The environment the launcher was started in.
        python38: The CPython 3.8, where there is one.
    """
    if INTERPRETERS in user or python38 is None:
        return {}
    return {INTERPRETERS: str([python38, os.path.realpath(sys.executable)])}


def workdirs_for(root: str, launcher_dir: str) -> Dict[str, str]:
    """The variables that keep Pants' own working files out of a checkout that cannot be written.

    Goals that write into the checkout by their nature, such as `package` and `fmt`, still need one that can be.

    Args:
        root: The top of the checkout.
        launcher_dir: The launcher's folder in the cache.
    """
    if os.access(root, os.W_OK):
        return {}
    import hashlib

    name = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
    folder = os.path.join(launcher_dir, "checkouts", name)
    return {"PANTS_WORKDIR": os.path.join(folder, "workdir"), "PANTS_SUBPROCESSDIR": os.path.join(folder, "pids")}
