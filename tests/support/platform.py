"""The platform as the contract tests see it: something that runs `train` and `serve` on a tree of files.

Cases are written against these classes only. A tree lies on the host; the program under test sees it at another place,
so scripts and settings name files through `SM_*` variables or `MlTree.inside`, never by host path.
"""

from __future__ import annotations

import io
import json
import tarfile
import time
from abc import ABC, abstractmethod
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Mapping

_POLL_S = 0.02
TRAINING_TIMEOUT_S = 120.0
START_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class MlTree:
    """The directory tree that the platform mounts.

    Attributes:
        root: Where it lies on the host.
        base_dir: Where the program under test sees it, such as /opt/ml.
    """

    root: Path
    base_dir: str

    def inside(self, path: str) -> str:
        """`path` below the tree as the program under test sees it."""
        return f"{self.base_dir}/{path}"

    def write(self, path: str, content: str | bytes) -> Path:
        """A file below the tree, directories included."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return target

    def write_archive(self, path: str, files: Mapping[str, str]) -> None:
        """A tar.gz below the tree, with the given text files."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(content.encode("utf-8"))
                tar.addfile(info, io.BytesIO(content.encode("utf-8")))
        self.write(path, buffer.getvalue())

    def code(self, **files: str) -> None:
        """User code: keyword `train` is the text of code/train.py."""
        for name, content in files.items():
            self.write(f"code/{name}.py", content)

    def package(self, name: str, **modules: str) -> None:
        """User code with a setup.py that installs package `name` with the given modules."""
        self.write("code/setup.py", f"from setuptools import setup\nsetup(name={name!r}, packages=[{name!r}])\n")
        self.write(f"code/{name}/__init__.py", "")
        for module, content in modules.items():
            self.write(f"code/{name}/{module}.py", content)

    def hyperparameters(self, **values: Any) -> None:
        """hyperparameters.json as the SDK writes it: every value is the JSON text of the value."""
        self.raw_hyperparameters({name: json.dumps(value) for name, value in values.items()})

    def raw_hyperparameters(self, values: Mapping[str, Any]) -> None:
        """hyperparameters.json with exactly these values."""
        self.write("input/config/hyperparameters.json", json.dumps(values))

    def channel(self, name: str, *, mode: str = "File", **files: str | bytes) -> None:
        """A channel with data files (`iris_csv` is iris.csv), added to inputdataconfig.json.

        A channel of mode Pipe has no directory; its pipes are the caller's.
        """
        config_path = self.root / "input/config/inputdataconfig.json"
        config = json.loads(config_path.read_text()) if config_path.exists() else {}
        config[name] = {"TrainingInputMode": mode, "S3DistributionType": "FullyReplicated"}
        self.write("input/config/inputdataconfig.json", json.dumps(config))
        (self.root / "input/data" / (name if mode != "Pipe" else "")).mkdir(parents=True, exist_ok=True)
        for file_name, content in files.items():
            self.write(f"input/data/{name}/{file_name.replace('_', '.')}", content)

    def resources(self, **values: Any) -> None:
        """resourceconfig.json."""
        self.write("input/config/resourceconfig.json", json.dumps(values))


@dataclass(frozen=True)
class TrainingResult:
    """How a training job ended.

    Attributes:
        exit_code: Of `train`.
        stdout: Bytes, as the container wrote them.
        stderr: Bytes; a platform that cannot tell the streams apart gives the same bytes for both.
        failure: Text of output/failure, None if there is no such file.
        succeeded: Whether output/success exists.
        model_dir: The model directory, on the host.
    """

    exit_code: int
    stdout: bytes
    stderr: bytes
    failure: str | None
    succeeded: bool
    model_dir: Path


class TrainingRun(ABC):
    """A training job that runs."""

    @abstractmethod
    def wait_for_output(self, text: bytes) -> None:
        """Return once the container's output contains `text`; fail if it ends or takes too long before that."""

    @abstractmethod
    def terminate(self) -> None:
        """Send SIGTERM, as the platform does to stop a job."""

    @abstractmethod
    def wait(self) -> TrainingResult:
        """Wait for the end."""


class Server(ABC):
    """A serving container; leaving the context ends it if it still runs."""

    base_url: str

    def __enter__(self) -> Server:
        """The server, answering pings."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self.stop()

    @abstractmethod
    def terminate(self) -> None:
        """Send SIGTERM and return at once."""

    @abstractmethod
    def stop(self) -> int:
        """Send SIGTERM if it still runs, wait for the end, and give the exit code."""

    @abstractmethod
    def logs(self) -> str:
        """Everything the container wrote, as far as the platform has it: it may lag behind an answer."""

    def wait_for_log(self, text: str) -> str:
        """Return the log once it contains `text`; fail if that takes too long."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while text not in self.logs():
            assert time.monotonic() < deadline, f"waited {START_TIMEOUT_S} s for {text!r} in the log:\n{self.logs()}"
            time.sleep(_POLL_S)
        return self.logs()


@dataclass(frozen=True)
class Together:
    """Serving containers on one host; leaving the context ends them.

    Attributes:
        servers: Each answers pings.
        ports: What each was told to listen on, as the host of all sees it.
    """

    servers: list[Server]
    ports: list[int]

    def __enter__(self) -> Together:
        """The servers."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the servers."""
        with ExitStack() as stack:
            for server in self.servers:
                stack.enter_context(server)


@dataclass(frozen=True)
class FailedStart:
    """A serving container that ended by itself: exit code and everything it wrote."""

    exit_code: int
    logs: str


class Platform(ABC):
    """Runs the product's commands.

    Attributes:
        abuse_requests: How many bad requests a server of this platform is sent where the number is what matters.
    """

    abuse_requests: int

    @abstractmethod
    def tree(self) -> MlTree:
        """A new, empty tree."""

    @abstractmethod
    def hosts(self, count: int) -> list[str]:
        """Names of that many hosts which reach each other, for `start_training`."""

    @abstractmethod
    def start_training(
        self, tree: MlTree, environ: Mapping[str, str] | None = None, *, host: str = "", loopback: bool = False
    ) -> TrainingRun:
        """Start `train` on `tree`.

        Args:
            tree: What the platform mounts.
            environ: Additional environment variables.
            host: Which of `hosts` it runs on, if there are several.
            loopback: Whether it reaches the servers that the test runs on 127.0.0.1.
        """

    def train(
        self, tree: MlTree, environ: Mapping[str, str] | None = None, *, loopback: bool = False
    ) -> TrainingResult:
        """Run `train` to its end; arguments as for `start_training`."""
        return self.start_training(tree, environ, loopback=loopback).wait()

    @abstractmethod
    def serve(self, tree: MlTree, environ: Mapping[str, str] | None = None, *, loopback: bool = False) -> Server:
        """Start `serve` on `tree` and wait until it answers pings with 200; fail with its log if it ends before.

        Args:
            tree: What the platform mounts.
            environ: Additional environment variables.
            loopback: Whether it reaches the servers that the test runs on 127.0.0.1.
        """

    @abstractmethod
    def serve_together(self, *containers: tuple[MlTree, Mapping[str, str]]) -> Together:
        """Start `serve` on every tree with its variables, as the containers of one endpoint on one host.

        Each has a port of its own, told by SAGEMAKER_BIND_TO_PORT, and all the same SAGEMAKER_SAFE_PORT_RANGE. All are
        started before the first is waited for.
        """

    @abstractmethod
    def fail_to_serve(self, tree: MlTree, environ: Mapping[str, str] | None = None) -> FailedStart:
        """Start `serve` and wait for it to end by itself."""
