"""Running commands for a training job: signals reach them, their output passes unchanged."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Mapping, Sequence

FORWARDED = (signal.SIGTERM, signal.SIGINT)

# Enough for a deep traceback; the platform shows 1024 characters of what is made of it.
_TAIL_BYTES = 64 * 1024
_CHUNK_BYTES = 64 * 1024
# How long to wait for the last output when a child of the program still holds standard error open.
_DRAIN_S = 2.0


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its exit code, 128 + n for signal n, and the end of its standard error as bytes."""

    exit_code: int
    error_tail: bytes


class Supervisor:
    """The owner of one command at a time.

    SIGTERM and SIGINT go on to the running command, whose exit code then decides. Between commands they end this
    process with 128 + n, so that PID 1, which the kernel shields from unhandled signals, can be stopped at any time.

    Source: contract T-03, T-08, T-12.
    """

    def __init__(self) -> None:
        """No command yet; signals are not handled before `install`."""
        self._child: subprocess.Popen[bytes] | None = None
        self._starting = False
        self._early_signal: int | None = None

    def install(self) -> None:
        """Handle the signals in this process, which must be in its main thread."""
        for number in FORWARDED:
            signal.signal(number, self._handle)

    def run(self, command: Sequence[str], cwd: Path, environ: Mapping[str, str] | None = None) -> Outcome:
        """Run `command` to its end.

        Standard output is inherited; standard error is passed on as it comes, byte for byte, and its end kept.

        Args:
            command: Program and arguments.
            cwd: Working directory.
            environ: Environment; None is this process's own.

        Raises:
            OSError: the command cannot be started.
        """
        self._starting = True
        try:
            # A session of its own: Ctrl-C on a terminal then arrives once, through the handler, not twice.
            child = subprocess.Popen(command, cwd=cwd, env=environ, stderr=subprocess.PIPE, start_new_session=True)
            self._child = child
        finally:
            self._starting = False
            early, self._early_signal = self._early_signal, None
        if early is not None:
            child.send_signal(early)
        tail = bytearray()
        assert child.stderr is not None
        # The thread gets a descriptor of its own: it may outlive the command, if a child of the command keeps writing.
        source = os.dup(child.stderr.fileno())
        child.stderr.close()
        pump = threading.Thread(target=_pass_on, args=(source, tail), daemon=True)
        pump.start()
        status = child.wait()
        self._child = None
        pump.join(_DRAIN_S)
        return Outcome(128 - status if status < 0 else status, bytes(tail))

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._child is not None:
            self._child.send_signal(number)
        elif self._starting:
            self._early_signal = number
        else:
            raise SystemExit(128 + number)


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
                continue  # nobody reads our standard error; the program must not block on it
