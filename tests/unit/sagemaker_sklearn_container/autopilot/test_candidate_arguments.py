"""The command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_sklearn_container.autopilot.arguments import Arguments, parse
from sagemaker_sklearn_container.autopilot.candidate import Problem


def test_defaults() -> None:
    """Two words are enough."""
    assert parse(["package", "data.csv"]) == Arguments(Path("package"), Path("data.csv"))


def test_everything() -> None:
    """Every option is taken over."""
    words = ["package.tar.gz", "data", "--processor-module", "dpp0", "--processor-module", "dpp2", "--rows", "10"]
    words += ["--problem", "multiclass", "--transform-format", "recordio", "--work", "w", "--keep", "--timeout", "5"]
    assert parse(words) == Arguments(
        package=Path("package.tar.gz"),
        data=Path("data"),
        processors=("dpp0", "dpp2"),
        problem=Problem.MULTICLASS,
        transform_format="application/x-recordio-protobuf",
        work=Path("w"),
        keep=True,
        rows=10,
        timeout_s=5.0,
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "PACKAGE, DATA"),
        (["package", "data", "--rows", "0"], "'0' is no whole number of at least 1"),
        (["package", "data", "--rows", "many"], "'many' is no whole number"),
        (["package", "data", "--problem", "clustering"], "invalid choice"),
        (["package", "data", "--all", "--processor-module", "dpp0"], "not allowed with argument"),
    ],
)
def test_wrong_ones(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and what was wrong."""
    with pytest.raises(SystemExit) as caught:
        parse(words)
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


def test_help_names_steps_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code of --help is 0."""
    with pytest.raises(SystemExit) as caught:
        parse(["--help"])
    text = capsys.readouterr().out
    assert caught.value.code == 0
    assert "Exit codes: 0 the candidate runs, 1 it fails, 2" in text
    assert "docker run" in text
