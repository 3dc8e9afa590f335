"""Start-up of the serving container: choose the kind of server, load the user's code and model, serve."""

from __future__ import annotations

import logging
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from sagemaker_sklearn_container import contract, log
from sagemaker_sklearn_container.cpus import available_cpus
from sagemaker_sklearn_container.errors import ContainerError
from sagemaker_sklearn_container.serving import config as configuration
from sagemaker_sklearn_container.serving.config import ServingConfig
from sagemaker_sklearn_container.serving.libraries import extract_features_without_pools
from sagemaker_sklearn_container.serving.threads import thread_limits

logger = logging.getLogger(__name__)


class Stopped(BaseException):
    """SIGTERM came before the server was up; no SystemExit, which a script may raise as well."""


def main() -> None:
    """Serve until SIGTERM, then exit with 0; exit with another code if serving cannot start.

    Source: contract S-01 to S-07.
    """
    # As PID 1 a process without a handler cannot be stopped, and loading a model can take minutes.
    signal.signal(signal.SIGTERM, _stop_before_serving)
    log.configure(contract.DEFAULT_LOG_LEVEL)
    try:
        cpus = available_cpus()
        config = configuration.read(os.environ, cpus)
        log.configure(config.log_level)
        # Of many models each process has one thread: there are more of them than processors (M-38).
        processes = max(config.workers, cpus) if config.multi_model else config.workers
        os.environ.update(thread_limits(os.environ, processes, cpus))
        extract_features_without_pools()
        sys.dont_write_bytecode = True  # the code directory may be the user's own (K-10), or read-only (U-08)
        _serve(config)
    except ContainerError as exc:
        logger.error("Serving cannot start: %s", exc)
        sys.exit(exc.exit_code)
    except Stopped:
        sys.exit(0)
    except (Exception, SystemExit):  # whatever the script exits with, there is no server (S-06)
        logger.exception("Serving cannot start: the user's code or model raised an exception")
        sys.exit(1)


def _serve(config: ServingConfig) -> None:
    # Imported here, not at the top: numpy reads the thread limits when it is loaded.
    if config.multi_model:
        from sagemaker_sklearn_container.multi_model.start import serve
    else:
        from sagemaker_sklearn_container.single_model.start import serve

    _exit(serve(config))


def _exit(code: int) -> NoReturn:
    """End the process, without waiting for threads that the user's code may have started."""
    sys.stdout.flush()
    logging.shutdown()
    os._exit(code)


def _stop_before_serving(number: int, frame: FrameType | None) -> NoReturn:
    raise Stopped
