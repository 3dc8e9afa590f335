"""Running commands: their output passes unchanged, the end of their standard error is kept, orphans are reaped."""

from __future__ import annotations

import os
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Sequence

# Enough for a deep traceback; the platform shows 1024 characters of what is made of it.
_TAIL_BYTES = 64 * 1024
_CHUNK_BYTES = 64 * 1024
# How long to wait for the last output when a child of the command still holds standard error open.
_DRAIN_S = 2.0


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

    def __init__(self, command: Sequence[str], cwd: Path, environ: Mapping[str, str] | None = None) -> None:
        """Start `command`.

        Args:
            command: Program and arguments.
            cwd: Working directory.
            environ: Environment; None is this process's own.

        Raises:
            OSError: the command cannot be started.
        """
        # A session of its own: Ctrl-C on a terminal then arrives once, through this process, not twice.
        self._process = subprocess.Popen(command, cwd=cwd, env=environ, stderr=subprocess.PIPE, start_new_session=True)
        self._tail = bytearray()
        assert self._process.stderr is not None
        # The thread gets a descriptor of its own: it may outlive the command, if a child of the command keeps writing.
        source = os.dup(self._process.stderr.fileno())
        self._process.stderr.close()
        self._pump = threading.Thread(target=_pass_on, args=(source, self._tail), daemon=True)
        self._pump.start()

    def send_signal(self, number: int) -> None:
        """Send signal `number` to the command, if it still runs."""
        self._process.send_signal(number)

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
        self._pump.join(_DRAIN_S)
        return Outcome(128 - status if status < 0 else status, bytes(self._tail))


def run(command: Sequence[str], cwd: Path, environ: Mapping[str, str] | None = None) -> Outcome:
    """Run `command` to its end; arguments and errors as for `Command`."""
    return Command(command, cwd, environ).wait()


def _pass_on(source: int, tail: bytearray) -> None:
    """Copy file descriptor `source` to standard error until its end, then close it; `tail` keeps the last bytes."""
    with open(source, "rb", buffering=0) as stream:
        while True:
            chunk = stream.read(_CHUNK_BYTES)
            if not chunk:
                return
            tail += chunk
            del tail[:-_TAIL_BYTES]
            try:
                while chunk:
                    chunk = chunk[os.write(2, chunk) :]
            except OSError:
                continue  # nobody reads our standard error; the command must not block on it
