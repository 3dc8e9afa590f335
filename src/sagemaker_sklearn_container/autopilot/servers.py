"""The processes of a run: `train` to its end, `serve` while it is needed; none of them outlives the command."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, Mapping

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.autopilot.errors import StepError

_POLL_S = 0.1
# Between the end that is asked for and the one that is made.
_STOP_S = 10.0
_PING_TIMEOUT_S = 2.0
_TAIL_LINES = 15
_TAIL_BYTES = 64 * 1024
_PR_SET_PDEATHSIG = 1
# The caller's own variables that would change what is run.
_FOREIGN = (
    "AUTOML_",
    "AWS_",
    "CA_REPOSITORY_ARN",
    "ML_APPLICATION",
    "S3_",
    "SAGEMAKER_",
    "SM_",
    "TRAINING_JOB_",
    contract.MAX_CONTENT_LENGTH,
)

Tick = Callable[[], object]


@dataclass(frozen=True)
class Answer:
    """What a server answered: status, media type without parameters, body."""

    status: int
    content_type: str
    body: bytes

    @property
    def text(self) -> str:
        """The body's beginning, as text."""
        return self.body[:2000].decode("utf-8", errors="replace").strip()


class Server:
    """A `serve` that answers pings."""

    def __init__(self, port: int, log: Path, timeout_s: float) -> None:
        """It listens at `port`; one connection is kept to it."""
        self.log = log
        self._timeout_s = timeout_s
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)

    def ask(self, body: bytes | None, content_type: str = "", path: str = "/invocations") -> Answer:
        """The answer to a request, a GET if there is no body.

        Raises:
            OSError: there is none in time.
        """
        try:
            headers = {"Content-Type": content_type} if body is not None else {}
            self._connection.request("GET" if body is None else "POST", path, body, headers)
            answer = self._connection.getresponse()
            kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            return Answer(answer.status, kind, answer.read())
        except socket.timeout:
            self._connection.close()
            raise OSError(f"no answer within {self._timeout_s:g} s") from None
        except http.client.HTTPException as exc:
            self._connection.close()
            raise OSError(f"the server closed the connection ({type(exc).__name__})") from exc
        except OSError:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Processes:
    """Starts processes, and ends those that are left when the block is left."""

    def __init__(self, logs: Path, timeout_s: float) -> None:
        """Logs go to the directory `logs`; no wait is longer than `timeout_s`."""
        self._logs = logs
        self._timeout_s = timeout_s
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Processes:
        """Nothing runs yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End everything."""
        self._end(self._running)

    def train(self, step: str, name: str, base: Path, environ: Mapping[str, str], tick: Tick) -> Path:
        """Run `train` on the tree `base` to its end; the log.

        Raises:
            StepError: with the text of the failure file, or the log's last lines.
        """
        process, log = self._start("training", name, base, environ)
        deadline = time.monotonic() + self._timeout_s
        while process.poll() is None:
            tick()
            if time.monotonic() > deadline:
                raise StepError(step, f"it has not ended after {self._timeout_s:g} s; --timeout gives it longer", log)
            time.sleep(_POLL_S)
        # What it may have left behind is no part of it any more.
        self._running.remove(process)
        if process.returncode:
            failure = contract.Paths(base).failure
            said = failure.read_text(encoding="utf-8", errors="replace") if failure.is_file() else ""
            # What follows is in the log, too.
            said = said.partition("\nEnd of standard error:")[0].strip()
            raise StepError(step, f"train ended with exit code {process.returncode}:\n{said or tail(log)}", log)
        return log

    @contextlib.contextmanager
    def serving(
        self, step: str, containers: Mapping[str, tuple[Path, Mapping[str, str]]], tick: Tick
    ) -> Iterator[list[Server]]:
        """Servers, each answering pings, until the block ends.

        Args:
            step: Which one needs them.
            containers: The tree and the variables of each, by name.
            tick: Is called while they start.

        Raises:
            StepError: one does not start.
        """
        started, servers = [], []
        ports = _free_ports(len(containers))
        try:
            for port, (name, (base, environ)) in zip(ports, containers.items()):
                variables = {
                    contract.BIND_TO_PORT: str(port),
                    "SAGEMAKER_SAFE_PORT_RANGE": f"{min(ports)}-{max(ports)}",
                    contract.MODEL_SERVER_WORKERS: "1",
                    **environ,
                }
                process, log = self._start("serving", name, base, variables)
                started.append(process)
                servers.append(Server(port, log, self._timeout_s))
            for name, process, port, server in zip(containers, started, ports, servers):
                self._wait_until_ready(step, name, process, port, server.log, tick)
            yield servers
        finally:
            for server in servers:
                server.close()
            self._end(started)

    def _wait_until_ready(
        self, step: str, name: str, process: subprocess.Popen[bytes], port: int, log: Path, tick: Tick
    ) -> None:
        deadline = time.monotonic() + self._timeout_s
        while True:
            if process.poll() is not None:
                raise StepError(step, f"serve ({name}) ended with exit code {process.returncode}:\n{tail(log)}", log)
            if time.monotonic() > deadline:
                raise StepError(step, f"serve ({name}) is not ready after {self._timeout_s:g} s:\n{tail(log)}", log)
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PING_TIMEOUT_S)
            try:
                connection.request("GET", "/ping")
                if connection.getresponse().status == 200:
                    return
            except (OSError, http.client.HTTPException):
                pass  # not yet
            finally:
                connection.close()
            tick()
            time.sleep(_POLL_S)

    def _start(
        self, module: str, name: str, base: Path, environ: Mapping[str, str]
    ) -> tuple[subprocess.Popen[bytes], Path]:
        log = self._logs / f"{name}.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", f"sagemaker_sklearn_container.{module}"],
                cwd=base,
                env={**environment(), contract.BASE_DIR: str(base), "PYTHONUNBUFFERED": "1", **environ},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                # Ctrl-C on a terminal comes to the command alone, which ends them in their order.
                start_new_session=True,
                preexec_fn=_end_with_the_command,
            )
        self._running.append(process)
        return process, log

    def _end(self, processes: list[subprocess.Popen[bytes]]) -> None:
        """End processes and all that descend from them."""
        ended = list(processes)
        descendants = [pid for process in ended if process.poll() is None for pid in _descendants(process.pid)]
        for process in ended:
            process.terminate()
        deadline = time.monotonic() + _STOP_S
        for process in ended:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        for pid, begin in descendants:
            # Still the same process, not another one with its number.
            if _begin(pid) == begin:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for process in ended:
            process.kill()
            process.wait()
            if process in self._running:
                self._running.remove(process)


def environment() -> dict[str, str]:
    """The variables of this process, but for those that configure training and serving; paths are absolute."""
    found = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    if found.get("PYTHONPATH"):
        found["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, filter(None, found["PYTHONPATH"].split(os.pathsep))))
    return {**found, "PYTHONDONTWRITEBYTECODE": "1"}


def tail(log: Path) -> str:
    """The last lines of a log."""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = stream.read().decode("utf-8", errors="replace").strip().splitlines()
    return "\n".join(lines[-_TAIL_LINES:]) or "it wrote nothing"


def _end_with_the_command() -> None:
    """In the new process: SIGTERM comes when this command is killed, too."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


_libc = ctypes.CDLL(None)


def _descendants(root: int) -> list[tuple[int, str]]:
    """Processes that descend from `root`, each with the time it began."""
    parents = {}
    for entry in os.listdir("/proc"):
        fields = _stat(int(entry)) if entry.isdigit() else []
        if fields:
            parents[int(entry)] = int(fields[1])
    found, seen = [root], 0
    while seen < len(found):
        found += [pid for pid, parent in parents.items() if parent == found[seen]]
        seen += 1
    return [(pid, _begin(pid)) for pid in found[1:]]


def _begin(pid: int) -> str:
    return next(iter(_stat(pid)[19:20]), "")


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third on: state, parent, ...; none if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
