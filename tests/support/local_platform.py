"""The platform on this machine: the commands are processes of the interpreter that runs the tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Callable, Mapping

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

_POLL_S = 0.02
_STOP_TIMEOUT_S = 35.0
# Variables of the developer's own environment that would change what is tested.
_FOREIGN = (
    "SAGEMAKER_",
    "SM_",
    "AWS_",
    "S3_",
    "TRAINING_JOB_",
    "OMP_",
    "OPENBLAS_",
    "PYTHONPATH",
    "MAX_CONTENT_LENGTH",
    "CA_REPOSITORY_ARN",
)


class LocalPlatform(Platform):
    """Runs `python -m sagemaker_sklearn_container.training` and `.serving`."""

    abuse_requests = 20_000

    def __init__(self, scratch: Path) -> None:
        """A platform whose trees and logs lie below the directory `scratch`."""
        self._scratch = scratch
        self._count = 0

    def tree(self) -> MlTree:
        root = self._new_path("ml")
        root.mkdir()
        return MlTree(root, str(root))

    def hosts(self, count: int) -> list[str]:
        return [f"127.0.0.{number}" for number in range(1, count + 1)]

    def start_training(
        self, tree: MlTree, environ: Mapping[str, str] | None = None, *, host: str = "", loopback: bool = False
    ) -> TrainingRun:
        # What pip installs goes to a directory of this job, not to the interpreter that runs the tests.
        installed = str(self._new_path("installed"))
        variables = {**(environ or {}), "PIP_TARGET": installed}
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, [variables.get("PYTHONPATH"), installed]))
        return _LocalTrainingRun(tree, *self._start("training", tree, variables))

    def serve(self, tree: MlTree, environ: Mapping[str, str] | None = None, *, loopback: bool = False) -> Server:
        server = self._start_server(tree, environ or {}, *_free_ports(1))
        server.wait_until_healthy()
        return server

    def serve_together(self, *containers: tuple[MlTree, Mapping[str, str]]) -> Together:
        ports = _free_ports(len(containers))
        common = {"SAGEMAKER_SAFE_PORT_RANGE": f"{min(ports)}-{max(ports)}"}
        servers = [
            self._start_server(tree, {**common, **environ}, port) for (tree, environ), port in zip(containers, ports)
        ]
        try:
            for server in servers:
                server.wait_until_healthy()
        except BaseException:
            for server in servers:
                server.kill()
            raise
        return Together([*servers], ports)

    def _start_server(self, tree: MlTree, environ: Mapping[str, str], port: int) -> _LocalServer:
        # As for training: what pip installs is this server's only.
        installed = str(self._new_path("installed"))
        variables = {
            "SAGEMAKER_BIND_TO_PORT": str(port),
            "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
            "PIP_TARGET": installed,
            **environ,
        }
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, [variables.get("PYTHONPATH"), installed]))
        return _LocalServer(*self._start("serving", tree, variables, merge=True), port)

    def fail_to_serve(self, tree: MlTree, environ: Mapping[str, str] | None = None) -> FailedStart:
        variables = {"SAGEMAKER_BIND_TO_PORT": str(*_free_ports(1)), **(environ or {})}
        process, log, _ = self._start("serving", tree, variables, merge=True)
        try:
            exit_code = process.wait(START_TIMEOUT_S)
        finally:
            process.kill()
            process.wait()
        return FailedStart(exit_code, log.read_text(errors="replace"))

    def _start(
        self, module: str, tree: MlTree, environ: Mapping[str, str], merge: bool = False
    ) -> tuple[subprocess.Popen[bytes], Path, Path]:
        """The started process, and the files of its standard output and error."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        variables = {
            **inherited,
            # As in the images, `python` is the interpreter that the commands run on.
            "PATH": os.pathsep.join([os.path.dirname(sys.executable), *filter(None, [inherited.get("PATH")])]),
            "SAGEMAKER_BASE_DIR": tree.base_dir,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            **environ,
            # What an image has installed is found here on the path of the tests; theirs may be relative.
            "PYTHONPATH": os.pathsep.join(
                [*filter(None, [environ.get("PYTHONPATH")]), *map(os.path.abspath, sys.path)]
            ),
        }
        out, err = self._new_path("out"), self._new_path("err")
        with out.open("wb") as out_stream, err.open("wb") as err_stream:
            error_target: IO[bytes] | int = subprocess.STDOUT if merge else err_stream
            process = subprocess.Popen(
                [sys.executable, "-m", f"sagemaker_sklearn_container.{module}"],
                cwd=self._scratch,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=out_stream,
                stderr=error_target,
            )
        return process, out, err

    def _new_path(self, kind: str) -> Path:
        self._count += 1
        return self._scratch / f"{kind}-{self._count}"


class _LocalTrainingRun(TrainingRun):
    def __init__(self, tree: MlTree, process: subprocess.Popen[bytes], out: Path, err: Path) -> None:
        self._tree, self._process, self._out, self._err = tree, process, out, err

    def wait_for_output(self, text: bytes) -> None:
        def seen() -> bool:
            ended = self._process.poll() is not None
            present = text in self._out.read_bytes() + self._err.read_bytes()
            assert present or not ended, f"train ended without {text!r}:\n{self._err.read_text(errors='replace')}"
            return present

        try:
            _wait_until(seen, START_TIMEOUT_S, f"output {text!r}")
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def wait(self) -> TrainingResult:
        try:
            exit_code = self._process.wait(TRAINING_TIMEOUT_S)
        finally:
            self._process.kill()
            self._process.wait()
        output = self._tree.root / "output"
        failure = output / "failure"
        return TrainingResult(
            exit_code=exit_code,
            stdout=self._out.read_bytes(),
            stderr=self._err.read_bytes(),
            failure=failure.read_text(encoding="utf-8") if failure.exists() else None,
            succeeded=(output / "success").exists(),
            model_dir=self._tree.root / "model",
        )


class _LocalServer(Server):
    def __init__(self, process: subprocess.Popen[bytes], log: Path, _: Path, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}"
        self._process, self._log = process, log

    def wait_until_healthy(self) -> None:
        """Wait for the first 200 answer to a ping; end the process if none comes."""

        def healthy() -> bool:
            assert self._process.poll() is None, f"serve ended with {self._process.returncode}:\n{self.logs()}"
            try:
                with urllib.request.urlopen(f"{self.base_url}/ping", timeout=2) as answer:
                    return bool(answer.status == 200)
            except (urllib.error.URLError, OSError):
                return False

        try:
            _wait_until(healthy, START_TIMEOUT_S, "a healthy server")
        except BaseException:
            self.kill()
            raise

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        if self._process.poll() is None:
            self.terminate()
        try:
            return self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()

    def logs(self) -> str:
        return self._log.read_text(errors="replace")


def _wait_until(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s} s for {what}"
        time.sleep(_POLL_S)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
