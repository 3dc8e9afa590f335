"""Signals of a training job: they reach whatever runs, and end the job where nothing does."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import Mapping, Sequence

from sagemaker_sklearn_container.commands import Command, Outcome

FORWARDED = (signal.SIGTERM, signal.SIGINT)


class Stopped(BaseException):
    """A signal asked for the end of the job before the user's program was started.

    Not an Exception: code that reports failures of a step must not take it for one.

    Attributes:
        exit_code: 128 + n for signal n.
    """

    def __init__(self, number: int) -> None:
        """The job was stopped by signal `number`."""
        super().__init__(
            f"Training was stopped by {signal.Signals(number).name} before the user's program was started."
        )
        self.exit_code = 128 + number


class Supervisor:
    """The owner of one command at a time.

    SIGTERM and SIGINT go on to the running command. While the job is prepared they also end the job, so that PID 1,
    which the kernel shields from unhandled signals, can be stopped at any time. While the user's program runs its exit
    code decides, and once it has ended its results are reported, whatever comes.

    Source: contract T-03, T-08.
    """

    def __init__(self) -> None:
        """No command yet; signals are not handled before `install`."""
        self._command: Command | None = None
        self._starting = False
        self._early_signal: int | None = None
        self._signal: int | None = None
        self._finished = False

    def install(self) -> None:
        """Handle the signals in this process, which must be in its main thread."""
        for number in FORWARDED:
            signal.signal(number, self._handle)

    def run_step(self, command: Sequence[str], cwd: Path, environ: Mapping[str, str] | None = None) -> Outcome:
        """Run a command that prepares the job; arguments and errors as for `commands.Command`.

        Raises:
            Stopped: a signal came while it ran.
        """
        outcome = self._start(command, cwd, environ).wait()
        self._command = None
        if self._signal is not None:
            raise Stopped(self._signal)
        return outcome

    def run_program(
        self, command: Sequence[str], cwd: Path, environ: Mapping[str, str], signal_group: bool = False
    ) -> Outcome:
        """Run the user's program; arguments and errors as for `commands.Command`."""
        outcome = self._start(command, cwd, environ, signal_group).wait()
        self.finish()
        self._command = None
        return outcome

    def finish(self) -> None:
        """From now on signals do nothing: what is left is to report, and that takes no time."""
        self._finished = True

    def _start(
        self, command: Sequence[str], cwd: Path, environ: Mapping[str, str] | None, signal_group: bool = False
    ) -> Command:
        self._starting = True
        try:
            self._command = Command(command, cwd, environ, signal_group)
        finally:
            self._starting = False
        if self._early_signal is not None:
            self._handle(self._early_signal, None)
        return self._command

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._finished:
            return
        if self._starting:
            self._early_signal = number
        elif self._command is None:
            raise Stopped(number)
        else:
            self._signal = number
            self._command.send_signal(number)
