"""The gateway's side of a server of many models: the API that loads them, and who answers for which."""

from __future__ import annotations

import json
import logging
import os
import signal
import time
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Callable, Mapping

from sagemaker_sklearn_container import log
from sagemaker_sklearn_container.errors import RequestError
from sagemaker_sklearn_container.gateway import control
from sagemaker_sklearn_container.gateway.control import Message
from sagemaker_sklearn_container.gateway.limits import Limits
from sagemaker_sklearn_container.gateway.pool import Pool
from sagemaker_sklearn_container.gateway.request import HttpRequest
from sagemaker_sklearn_container.gateway.routes import Target
from sagemaker_sklearn_container.gateway.site import Gateway
from sagemaker_sklearn_container.gateway.worker_link import Lendable
from sagemaker_sklearn_container.multi_model import memory, requests, routes
from sagemaker_sklearn_container.multi_model.answers import answer
from sagemaker_sklearn_container.multi_model.errors import (
    BadRequestError,
    LoadFailedError,
    LoadTimeoutError,
    ModelConflictError,
    ModelNotFoundError,
    ModelUnavailableError,
    OutOfMemoryError,
    ServerFaultError,
)
from sagemaker_sklearn_container.multi_model.models import Model, Models, State, Worker
from sagemaker_sklearn_container.multi_model.specification import ModelSpecification
from sagemaker_sklearn_container.processes.channel import Channel
from sagemaker_sklearn_container.processes.supervisor import described
from sagemaker_sklearn_container.processes.tasks import INVOKE

logger = logging.getLogger(__name__)

_MIB = 1024 * 1024
# How long a model may take to load. The platform gives up earlier; a worker that hangs must not stay for ever.
_LOAD_S = 600.0
# How long an unloaded model's requests may still run, and how long its idle workers may take to end.
_DRAIN_S = 30.0
_END_S = 2.0
_LOOK_S = 0.005


class MultiModelSite:
    """One pool of workers for each model; the port is open from the start.

    Source: contract M-01 to M-23, M-30, M-31, M-37, M-40.
    """

    def __init__(self, gateway: Gateway, limits: Limits, default_accept: str, base: Path, workers: int) -> None:
        """A site without models.

        Args:
            gateway: What it can use.
            limits: What is allowed, for each model.
            default_accept: Media type of answers when the client asks for none.
            base: The platform's directory, in which all models are.
            workers: How many a model gets.
        """
        self._gateway = gateway
        self._limits = limits
        self._default_accept = default_accept.encode("latin-1", errors="replace")
        self._base = base
        self._workers = workers
        self._models = Models()
        self._pool_count = 0
        self._tasks: Mapping[int, Callable[[HttpRequest], None]] = {
            routes.PING: lambda request: answer(request, {"status": "Healthy"}),
            routes.LIST: self._list,
            routes.LOAD: self._load,
            routes.DESCRIBE: self._describe,
            routes.UNLOAD: self._unload,
            routes.SCALE: self._scale,
            routes.INVOKE_BY_QUERY: self._invoke_by_query,
            routes.EXECUTION_PARAMETERS: self._execution_parameters,
            INVOKE: self._invoke,
        }
        gateway.open_port()

    # The gateway

    def submit(self, request: HttpRequest) -> None:
        """Do what it asks for, or have a worker of the right model do it."""
        try:
            self._tasks[request.target.kind](request)
        except RequestError as error:
            self._refuse(request, error)
        except Exception as exc:
            logger.exception("Request %s failed", request.request_id.decode("ascii"))
            request.fail(ServerFaultError(f"The server failed at this request: {type(exc).__name__}: {exc}"))

    def lend(self, connection: Lendable, target: Target, client: str, url: bytes) -> bool:
        """To a worker of the model that the last request was for."""
        if target.kind != INVOKE:
            return False
        model = self._models.named(target.name)
        if model is None or model.state is not State.READY:
            return False
        return model.pool.lender.lend(connection, target, client, url)

    def recall(self) -> None:
        """From all workers of all models."""
        for model in self._models.all():
            model.pool.lender.recall()

    def worker_started(self, message: Message, channel: Channel) -> None:
        """For the first time, or in the place of another one."""
        model = self._models.of_pool(message.pool)
        if model is None:
            channel.close()
            return
        model.workers[message.worker] = Worker(message.number)
        ready = partial(self._worker_ready, model, message.worker)
        model.pool.worker_started(message.worker, channel, ready, partial(self._worker_failed, model))
        if model.state is State.FAILED:
            model.pool.worker_ended(message.worker)

    def told(self, message: Message) -> None:
        """A worker or the last of a pool has ended, or there will be none."""
        model = self._models.of_pool(message.pool)
        if model is None:
            return
        if message.what == control.WORKER_ENDED:
            self._worker_ended(model, message)
        elif message.what == control.POOL_ENDED:
            self._pool_ended(model)
        elif message.what == control.GIVEN_UP:
            model.given_up = True
            if model.state is State.LOADING:
                self._loading_failed(model, OutOfMemoryError("There is no room for another process in the container."))
                return
            if not model.ready_workers:
                model.pool.dispatcher.fail_waiting(self._no_worker(model))
            self._look_at_scaling(model)

    # Requests

    def _list(self, request: HttpRequest) -> None:
        page = requests.page(request.target.query)
        models = self._models.listed()
        end = page.start + page.limit
        shown = [{"modelName": model.name, "modelUrl": model.url} for model in models[page.start : end]]
        content: dict[str, object] = {"models": shown}
        if end < len(models):
            content["nextPageToken"] = str(end)
        answer(request, content)

    def _describe(self, request: HttpRequest) -> None:
        model = self._existing(request.target.name)
        workers = [
            {
                "id": str(number),
                "startTime": datetime.fromtimestamp(worker.started, timezone.utc).isoformat(timespec="milliseconds"),
                "status": "READY" if worker.ready else "LOADING",
                "gpu": False,
                "memoryUsage": memory.used_by(worker.pid) or 0,
                "pid": worker.pid,
            }
            for number, worker in sorted(model.workers.items())
        ]
        content = {
            "modelName": model.name,
            "modelUrl": model.url,
            "minWorkers": model.wanted,
            "maxWorkers": model.wanted,
            "batchSize": 1,
            "maxBatchDelay": 0,
            "status": model.state.value,
            "workers": workers,
        }
        answer(request, content)

    def _load(self, request: HttpRequest) -> None:
        wanted = requests.load_request(request, self._base)
        present = self._models.named(wanted.name)
        if present is not None and present.exists:
            raise ModelConflictError(f"Model {wanted.name} is already registered.")
        if present is not None:  # whether the name will be free shows when that is over
            present.waiting.append(request)
            return
        needed = memory.size_of(Path(wanted.url)) + memory.RESERVE_BYTES
        left = memory.available()
        if needed > left:
            raise OutOfMemoryError(
                f"Loading the model {wanted.name}: its files and a process take at least {needed // _MIB} MiB, and "
                f"{left // _MIB} MiB of the container's memory are left. Unload other models, or use a larger instance."
            )
        self._pool_count += 1
        pool = Pool(self._pool_count, self._gateway.loop, self._limits, self._default_accept, self._gateway.tell)
        model = Model(wanted.name, wanted.url, pool, self._workers, causes=[request])
        self._models.add(model)
        specification = ModelSpecification(wanted.name, wanted.url, left)
        self._gateway.tell(Message(control.NEW_POOL, pool.number, 0, model.wanted, specification.packed()))
        model.limit = self._gateway.loop.call_later(_LOAD_S, self._give_up_loading, model)
        logger.info("Loading the model %s from %s", log.printable(wanted.name), log.printable(wanted.url))

    def _unload(self, request: HttpRequest) -> None:
        model = self._existing(request.target.name)
        if model.state is State.UNLOADING:
            model.waiting.append(request)
            return
        logger.info("Unloading the model %s", log.printable(model.name))
        for cause in model.causes:  # workers that were asked for and will not come
            self._refuse(cause, ModelUnavailableError(f"The model {model.name} is being unloaded."))
        model.state = State.UNLOADING
        model.causes = [request]
        self._drain(model, time.monotonic() + _DRAIN_S)

    def _scale(self, request: HttpRequest) -> None:
        model = self._existing(request.target.name)
        if model.state is State.UNLOADING:
            raise ModelUnavailableError(f"The model {model.name} is being unloaded.")
        wanted = requests.scale_request(request.target.query, model.wanted)
        if wanted.workers != model.wanted:
            model.wanted = wanted.workers
            model.given_up = False
            self._gateway.tell(Message(control.RESIZE, model.pool.number, 0, model.wanted))
            self._shrink(model)
        if wanted.synchronous:
            model.causes.append(request)
            self._look_at_scaling(model)
        else:
            answer(request, {"status": "Processing worker updates..."}, 202)

    def _invoke(self, request: HttpRequest) -> None:
        model = self._existing(request.target.name)
        if model.state is State.UNLOADING:
            raise ModelUnavailableError(f"The model {model.name} is being unloaded.")
        if model.wanted == 0 or (model.given_up and not model.ready_workers):
            raise self._no_worker(model)
        model.pool.dispatcher.submit(request)

    def _invoke_by_query(self, request: HttpRequest) -> None:
        name = requests.query_fields(request.target.query).get("model_name")
        if not name:
            raise BadRequestError("Parameter model_name is required.")
        request.target = request.target._replace(kind=INVOKE, name=name)
        self._invoke(request)

    def _execution_parameters(self, request: HttpRequest) -> None:
        limit = self._limits.max_body_bytes
        answer(
            request,
            {
                "MaxConcurrentTransforms": 1,
                "BatchStrategy": "MULTI_RECORD",
                # To the platform 0 means no limit.
                "MaxPayloadInMB": 0 if limit is None else max(1, limit // _MIB),
            },
        )

    def _existing(self, name: str) -> Model:
        model = self._models.named(name)
        if model is None or not model.exists:
            raise ModelNotFoundError(f"Model not found: {name}")
        return model

    @staticmethod
    def _no_worker(model: Model) -> ModelUnavailableError:
        return ModelUnavailableError(f"The model {model.name} has no worker; load it again, or give it workers.")

    @staticmethod
    def _refuse(request: HttpRequest, error: RequestError) -> None:
        request_id = request.request_id.decode("ascii")
        logger.warning("Request %s: %d %s: %s", request_id, error.status, error.kind, log.printable(str(error)))
        request.fail(error)

    # Loading

    def _worker_ready(self, model: Model, number: int) -> None:
        model.workers[number].ready = True
        if model.state is State.LOADING and model.ready_workers == model.wanted:
            model.loaded_or_not(State.READY)
            logger.info("Loaded the model %s", log.printable(model.name))
            self._settle(model, None)
        else:
            self._look_at_scaling(model)

    def _worker_failed(self, model: Model, why: bytes) -> None:
        told = json.loads(why)
        error = LoadFailedError(int(told["status"]), str(told["kind"]), str(told["message"]))
        if model.state is State.LOADING:
            self._loading_failed(model, error)
        else:
            logger.error(
                "A new worker of the model %s could not load it: %s: %s", log.printable(model.name), error.kind, error
            )

    def _loading_failed(self, model: Model, error: RequestError) -> None:
        logger.error(
            "Loading the model %s failed: %d %s: %s", log.printable(model.name), error.status, error.kind, error
        )
        model.loaded_or_not(State.FAILED)
        for cause in model.causes:
            cause.fail(error)
        model.causes.clear()
        model.pool.end(error)
        self._kill_later(model)

    def _give_up_loading(self, model: Model) -> None:
        if model.state is State.LOADING:
            self._loading_failed(model, LoadTimeoutError(f"The model was not loaded within {_LOAD_S:g} s."))

    def _worker_ended(self, model: Model, message: Message) -> None:
        status = message.number
        model.pool.worker_ended(message.worker)  # what it has said before its end still counts
        ended = model.workers.pop(message.worker, None)
        if model.state is State.LOADING and ended is not None and not ended.ready:
            how = f"The process that loaded the model ended: {described(status)}."
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:  # as the kernel does without memory
                self._loading_failed(model, OutOfMemoryError(how))
            else:
                self._loading_failed(model, LoadFailedError(500, "WorkerLostError", how))
        else:
            self._look_at_scaling(model)

    def _settle(self, model: Model, error: RequestError | None) -> None:
        """Answer those that wait for the model's workers, and look at those that had to wait for that."""
        causes, model.causes = model.causes, []
        waiting, model.waiting = model.waiting, []
        for request in causes:
            if error is None:
                answer(request, {"status": "Workers scaled"})
            else:
                self._refuse(request, error)
        for request in waiting:
            self.submit(request)

    # Scaling

    def _look_at_scaling(self, model: Model) -> None:
        if model.state is not State.READY or not model.causes:
            return
        if len(model.workers) == model.ready_workers == model.wanted:
            self._settle(model, None)
        elif model.given_up:
            self._settle(model, ModelUnavailableError(f"The workers of the model {model.name} end when they start."))

    def _shrink(self, model: Model) -> None:
        """Let go of workers that are too many, those that are idle first; the others when they are."""
        links = model.pool.links
        if model.state is not State.READY or len(links) <= model.wanted:
            return
        model.pool.lender.recall()
        for link in list(links.values()):
            if len(links) > model.wanted and link.idle:
                link.end(ModelUnavailableError(f"The model {model.name} has fewer workers now."))
                model.pool.forget(link)
        self._gateway.loop.call_later(_LOOK_S, self._shrink, model)

    # Unloading

    def _drain(self, model: Model, until: float) -> None:
        """Wait for requests that the model still has; there are no new ones."""
        if model.state is not State.UNLOADING:
            return
        model.pool.lender.recall()
        busy = model.pool.dispatcher.waiting or not all(link.idle for link in model.pool.links.values())
        if busy and time.monotonic() < until:
            self._gateway.loop.call_later(_LOOK_S, self._drain, model, until)
            return
        error = ModelUnavailableError(f"The model {model.name} is being unloaded.")
        model.pool.dispatcher.fail_waiting(error)
        model.pool.end(error)
        self._kill_later(model)

    def _kill_later(self, model: Model) -> None:
        """Workers that are let go of end by themselves, unless they compute or user code keeps them."""
        self._gateway.loop.call_later(_END_S, self._kill, model)

    def _kill(self, model: Model) -> None:
        if self._models.of_pool(model.pool.number) is model:
            for number in model.workers:
                self._gateway.tell(Message(control.KILL, model.pool.number, number))

    def _pool_ended(self, model: Model) -> None:
        """The processes are gone, and with them their memory."""
        self._models.remove(model)
        causes, model.causes = model.causes, []
        waiting, model.waiting = model.waiting, []
        for request in causes:
            answer(request, {"status": f'Model "{model.name}" unregistered'})
        for request in waiting:
            self.submit(request)
