"""Running commands."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from sagemaker_sklearn_container.commands import Outcome, run


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
    outcome = run(_python("import sys; sys.stderr.write('x' * 1000000 + 'end')"), tmp_path)
    assert len(outcome.error_tail) == 65536
    assert outcome.error_tail.endswith(b"end")
    assert len(capfd.readouterr().err) == 1000003


def test_a_grandchild_that_keeps_standard_error_open_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """T-01."""
    code = "import subprocess; subprocess.Popen(['sleep', '8'], stdout=subprocess.DEVNULL)"
    started = time.monotonic()
    assert run(_python(code), tmp_path).exit_code == 0
    assert time.monotonic() - started < 6
