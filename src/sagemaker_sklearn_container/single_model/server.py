"""The server processes around the application: gunicorn with one request at a time per worker."""

from __future__ import annotations

import gc
import logging
import os
import tempfile
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.serving.config import ServingConfig
from sagemaker_sklearn_container.single_model.app import Application
from sagemaker_sklearn_container.single_model.timeout import InvocationTimeout

# Leaves time to kill what does not stop, before the platform kills everything.
GRACEFUL_STOP_S = contract.STOP_WINDOW_S - 5
_SHARED_MEMORY = "/dev/shm"


class AccessLog(Logger):  # type: ignore[misc]
    """gunicorn's log without the platform's health checks, one every five seconds.

    Source: contract S-15, S-16.
    """

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Log one request, unless it is a ping that went well."""
        if environ.get("PATH_INFO") != "/ping" or not str(resp.status).startswith("200"):
            super().access(resp, req, environ, request_time)


class Server(BaseApplication):  # type: ignore[misc]
    """A gunicorn server for an application that is built, and whose model is loaded, before any worker is forked.

    Workers share the memory of the model. The port opens when everything is ready. SIGTERM lets the workers finish
    their requests and ends the process with exit code 0.

    Source: contract S-01, S-03, S-04, S-07, S-10 to S-12, L-06.
    """

    def __init__(self, application: Application, config: ServingConfig) -> None:
        """A server that has not started; `run` does, and ends the process when told to stop."""
        self._application = application
        self._config = config
        super().__init__()

    def load_config(self) -> None:
        """Take the settings from the serving configuration; gunicorn's own files and variables are not read."""
        for name, value in settings(self._config).items():
            self.cfg.set(name, value)

    def load(self) -> Application:
        """The application."""
        return self._application


def settings(config: ServingConfig) -> dict[str, Any]:
    """gunicorn's settings for a serving configuration."""
    return {
        "bind": [f"0.0.0.0:{config.port}"],
        "workers": config.workers,
        # Sync workers take a request only when idle, and run user code in one thread (S-12).
        "worker_class": "sync",
        "timeout": config.timeout_s,
        "graceful_timeout": GRACEFUL_STOP_S,
        # The heartbeat files: memory if there is such a place, else the one directory that is always writable.
        "worker_tmp_dir": _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else tempfile.gettempdir(),
        "accesslog": "-",
        "errorlog": "-",
        "loglevel": logging.getLevelName(config.log_level).lower() if config.log_level in _NAMED_LEVELS else "info",
        "logger_class": AccessLog,
        "proc_name": "serve",
        "when_ready": _freeze,
        "worker_abort": _abort,
    }


_NAMED_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)


def _freeze(arbiter: Any) -> None:
    """Keep the garbage collector off what was loaded so far: writing its marks would unshare the pages."""
    gc.collect()
    gc.freeze()


def _abort(worker: Any) -> None:
    """Called in a worker whose request has run out of time, a second before the worker is killed."""
    raise InvocationTimeout(
        f"The request took longer than {worker.cfg.timeout} s, the limit set by {contract.MODEL_SERVER_TIMEOUT}."
    )
