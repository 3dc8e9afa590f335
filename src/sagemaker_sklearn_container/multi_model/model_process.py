"""A worker of one model: a process that loads it, and answers requests."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from sagemaker_sklearn_container import commands, contract, log
from sagemaker_sklearn_container.errors import ContainerError
from sagemaker_sklearn_container.gateway.limits import Limits
from sagemaker_sklearn_container.multi_model import answers, memory
from sagemaker_sklearn_container.multi_model.output import name_lines
from sagemaker_sklearn_container.multi_model.specification import ModelSpecification
from sagemaker_sklearn_container.processes import messages, worker
from sagemaker_sklearn_container.processes.application import Application
from sagemaker_sklearn_container.processes.channel import Channel
from sagemaker_sklearn_container.user_code import handlers, install, loader
from sagemaker_sklearn_container.user_code.handlers import Handlers

logger = logging.getLogger(__name__)

_OUT_OF_MEMORY = 507
_FAILED = 500
# Leaves room in the packet, and in the client's log.
_LONGEST_MESSAGE = 8000


@dataclass(frozen=True)
class ModelProcess:
    """What all models of a server have in common.

    Attributes:
        functions: Those of the script that serves all models without code of their own, or the defaults.
        code_dir: The script's directory; None if there is no such script.
        program: Name of the script in a model's own code.
        limits: What is allowed.
        default_accept: Media type of answers when the client asks for none.
    """

    functions: Handlers
    code_dir: Path | None
    program: str
    limits: Limits
    default_accept: str

    def run(self, channel: Channel, specification: ModelSpecification) -> None:
        """Load the model, say so, and answer requests until the gateway closes the channel.

        Source: contract M-05, M-07, M-08, M-31, M-34, M-38.
        """
        log.name_model(specification.name)
        name_lines(specification.name)
        with contextlib.ExitStack() as stack:
            try:
                os.chdir(specification.url)
                functions, model = self._load(specification, stack)
            except MemoryError as exc:
                logger.error("There is no memory for the model: %s", exc)
                _fail(channel, _OUT_OF_MEMORY, exc)
                return
            except ContainerError as exc:
                logger.error("Loading the model failed: %s", exc)
                _fail(channel, _FAILED, exc)
                return
            except BaseException as exc:  # a script may call sys.exit
                logger.exception("Loading the model failed: the user's code raised an exception")
                _fail(channel, _FAILED, exc)
                return
            application = Application(functions, model, None, answers.error_body, answers.HEADERS, _OUT_OF_MEMORY)
            worker.run(channel, application.answer, self.limits, self.default_accept, close_on_error=True)

    def _load(self, specification: ModelSpecification, stack: contextlib.ExitStack) -> tuple[Handlers, Any]:
        with memory.limited(specification.memory_bytes):
            code_dir = os.path.join(specification.url, "code")
            module = self._own_module(Path(code_dir), stack) if os.path.isdir(code_dir) else None
            functions = self.functions if module is None else handlers.resolve(module)
            return functions, functions.load(specification.url, specification.name)

    def _own_module(self, code_dir: Path, stack: contextlib.ExitStack) -> ModuleType | None:
        """The model's own script, with its requirements, which go with `stack`; None if it has none (M-34)."""
        own = code_dir if loader.script_path(code_dir, self.program) is not None else None
        if (code_dir / contract.REQUIREMENTS_FILE).is_file():
            # To a directory of this process alone: another model may need another version.
            packages = stack.enter_context(tempfile.TemporaryDirectory(prefix="model-"))
            install.install_to(Path(packages), code_dir, os.environ, commands.run)
            sys.path.insert(0, packages)
        if own is None:
            return None
        if self.code_dir is not None:
            loader.forget(self.code_dir)
        return loader.load(own, self.program)


def _fail(channel: Channel, status: int, error: BaseException) -> None:
    try:
        message = str(error)
    except Exception as exc:  # an exception class of the user's
        message = f"(its text cannot be had: {type(exc).__name__})"
    told = {"status": status, "kind": type(error).__name__, "message": message[:_LONGEST_MESSAGE]}
    channel.send(messages.FAILED + json.dumps(told).encode("ascii"))
