"""The commands `train` and `serve`: call the entry point that the environment names, by default our own."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import traceback
from types import FrameType
from typing import Callable, NoReturn

from sagemaker_sklearn_container import contract, log, settings
from sagemaker_sklearn_container.errors import ConfigurationError


def train() -> None:
    """Run a training job and exit with its exit code.

    A training module of the user's own is called without arguments; returning is success, raising is failure.

    Source: contract T-01, T-02, T-54.
    """
    # First of all: as PID 1 a process without a handler cannot be stopped. Training has a better one.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    name = settings.text(os.environ, contract.TRAINING_MODULE) or contract.OWN_TRAINING_MODULE
    if name == contract.OWN_TRAINING_MODULE:
        from sagemaker_sklearn_container.training import main

        main()
        return
    from sagemaker_sklearn_container.training.report import Report

    log.configure(contract.DEFAULT_LOG_LEVEL)
    report = Report(settings.paths(os.environ))
    exit_code, reason = _call(name)
    if exit_code == 0:
        report.success()
    else:
        report.failure(reason)
    sys.exit(exit_code)


def _call(name: str) -> tuple[int, str]:
    """Call the user's own training function: exit code, and why it failed if it did."""
    try:
        _entry_point(name, contract.TRAINING_MODULE)()
    except ConfigurationError as exc:
        logging.getLogger(__name__).error("%s", exc)
        return exc.exit_code, str(exc)
    except SystemExit as exc:
        if exc.code is None or isinstance(exc.code, int):
            return exc.code or 0, f"{name} ended with exit code {exc.code}."
        print(exc.code, file=sys.stderr)
        return 1, str(exc.code)
    except Exception as exc:
        traceback.print_exc()
        return 1, f"{type(exc).__name__}: {exc}\n\n{traceback.format_exc()}"
    return 0, ""


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def serve() -> None:
    """Serve until told to stop.

    Source: contract L-01, L-09.
    """
    name = settings.text(os.environ, contract.SERVING_MODULE) or contract.OWN_SERVING_MODULE
    if name == contract.OWN_SERVING_MODULE:
        from sagemaker_sklearn_container.serving import main

        main()
        return
    log.configure(contract.DEFAULT_LOG_LEVEL)
    try:
        function = _entry_point(name, contract.SERVING_MODULE)
    except ConfigurationError as exc:
        logging.getLogger(__name__).error("%s", exc)
        sys.exit(exc.exit_code)
    function()


def _entry_point(name: str, variable: str) -> Callable[[], object]:
    """The function that `module:function` names.

    An ImportError from inside the named module is left as it is.
    """
    module_name, colon, function_name = name.partition(":")
    if not (module_name and colon and function_name):
        raise ConfigurationError(
            f"The environment variable {variable} is {name!r}; it must have the form module:function."
        )
    function = getattr(importlib.import_module(module_name), function_name, None)
    if not callable(function):
        raise ConfigurationError(
            f"The environment variable {variable} is {name!r}, but {module_name} has no function {function_name}."
        )
    entry_point: Callable[[], object] = function
    return entry_point
