"""Running commands."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sagemaker_sklearn_container.commands import Command, Outcome, run


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_exit_code_and_error_output_are_kept(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """T-03, T-12."""
    outcome = run(_python("import sys; sys.stderr.write('oh'); print('out'); sys.exit(4)"), tmp_path)
    assert outcome == Outcome(4, b"oh")
    assert capfd.readouterr() == ("out\n", "oh")


def test_death_by_signal_is_128_and_its_number(tmp_path: Path) -> None:
    """T-03."""
    assert run(_python("import os; os.kill(os.getpid(), 15)"), tmp_path).exit_code == 143


def test_only_the_end_of_much_error_output_is_kept(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """T-05, T-12."""
    outcome = run(_python("import sys; sys.stderr.write('x' * 4000000 + 'end')"), tmp_path)
    assert len(outcome.error_tail) == 2 * 1024 * 1024
    assert outcome.error_tail.endswith(b"xend")
    assert len(capfd.readouterr().err) == 4000003


def test_a_grandchild_that_keeps_standard_error_open_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """T-01."""
    code = "import subprocess; subprocess.Popen(['sleep', '8'], stdout=subprocess.DEVNULL)"
    started = time.monotonic()
    assert run(_python(code), tmp_path).exit_code == 0
    assert time.monotonic() - started < 6


def test_a_slow_reader_of_our_standard_error_costs_nothing_of_the_tail(tmp_path: Path) -> None:
    """T-05, T-12: whoever collects the log may be behind by more than is waited for otherwise."""
    script = """
import sys
from pathlib import Path
from sagemaker_sklearn_container.commands import run
outcome = run([sys.executable, "-c", "import sys; sys.stderr.write('x' * 200000 + 'end')"], Path("/"))
print(outcome.error_tail[-3:])
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
    )
    time.sleep(4)  # longer than the 2 s for a child that holds standard error open
    out, err = process.communicate(timeout=30)
    assert out == b"b'end'\n"
    assert err.endswith(b"xend")


def test_signals_reach_every_process_of_a_shell_command(tmp_path: Path) -> None:
    """T-08: and its end is that of them all."""
    script = "trap 'exit 5' TERM; (trap 'sleep 0.5; touch late; exit 0' TERM; while :; do sleep 0.05; done) & wait"
    command = Command(["/bin/sh", "-c", script], tmp_path, signal_group=True)
    time.sleep(0.5)
    command.send_signal(signal.SIGTERM)
    assert command.wait().exit_code == 5
    assert (tmp_path / "late").exists()
