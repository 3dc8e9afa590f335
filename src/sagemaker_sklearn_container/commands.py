"""Running commands: their output passes unchanged, the end of their standard error is kept, orphans are reaped."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Sequence

# Enough for a deep traceback and a message that holds a table; the platform shows 1024 characters made of it.
_TAIL_BYTES = 2 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
# How long to wait for the last output when a child of the command still holds standard error open.
_DRAIN_S = 2.0
# How long what is left of a command's session may take to end after a signal: as long as the platform waits (T-08).
_GROUP_S = 120.0
_POLL_S = 0.05


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its exit code, 128 + n for signal n, and the end of its standard error as bytes."""

    exit_code: int
    error_tail: bytes


class Command:
    """A command that was started.

    Standard output is inherited; standard error is passed on as it comes, byte for byte, and its end kept.

    Source: contract T-03, T-09, T-12.
    """

    def __init__(
        self, command: Sequence[str], cwd: Path, environ: Mapping[str, str] | None = None, signal_group: bool = False
    ) -> None:
        """Start `command`.

        Args:
            command: Program and arguments.
            cwd: Working directory.
            environ: Environment; None is this process's own.
            signal_group: Signals go to every process of the command, and its end is that of them all. A shell, which
                ends at once and passes nothing on, needs it; a Python program stops its own workers better itself.

        Raises:
            OSError: the command cannot be started.
            ValueError: an argument or a variable is no text that the system can pass.
        """
        self._signal_group = signal_group
        self._signalled = False
        # Before the command: without a thread it would have been started in vain.
        self._errors = _Errors()
        try:
            # A session of its own: Ctrl-C on a terminal then arrives once, through this process, not twice.
            self._process = subprocess.Popen(
                command, cwd=cwd, env=environ, stderr=self._errors.sink, start_new_session=True
            )
        finally:
            self._errors.close_sink()

    def send_signal(self, number: int) -> None:
        """Send signal `number` to the command, if it still runs."""
        self._signalled = True
        if not self._signal_group:
            self._process.send_signal(number)
        elif self._process.returncode is None:
            os.killpg(self._process.pid, number)

    def wait(self) -> Outcome:
        """Wait for the end of the command; meanwhile collect every process that was orphaned to this one.

        As PID 1 this process inherits each process of the container whose parent has ended (T-09).
        """
        while True:
            # WNOWAIT: the command itself stays for Popen to collect, which remembers that its pid is gone.
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            if ended is None or ended.si_pid == self._process.pid:
                break
            os.waitpid(ended.si_pid, 0)
        status = self._process.wait()
        if self._signal_group and self._signalled:
            self._wait_for_group()
        return Outcome(128 - status if status < 0 else status, self._errors.tail())

    def _wait_for_group(self) -> None:
        deadline = time.monotonic() + _GROUP_S
        while time.monotonic() < deadline:
            try:
                os.killpg(self._process.pid, 0)
            except ProcessLookupError:
                return
            try:
                reaped, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                reaped = 0
            if not reaped:
                time.sleep(_POLL_S)


def run(command: Sequence[str], cwd: Path, environ: Mapping[str, str] | None = None) -> Outcome:
    """Run `command` to its end; arguments and errors as for `Command`."""
    return Command(command, cwd, environ).wait()


class _Errors:
    """Standard error of a command on its way to our own, by a thread that may outlive the command.

    A child of the command can hold it open and keep writing.
    """

    def __init__(self) -> None:
        """Start the thread; the command is to write to `sink`."""
        source, self.sink = os.pipe()
        self._chunks: deque[bytes] = deque()
        self._writing = False
        self._passed = 0
        self._thread = threading.Thread(target=self._pass_on, args=(source,), daemon=True)
        try:
            self._thread.start()
        except RuntimeError as exc:
            os.close(source)
            os.close(self.sink)
            raise OSError(f"{exc}; the container may run no more threads") from exc

    def close_sink(self) -> None:
        """Leave writing to the command."""
        os.close(self.sink)

    def tail(self) -> bytes:
        """The last bytes, once all has arrived that the command wrote."""
        while self._thread.is_alive():
            passed = self._passed
            self._thread.join(_DRAIN_S)
            # Whoever reads our own standard error may be slow; what waits for that is the command's.
            if self._passed == passed and not self._writing:
                break
        return b"".join(self._chunks)[-_TAIL_BYTES:]

    def _pass_on(self, source: int) -> None:
        kept = 0
        with open(source, "rb", buffering=0) as stream:
            while True:
                chunk = stream.read(_CHUNK_BYTES)
                if not chunk:
                    return
                self._chunks.append(chunk)
                kept += len(chunk)
                while kept - len(self._chunks[0]) >= _TAIL_BYTES:
                    kept -= len(self._chunks.popleft())
                self._writing = True
                try:
                    while chunk:
                        chunk = chunk[os.write(2, chunk) :]
                except OSError:
                    continue  # nobody reads our standard error; the command must not block on it
                finally:
                    self._writing = False
                    self._passed += 1
