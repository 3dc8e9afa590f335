"""The launcher's settings, parsed from the environment once."""

import os
from typing import Mapping, NamedTuple, Optional, Tuple

from pants_launcher.errors import LauncherError

CACHE = "SKLEARN_IMAGES_CACHE"
START_ENGINE = "SKLEARN_IMAGES_START_ENGINE"
NEED_ENGINE = "SKLEARN_IMAGES_NEED_ENGINE"

_YES = ("yes", "1", "true")
_NO = ("no", "0", "false")


# A NamedTuple and not a dataclass: importing `dataclasses` costs more than all other imports of a warm launch together.
class Settings(NamedTuple):
    """Everything the launcher takes from the environment.

    Attributes:
        cache_dir: Absolute path of the folder that holds all the launcher writes.
        start_engine: Whether system packages may be installed and a Docker engine started where none answers.
        need_engine: Whether goals that use Docker insist on an engine before Pants starts.
        docker_host: `DOCKER_HOST` where it is set and not empty.
        docker_context: `DOCKER_CONTEXT` where it is set and not empty.
        docker_config: The folder of the Docker client's settings, where known.
        docker_tls: Whether the Docker client is told to use TLS.
        pyenv_root: The folder in which Pants looks for pyenv's interpreters, where known.
        path: The folders of `PATH`, in order.
    """

    cache_dir: str
    start_engine: bool
    need_engine: bool
    docker_host: Optional[str]
    docker_context: Optional[str]
    docker_config: Optional[str]
    docker_tls: bool
    pyenv_root: Optional[str]
    path: Tuple[str, ...]

    @property
    def launcher_dir(self) -> str:
        """The launcher's own folder below the cache folder."""
        return os.path.join(self.cache_dir, "launcher")


def from_environment(env: Mapping[str, str]) -> Settings:
    """Parse the environment; unset and empty variables mean the same.

    Raises:
        LauncherError: a variable has a value outside its list, or no cache folder can be derived.
    """
    home = env.get("HOME") or None
    return Settings(
        cache_dir=_cache_dir(env, home),
        start_engine=_yes_or_no(env, START_ENGINE),
        need_engine=_yes_or_no(env, NEED_ENGINE),
        docker_host=env.get("DOCKER_HOST") or None,
        docker_context=env.get("DOCKER_CONTEXT") or None,
        docker_config=env.get("DOCKER_CONFIG") or (os.path.join(home, ".docker") if home else None),
        docker_tls=bool(env.get("DOCKER_TLS") or env.get("DOCKER_TLS_VERIFY")),
        pyenv_root=env.get("PYENV_ROOT") or (os.path.join(home, ".pyenv") if home else None),
        path=tuple(folder for folder in env.get("PATH", "").split(os.pathsep) if folder),
    )


def _cache_dir(env: Mapping[str, str], home: Optional[str]) -> str:
    chosen = env.get(CACHE)
    if chosen:
        if not os.path.isabs(chosen):
            raise LauncherError(
                f"cannot tell where to keep the private install of Pants: {CACHE} is {chosen!r}, which is relative.\n"
                f"Set {CACHE} to an absolute path, or unset it to use ~/.cache/sklearn-images."
            )
        return os.path.normpath(chosen)
    base = env.get("XDG_CACHE_HOME", "")
    # The XDG base directory specification says that relative values are to be ignored.
    if os.path.isabs(base):
        return os.path.join(os.path.normpath(base), "sklearn-images")
    if home is None:
        raise LauncherError(
            f"cannot tell where to keep the private install of Pants: {CACHE}, XDG_CACHE_HOME and HOME are all unset.\n"
            f"Set {CACHE} to an absolute path."
        )
    return os.path.join(home, ".cache", "sklearn-images")


def _yes_or_no(env: Mapping[str, str], name: str) -> bool:
    value = env.get(name, "")
    word = value.strip().lower()
    if not word or word in _YES:
        return True
    if word in _NO:
        return False
    allowed = ", ".join((*_YES, *_NO))
    raise LauncherError(
        f"cannot read the setting {name}: it is {value!r}.\nSet it to one of {allowed}, or unset it (which means yes)."
    )
