"""The course of a launch: settings, install, interpreter, engine, then hand over to Pants."""

import os
import sys
from typing import Dict, Mapping, Sequence, Tuple

from pants_launcher import cache, goals, handover, interpreter, settings
from pants_launcher.errors import LauncherError, say


def main(args: Sequence[str], env: Mapping[str, str]) -> int:
    """Replace this process by Pants; returns only where that is not possible.

    Args:
        args: The command line without the program's name, handed to Pants unchanged.
        env: The environment.

    Returns:
        1 after an error, which has been printed; 130 when interrupted.
    """
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    try:
        chosen = settings.from_environment(env)
        interpreter.require_cpython39(sys.implementation.name, sys.version_info, sys.executable, chosen.launcher_dir)
        _require_working_directory_inside(root)
        install, pants_env = prepare(root, args, chosen, env)
        os.execve(install.native_client, [os.path.join(root, "pants"), *args], pants_env)
    except LauncherError as error:
        say(str(error))
        return 1
    except OSError as error:
        say(f"cannot start Pants: {error}.\nCorrect that and start it again.")
        return 1
    except KeyboardInterrupt:
        return 130


def prepare(
    root: str, args: Sequence[str], chosen: settings.Settings, env: Mapping[str, str]
) -> Tuple[cache.Install, Dict[str, str]]:
    """Set up what a command line needs.

    Args:
        root: The top of the checkout.
        args: The command line without the program's name.
        chosen: The launcher's settings.
        env: The environment.

    Returns:
        The install, and the environment in which to start Pants.

    Raises:
        LauncherError: something needed is missing and cannot be set up.
        OSError: the file system failed in a way that has no message of its own.
    """
    needs = goals.needs_of(args, root)
    if needs.writes and not os.access(root, os.W_OK):
        raise LauncherError(
            f"cannot run these goals in {root}: they write their results into the checkout, and it cannot be written.\n"
            "Clone it to a folder that can; goals such as list, lint, check and test work here as well."
        )
    install = cache.install_for(root, chosen.launcher_dir)
    tools = cache.environment_of(install)
    if tools is None:
        from pants_launcher.install import install_pants

        tools = install_pants(root, install, chosen, env)
    cache.mark_used(install)
    python38 = interpreter.require_python38(chosen) if needs.python38 else interpreter.find_python38(chosen)
    pants_env = {
        **handover.workdirs_for(root, chosen.launcher_dir),
        **handover.environment_for_pants(env, tools, install),
        **handover.interpreters_for_pants(env, python38),
    }
    if needs.engine and chosen.need_engine:
        from pants_launcher.docker import docker_environment

        pants_env.update(docker_environment(chosen, env, needs.tests))
    return install, pants_env


def _require_working_directory_inside(root: str) -> None:
    here = os.getcwd()
    if here != root and not here.startswith(root + os.sep):
        raise LauncherError(
            f"cannot start Pants in {here}: Pants works on the tree around the working directory, and this launcher"
            f" belongs to {root}.\nChange to that folder or one below it and start Pants there."
        )
