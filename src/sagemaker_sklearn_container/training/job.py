"""One training job from configuration to report."""

from __future__ import annotations

import errno
import logging
import os
import shlex
import sys
import traceback
from contextlib import ExitStack
from pathlib import Path
from typing import Mapping, Sequence

from sagemaker_sklearn_container import contract, log, settings
from sagemaker_sklearn_container.contract import Paths
from sagemaker_sklearn_container.cpus import available_cpus
from sagemaker_sklearn_container.errors import CodeSourceError, ConfigurationError, ContainerError
from sagemaker_sklearn_container.redaction import redacted
from sagemaker_sklearn_container.training import config as configuration
from sagemaker_sklearn_container.training import hosts, intermediate, launch
from sagemaker_sklearn_container.training.arguments import command_line
from sagemaker_sklearn_container.training.config import TrainingConfig
from sagemaker_sklearn_container.training.environment import program_environment, sm_variables, training_env
from sagemaker_sklearn_container.training.failure import describe
from sagemaker_sklearn_container.training.gpus import count_gpus
from sagemaker_sklearn_container.training.invocation import log_invocation, without_secrets
from sagemaker_sklearn_container.training.process import Stopped, Supervisor
from sagemaker_sklearn_container.training.report import Report
from sagemaker_sklearn_container.user_code import install, source

logger = logging.getLogger(__name__)


def main() -> None:
    """Run the training job that the platform describes, and exit with the exit code of the user's program.

    Source: contract T-01 to T-08.
    """
    supervisor = Supervisor()
    supervisor.install()
    log.configure(contract.DEFAULT_LOG_LEVEL)
    try:
        exit_code = run(os.environ, sys.path[1:], supervisor)
    except Stopped as exc:  # before there was anything to report about
        exit_code = exc.exit_code
    sys.exit(exit_code)


def run(environ: Mapping[str, str], import_path: Sequence[str], supervisor: Supervisor) -> int:
    """Run the training job and report how it ended.

    Args:
        environ: The container's environment.
        import_path: Where modules are found, for the program's PYTHONPATH.
        supervisor: Runs the commands.

    Returns:
        Exit code of the user's program; of the error if it could not be run.
    """
    report = Report(settings.paths(environ))
    # The report comes first: the platform may end the container before the last uploads are through.
    with ExitStack() as after_report:
        try:
            exit_code, reason = _run_program(
                configuration.read(environ), environ, import_path, supervisor, after_report
            )
        except ContainerError as exc:
            logger.error("%s", exc)
            exit_code, reason = exc.exit_code, str(exc)
        except Stopped as exc:
            logger.error("%s", exc)
            exit_code, reason = exc.exit_code, str(exc)
        except Exception as exc:
            # Not foreseen, so the frames are the best there is to say.
            logger.exception("Training could not be run")
            exit_code, reason = 1, f"{type(exc).__name__}: {exc}\n\n{traceback.format_exc()}"
        supervisor.finish()
        if exit_code == 0:
            report.success()
        else:
            report.failure(reason)
    return exit_code


def _run_program(
    config: TrainingConfig,
    environ: Mapping[str, str],
    import_path: Sequence[str],
    supervisor: Supervisor,
    after_report: ExitStack,
) -> tuple[int, str]:
    """Exit code of the user's program, and why it failed if it did."""
    log.configure(config.log_level)
    _make_result_directories(config.paths)
    # Before pip: what the user's requirements replace does not concern a process that has loaded its modules.
    uploader = intermediate.start(config.s3_output, config.paths, config.job_name, config.s3, environ, import_path)
    if uploader is not None:
        after_report.callback(uploader.finish)
    _fetch_code(config)
    install.install(config.paths.code, environ, supervisor.run_step)
    if config.wait_for_hosts:
        hosts.wait_for(config.hosts, config.hosts_timeout_s)
    cpus, gpus = available_cpus(), count_gpus()
    command = _command(config)
    variables = program_environment(config, environ, import_path, cpus, gpus)
    shown = without_secrets(config)
    shown_command = _command(shown)
    redacted_variables = sm_variables(shown, cpus, gpus)
    log_invocation(
        training_env(shown, cpus, gpus),
        {name: redacted_variables.get(name, value) for name, value in variables.items()},
        shlex.join(shown_command),
    )
    try:
        outcome = supervisor.run_program(
            command, config.paths.code, variables, signal_group=launch.is_shell_command(command)
        )
    except (OSError, ValueError) as exc:  # ValueError: text with a character that no argument can hold
        advice = (
            " The system limits each argument to 128 KiB; pass large values in files of a channel."
            if isinstance(exc, OSError) and exc.errno == errno.E2BIG
            else ""
        )
        raise ConfigurationError(
            f"Starting the program {config.program!r} in {config.paths.code} failed: {exc}.{advice}"
        ) from exc
    if outcome.exit_code == 0:
        return 0, ""
    return outcome.exit_code, describe(outcome.exit_code, outcome.error_tail, shown_command)


def _command(config: TrainingConfig) -> list[str]:
    return launch.command(config.program, command_line(config.hyperparameters), config.paths.code)


def _fetch_code(config: TrainingConfig) -> None:
    try:
        source.fetch(config.source, config.paths.code, config.s3)
    except OSError as exc:
        raise CodeSourceError(
            f"Copying the user code {redacted(config.source)} to {config.paths.code} failed: {exc}."
        ) from exc


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
