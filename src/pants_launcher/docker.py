"""All that goals which use Docker need before Pants starts: an engine, Debian's programs and a client that fits."""

import os
from typing import Dict, List, Mapping, Sequence

from pants_launcher.docker_client import client_folder
from pants_launcher.docker_engine import choose_engine
from pants_launcher.errors import LauncherError, say
from pants_launcher.handover import DOCKER_SEARCH_PATHS
from pants_launcher.host import Host, find_executable, this_host
from pants_launcher.settings import Settings

# System programs may be missing from a user's PATH.
_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_DEBIAN_DOCKERD = "/usr/sbin/dockerd"
# Debian's packages by the programs that goals call: mmdebstrap builds the base layer; a page is tested in a browser.
_BUILD_PROGRAMS = {"mmdebstrap": "mmdebstrap"}
_TEST_PROGRAMS = {"chromium": "chromium"}
# One lock for the machine and not one for each cache, since there is one default socket. Only the superuser gets here.
_ENGINE_LOCK = "/run/sklearn-images-engine.lock"


def docker_environment(settings: Settings, env: Mapping[str, str], tests: bool) -> Dict[str, str]:
    """See to an engine, to Debian's programs and to a client, and give the variables that tell Pants of the client.

    Args:
        settings: The launcher's settings.
        env: The environment.
        tests: Whether goals run tests.

    Raises:
        LauncherError: there is no engine or no client, and none can be had.
    """
    host = this_host()
    engine = choose_engine(settings, host)
    programs = {**_BUILD_PROGRAMS, **_TEST_PROGRAMS} if tests else _BUILD_PROGRAMS
    if not engine.answers:
        _start_engine(engine.address, settings, host, env, programs)
    _see_to_programs(programs, settings, host, env)
    if DOCKER_SEARCH_PATHS in env:
        return {}
    folder = client_folder(engine.address, settings.path, os.path.join(settings.launcher_dir, "docker-clients"), env)
    return {} if folder is None else {DOCKER_SEARCH_PATHS: str([folder, "<PATH>"])}


def _start_engine(
    address: str, settings: Settings, host: Host, env: Mapping[str, str], programs: Mapping[str, str]
) -> None:
    import subprocess

    from pants_launcher import debian, dockerd
    from pants_launcher.docker_engine import problem_with
    from pants_launcher.locking import exclusive

    waiting = f"another launch is starting a Docker engine; waiting for it ({_ENGINE_LOCK})"
    with exclusive(_ENGINE_LOCK, lambda: say(waiting)):
        if problem_with(address) is None:
            return
        folders = _folders(settings)
        missing = _missing_packages({"dockerd": "docker.io", **programs}, folders)
        if missing:
            debian.install(missing, os.path.join(settings.launcher_dir, "apt.log"), env)
            # The package may have started the engine by itself.
            if "docker.io" in missing and dockerd.wait_for(address, patience_s=2.0):
                say("no Docker engine answered; installed Debian's docker.io, which started one")
                return
        if host.systemd:
            done = subprocess.run(["systemctl", "start", "docker"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode == 0 and dockerd.wait_for(address, patience_s=60.0):
                say("no Docker engine answered; started the service `docker`")
                return
            raise LauncherError(
                "these goals need a Docker engine; `systemctl start docker` did not bring one up"
                f" (status {done.returncode}).\nLook at `journalctl --unit docker`, correct it and start Pants again."
            )
        program = find_executable("dockerd", folders)
        if program is None:
            raise LauncherError(
                f"these goals need a Docker engine, and there is no `dockerd` in {', '.join(folders)}.\n"
                "Install Debian's docker.io and start Pants again."
            )
        log = os.path.join(settings.launcher_dir, "dockerd.log")
        pid = dockerd.start(dockerd.Daemon((program,), address, dockerd.PID_FILE, log), env)
        owner = "Debian's dockerd" if program == _DEBIAN_DOCKERD else program
        say(f"no Docker engine answered; started {owner} {dockerd.version_of(program)} (pid {pid}, log {log})")


def _see_to_programs(programs: Mapping[str, str], settings: Settings, host: Host, env: Mapping[str, str]) -> None:
    """Install what is missing of the packages, by program, where that is allowed."""
    if not (host.debian and host.root and settings.start_engine):
        return
    missing = _missing_packages(programs, _folders(settings))
    if missing:
        from pants_launcher import debian

        try:
            debian.install(missing, os.path.join(settings.launcher_dir, "apt.log"), env)
        except LauncherError as error:
            # Goals that find the base layer and test results in Pants' cache do without, so others are to insist.
            say(f"{error}\nGoing on without; building the base layer needs mmdebstrap, some tests need the others.")


def _missing_packages(package_of: Mapping[str, str], folders: Sequence[str]) -> List[str]:
    return sorted(package for program, package in package_of.items() if find_executable(program, folders) is None)


def _folders(settings: Settings) -> Sequence[str]:
    return tuple(dict.fromkeys((*settings.path, *_SYSTEM_FOLDERS)))
