"""Importing the user's code from an address.

Source: contract U-40.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

from sagemaker_sklearn_container import contract, settings
from sagemaker_training import files, params, unavailable
from sagemaker_training.errors import ImportModuleError
from sagemaker_training.files import s3_download

DEFAULT_MODULE_NAME = params.DEFAULT_MODULE_NAME_PARAM

_INSTALL = "List what the code needs in requirements.txt beside it; the container installs that"
_RUN = "Start other programs with subprocess.run([sys.executable, '-m', name])"

download_and_install = unavailable.function("modules.download_and_install", _INSTALL)
install = unavailable.function("modules.install", _INSTALL)
install_requirements = unavailable.function("modules.install_requirements", _INSTALL)
prepare = unavailable.function("modules.prepare", _INSTALL)
run = unavailable.function("modules.run", _RUN)
run_module = unavailable.function("modules.run_module", _RUN)

__all__ = [
    "DEFAULT_MODULE_NAME",
    "download_and_install",
    "exists",
    "has_requirements",
    "import_module",
    "install",
    "install_requirements",
    "prepare",
    "run",
    "run_module",
    "s3_download",
]


def exists(name: str) -> bool:
    """Whether a module called `name` can be imported; it is imported to find out."""
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def has_requirements(path: str) -> bool:
    """Whether the directory `path` has a requirements.txt."""
    return Path(path, contract.REQUIREMENTS_FILE).exists()


def import_module(uri: str, name: str = DEFAULT_MODULE_NAME, cache: bool | None = None) -> ModuleType:
    """Bring the code at `uri` to the code directory, unless that has content, and import `name` from there.

    Args:
        uri: s3:// address of a tar file, or local directory, tar file or single file.
        name: Of the module, without `.py`.
        cache: Has no meaning any more.

    Raises:
        CodeSourceError: the code cannot be fetched.
        ImportModuleError: the module cannot be imported; the reason is its cause.
    """
    code_dir = str(settings.paths(os.environ).code)
    files.download_and_extract(uri, code_dir)
    if code_dir not in sys.path:
        sys.path.insert(0, code_dir)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except Exception as exc:
        raise ImportModuleError(f"Importing {name!r} from {code_dir}: {type(exc).__name__}: {exc}") from exc
