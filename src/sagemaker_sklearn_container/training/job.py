"""One training job from configuration to report."""

from __future__ import annotations

import logging
import os
import shlex
import sys
import traceback
from pathlib import Path
from typing import Mapping, Sequence

from sagemaker_sklearn_container import contract, log, settings
from sagemaker_sklearn_container.contract import Paths
from sagemaker_sklearn_container.cpus import available_cpus
from sagemaker_sklearn_container.errors import ConfigurationError, ContainerError
from sagemaker_sklearn_container.training import config as configuration
from sagemaker_sklearn_container.training import launch
from sagemaker_sklearn_container.training.arguments import command_line
from sagemaker_sklearn_container.training.config import TrainingConfig
from sagemaker_sklearn_container.training.environment import program_environment
from sagemaker_sklearn_container.training.failure import describe
from sagemaker_sklearn_container.training.gpus import count_gpus
from sagemaker_sklearn_container.training.process import Supervisor
from sagemaker_sklearn_container.training.report import report_failure, report_success
from sagemaker_sklearn_container.user_code import install, source

logger = logging.getLogger(__name__)


def main() -> None:
    """Run the training job that the platform describes, and exit with the exit code of the user's program.

    Source: contract T-01 to T-08.
    """
    supervisor = Supervisor()
    supervisor.install()
    log.configure(contract.DEFAULT_LOG_LEVEL)
    sys.exit(run(os.environ, sys.path[1:], supervisor))


def run(environ: Mapping[str, str], import_path: Sequence[str], supervisor: Supervisor) -> int:
    """Run the training job and report how it ended.

    Args:
        environ: The container's environment.
        import_path: Where modules are found, for the program's PYTHONPATH.
        supervisor: Runs the commands.

    Returns:
        Exit code of the user's program; of the error if it could not be run.
    """
    paths = settings.paths(environ)
    try:
        exit_code, reason = _run_program(configuration.read(environ), environ, import_path, supervisor)
    except ContainerError as exc:
        logger.error("%s", exc)
        exit_code, reason = exc.exit_code, str(exc)
    except Exception as exc:
        # Not foreseen, so the frames are the best there is to say.
        logger.exception("Training could not be run")
        exit_code, reason = 1, f"{type(exc).__name__}: {exc}\n\n{traceback.format_exc()}"
    if exit_code == 0:
        report_success(paths)
    else:
        report_failure(paths, reason)
    return exit_code


def _run_program(
    config: TrainingConfig, environ: Mapping[str, str], import_path: Sequence[str], supervisor: Supervisor
) -> tuple[int, str]:
    """Exit code of the user's program, and why it failed if it did."""
    log.configure(config.log_level)
    _make_result_directories(config.paths)
    source.fetch(config.source, config.paths.code, config.s3)
    install.install(config.paths.code, lambda command, cwd: supervisor.run(command, cwd).exit_code)
    command = launch.command(config.program, command_line(config.hyperparameters), config.paths.code)
    variables = program_environment(config, environ, import_path, available_cpus(), count_gpus())
    logger.info("Invoking user script: %s", shlex.join(command))
    outcome = supervisor.run(command, config.paths.code, variables)
    if outcome.exit_code == 0:
        return 0, ""
    return outcome.exit_code, describe(outcome.exit_code, outcome.error_tail, command)


def _make_result_directories(paths: Paths) -> None:
    """Create what the user's program may write to and the platform may not have made (T-52)."""
    for directory in (paths.model, paths.output_data):
        _make_directory(directory)


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ConfigurationError(
            f"Creating {directory} failed: {exc}. Training needs a writable place for its results."
        ) from exc
