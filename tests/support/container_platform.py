"""The platform as it is: each command is a container of an image, started as SageMaker starts it."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from pathlib import Path
from typing import Any, Callable, Mapping, Sequence

import requests
from docker.models.containers import Container
from docker.models.networks import Network

from tests.support.engine import Image
from tests.support.platform import (
    START_TIMEOUT_S,
    TRAINING_TIMEOUT_S,
    FailedStart,
    MlTree,
    Platform,
    Server,
    Together,
    TrainingResult,
    TrainingRun,
)

_POLL_S = 0.05
_STOP_TIMEOUT_S = 35
# What the platform gives a training job that it stops (contract T-08).
_PLATFORM_PATIENCE_S = 120
_PORT = "8080"
_FIRST_OF_TOGETHER = 9001
_SERVING = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}


class ContainerPlatform(Platform):
    """Runs `docker run IMAGE train` and `docker run IMAGE serve`, the tree mounted at /opt/ml."""

    abuse_requests = 2_000

    def __init__(
        self,
        image: Image,
        scratch: Path,
        *,
        base_dir: str = "/opt/ml",
        unwritable: Sequence[str] = (),
        **options: Any,
    ) -> None:
        """A platform that runs `image`, with trees below the directory `scratch`.

        Args:
            image: What to run.
            scratch: Directory on this machine.
            base_dir: Where containers see a tree.
            unwritable: Paths below a tree that containers can only read.
            options: Of every container, as docker-py names them.
        """
        self._base_dir = base_dir
        self._unwritable = unwritable
        self._image = image
        self._scratch = scratch
        self._options = options
        self._containers: list[Container] = []
        self._network: Network | None = None
        self._count = 0

    def close(self) -> None:
        """Remove every container that was started, and their network."""
        for container in self._containers:
            container.remove(force=True, v=True)
        if self._network is not None:
            self._network.remove()

    def tree(self) -> MlTree:
        self._count += 1
        root = self._scratch / f"ml-{self._count}"
        root.mkdir()
        return MlTree(root, self._base_dir)

    def hosts(self, count: int) -> list[str]:
        self._network = self._image.client.networks.create(f"tests-{uuid.uuid4().hex}")
        return [f"algo-{number}" for number in range(1, count + 1)]

    def start_training(
        self, tree: MlTree, environ: Mapping[str, str] | None = None, *, host: str = "", loopback: bool = False
    ) -> TrainingRun:
        # A container that shares the machine's network sees its loopback interface.
        options = {"network_mode": "host"} if loopback else {}
        container = self._create("train", tree, environ or {}, **options)
        if host:
            assert self._network is not None, "name the hosts by hosts() first"
            self._network.connect(container, aliases=[host])
        output = _Output(container)
        container.start()
        return _ContainerTrainingRun(tree, container, output)

    def serve(self, tree: MlTree, environ: Mapping[str, str] | None = None, *, loopback: bool = False) -> Server:
        if loopback:
            port = _free_port()
            variables = {"SAGEMAKER_BIND_TO_PORT": port, **_SERVING, **(environ or {})}
            container = self._start("serve", tree, variables, network_mode="host")
            server = _ContainerServer(container, f"http://127.0.0.1:{port}")
        else:
            variables = {**_SERVING, **(environ or {})}
            port = variables.get("SAGEMAKER_BIND_TO_PORT", _PORT)
            container = self._start("serve", tree, variables, [port])
            server = _ContainerServer(container, _published(container, port))
        server.wait_until_healthy()
        return server

    def serve_together(self, *containers: tuple[MlTree, Mapping[str, str]]) -> Together:
        # The first one's network is that of all, and the ports of all are published with it.
        ports = [_FIRST_OF_TOGETHER + number for number in range(len(containers))]
        common = {**_SERVING, "SAGEMAKER_SAFE_PORT_RANGE": f"{ports[0]}-{ports[-1]}"}
        servers: list[_ContainerServer] = []
        for (tree, environ), port in zip(containers, ports):
            variables = {**common, "SAGEMAKER_BIND_TO_PORT": str(port), **environ}
            if not servers:
                first = container = self._start("serve", tree, variables, list(map(str, ports)))
            else:
                container = self._start("serve", tree, variables, network_mode=f"container:{first.id}")
            servers.append(_ContainerServer(container, _published(first, str(port))))
        for server in servers:
            server.wait_until_healthy()
        return Together([*servers], ports)

    def fail_to_serve(self, tree: MlTree, environ: Mapping[str, str] | None = None) -> FailedStart:
        container = self._start("serve", tree, environ or {})
        exit_code = int(container.wait(timeout=START_TIMEOUT_S)["StatusCode"])
        return FailedStart(exit_code, container.logs().decode("utf-8", errors="replace"))

    def _start(
        self, command: str, tree: MlTree, environ: Mapping[str, str], ports: Sequence[str] = (), **options: Any
    ) -> Container:
        container = self._create(command, tree, environ, ports, **options)
        container.start()
        return container

    def _create(
        self, command: str, tree: MlTree, environ: Mapping[str, str], ports: Sequence[str] = (), **options: Any
    ) -> Container:
        container = self._image.client.containers.create(
            self._image.id,
            command,
            environment=dict(environ),
            volumes=[
                f"{tree.root}:{tree.base_dir}",
                *(f"{tree.root}/{path}:{tree.inside(path)}:ro" for path in self._unwritable),
            ],
            # Free ports of this machine's loopback interface only.
            ports={f"{port}/tcp": ("127.0.0.1", None) for port in ports},
            **{**self._options, **options},
        )
        self._containers.append(container)
        return container


class _Output:
    """What a container writes, byte for byte: the engine's log files hold text, and break long lines."""

    def __init__(self, container: Container) -> None:
        """Collect the output of a container that has not started yet."""
        self.stdout = bytearray()
        self.stderr = bytearray()
        self._chunks = container.attach(stream=True, demux=True)
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()

    def finish(self) -> None:
        """Wait until both streams have ended, as they do with the container."""
        self._reader.join(_STOP_TIMEOUT_S)
        assert not self._reader.is_alive(), "the container ended, but its output did not"

    def _collect(self) -> None:
        for out, err in self._chunks:
            self.stdout += out or b""
            self.stderr += err or b""


class _ContainerTrainingRun(TrainingRun):
    def __init__(self, tree: MlTree, container: Container, output: _Output) -> None:
        self._tree, self._container, self._output = tree, container, output

    def wait_for_output(self, text: bytes) -> None:
        def seen() -> bool:
            self._container.reload()
            ended = self._container.status == "exited"
            output = bytes(self._output.stdout + self._output.stderr)
            assert text in output or not ended, f"train ended without {text!r}:\n{output.decode(errors='replace')}"
            return text in output

        _wait_until(seen, START_TIMEOUT_S, f"output {text!r}")

    def terminate(self) -> None:
        # `docker stop -t 120` sends SIGTERM, and SIGKILL when that time is over; it returns with the end only.
        threading.Thread(target=self._container.stop, kwargs={"timeout": _PLATFORM_PATIENCE_S}, daemon=True).start()

    def wait(self) -> TrainingResult:
        exit_code = int(self._container.wait(timeout=TRAINING_TIMEOUT_S)["StatusCode"])
        self._output.finish()
        output = self._tree.root / "output"
        failure = output / "failure"
        return TrainingResult(
            exit_code=exit_code,
            stdout=bytes(self._output.stdout),
            stderr=bytes(self._output.stderr),
            failure=failure.read_text(encoding="utf-8") if failure.exists() else None,
            succeeded=(output / "success").exists(),
            model_dir=self._tree.root / "model",
        )


class _ContainerServer(Server):
    def __init__(self, container: Container, base_url: str) -> None:
        self._container = container
        self.base_url = base_url

    def wait_until_healthy(self) -> None:
        """Wait for the first 200 answer to a ping."""

        def healthy() -> bool:
            self._container.reload()
            assert self._container.status != "exited", f"serve ended:\n{self.logs()}"
            try:
                return bool(requests.get(f"{self.base_url}/ping", timeout=2).status_code == 200)
            except requests.RequestException:
                return False

        _wait_until(healthy, START_TIMEOUT_S, "a healthy server")

    def terminate(self) -> None:
        self._container.kill(signal="SIGTERM")

    def stop(self) -> int:
        self._container.reload()
        if self._container.status != "exited":
            self._container.stop(timeout=_STOP_TIMEOUT_S)
        return int(self._container.wait(timeout=_STOP_TIMEOUT_S)["StatusCode"])

    def logs(self) -> str:
        return str(self._container.logs().decode("utf-8", errors="replace"))


def _published(container: Container, port: str) -> str:
    """Where this machine reaches a port of a container that runs."""

    def known() -> bool:
        container.reload()
        logs = container.logs().decode("utf-8", errors="replace") if container.status == "exited" else ""
        assert container.status != "exited", f"serve ended:\n{logs}"
        return bool(container.ports.get(f"{port}/tcp"))

    _wait_until(known, START_TIMEOUT_S, f"port {port} to be published")
    return f"http://127.0.0.1:{container.ports[f'{port}/tcp'][0]['HostPort']}"


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def _wait_until(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s} s for {what}"
        time.sleep(_POLL_S)
