"""Signals of a training job, sent to this very process."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Iterator, Mapping, Sequence

import pytest

from sagemaker_sklearn_container.commands import Command
from sagemaker_sklearn_container.training import process
from sagemaker_sklearn_container.training.process import FORWARDED, Stopped, Supervisor

# Tells its parent to stop, as the platform would, and ends by itself only if nobody tells it.
_PROVOKE = "import os, signal, time; os.kill(os.getppid(), signal.SIGTERM); time.sleep(20); raise SystemExit(3)"


@pytest.fixture()
def supervisor() -> Iterator[Supervisor]:
    """A supervisor that handles this process's signals while the test runs."""
    before = {number: signal.getsignal(number) for number in FORWARDED}
    supervisor = Supervisor()
    supervisor.install()
    yield supervisor
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_between_commands_ends_the_job(supervisor: Supervisor) -> None:
    """T-08."""
    with pytest.raises(Stopped, match="stopped by SIGTERM before") as caught:
        os.kill(os.getpid(), signal.SIGTERM)
    assert caught.value.exit_code == 143


def test_a_signal_during_a_step_ends_the_step_and_the_job(supervisor: Supervisor, tmp_path: Path) -> None:
    """T-08: whatever pip makes of it."""
    with pytest.raises(Stopped):
        supervisor.run_step([sys.executable, "-c", _PROVOKE], tmp_path)


def test_a_signal_reaches_the_program_whose_exit_code_decides(supervisor: Supervisor, tmp_path: Path) -> None:
    """T-08."""
    code = f"import signal; signal.signal(15, lambda *_: exit(7)); {_PROVOKE}"
    assert supervisor.run_program([sys.executable, "-c", code], tmp_path, dict(os.environ)).exit_code == 7


def test_after_the_program_signals_do_nothing(supervisor: Supervisor, tmp_path: Path) -> None:
    """T-08: its results are reported all the same."""
    assert supervisor.run_program(["true"], tmp_path, dict(os.environ)).exit_code == 0
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_while_a_command_is_starting_reaches_it(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T-08."""

    class SlowStart(Command):
        def __init__(
            self,
            command: Sequence[str],
            cwd: Path,
            environ: Mapping[str, str] | None = None,
            signal_group: bool = False,
        ) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            super().__init__(command, cwd, environ, signal_group)

    monkeypatch.setattr(process, "Command", SlowStart)
    assert supervisor.run_program(["sleep", "20"], tmp_path, dict(os.environ)).exit_code == 143
