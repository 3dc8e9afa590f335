"""Finding and loading the user's serving code."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from types import ModuleType

from sagemaker_sklearn_container import commands, contract
from sagemaker_sklearn_container.errors import ConfigurationError
from sagemaker_sklearn_container.serving.config import ServingConfig
from sagemaker_sklearn_container.user_code import install, loader, source

logger = logging.getLogger(__name__)


def load_user_module(config: ServingConfig) -> ModuleType | None:
    """Fetch the user's code, install its requirements, import its script.

    Returns:
        The script's module; None if there is no code at all, and the defaults are to serve.

    Raises:
        ContainerError: the code cannot be fetched, installed or found.
        Exception: whatever the script raises.

    Source: contract U-01 to U-05, K-20.
    """
    found = find(config)
    if found is None:
        logger.info(
            "There is no user code (%s is unset, and there is no %s in %s); default functions will serve",
            contract.PROGRAM,
            contract.DEFAULT_SERVING_PROGRAM,
            ", ".join(map(str, _places(config))),
        )
        return None
    code_dir, program = found
    install.install(code_dir, os.environ, commands.run)
    logger.info("Loading %s from %s", program, code_dir)
    return loader.load(code_dir, program)


def find(config: ServingConfig) -> tuple[Path, str] | None:
    """The directory of the user's code, fetched if need be, and the script in it; None if there is no code.

    Without a source the code is looked for in the code directory, then in the model (U-03, K-20).

    Raises:
        ContainerError: the code cannot be fetched, or the program that is named is in none of these places.
    """
    paths = config.paths
    if config.source or source.has_content(paths.code):
        code_dir = source.fetch_or_use_in_place(config.source, paths.code, config.s3)
        return code_dir, config.program or _only_script(code_dir)
    program = config.program or contract.DEFAULT_SERVING_PROGRAM
    code_dir, *fallbacks = _places(config)
    for place in fallbacks:
        if loader.script_path(place, program):
            return place, program
    if config.program:
        raise loader.missing_program(code_dir, program, *fallbacks)
    return None


def _places(config: ServingConfig) -> tuple[Path, ...]:
    """Where the script may be if no source is named, in this order (U-03)."""
    return config.paths.code, config.paths.model / "code", config.paths.model


def _only_script(code_dir: Path) -> str:
    """The script to serve from when none is named: inference.py, or the only one there is."""
    scripts = sorted(path.name for path in code_dir.glob("*.py"))
    if contract.DEFAULT_SERVING_PROGRAM in scripts:
        return contract.DEFAULT_SERVING_PROGRAM
    if len(scripts) == 1:
        return scripts[0]
    raise ConfigurationError(
        f"There is user code in {code_dir}, but {contract.PROGRAM} is not set. Set it to the script that defines "
        f"model_fn; scripts there: {', '.join(scripts) or 'none'}."
    )
