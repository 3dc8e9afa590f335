"""The command `run-autopilot-candidate` with generated code that uses the extension library.

Every check takes the fixture `candidate_command`: it runs the command with the given words in a directory, without a
network, to its end.
"""

from __future__ import annotations

import random
import shutil
import tarfile
from pathlib import Path
from typing import Callable, Protocol

import pytest

EXAMPLE = Path("examples/autopilot")
COLUMNS = "date,city,channel,comment,priority,items,weight,price"


class Ended(Protocol):
    """How the command ended."""

    @property
    def exit_code(self) -> int:
        """0, 1 or 2."""

    @property
    def stdout(self) -> str:
        """The table."""

    @property
    def stderr(self) -> str:
        """Progress, and what is wrong."""


Command = Callable[..., Ended]


@pytest.fixture()
def candidate_folder(tmp_path: Path) -> Path:
    """A directory with the example: the package, and its data in orders.csv."""
    folder = tmp_path / "candidate"
    shutil.copytree(EXAMPLE / "candidate_data_processors", folder / "package" / "candidate_data_processors")
    shutil.copy(EXAMPLE / "orders.csv", folder)
    return folder


def _cells(text: str, step: str) -> str:
    """The line of a step in the table."""
    return next(line for line in text.splitlines() if line.strip().startswith(step))


def test_text_dates_and_categories_through_every_step(candidate_command: Command, candidate_folder: Path) -> None:
    """A-01 to A-06, A-08, A-09, P-01: three classes, sparse recordio between the containers, labels at the end."""
    done = candidate_command(candidate_folder, "package", "orders.csv")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("dpp0: multiclass, 3 classes, target 'priority'\n")
    assert "400 x" in _cells(done.stdout, "batch transform")
    assert "recordio with label" in _cells(done.stdout, "batch transform")
    assert "application/x-recordio-protobuf" in _cells(done.stdout, "feature-transform")
    assert "200 rows" in _cells(done.stdout, "inverse-label-transform")
    # The priority follows from the comment, so that a model that got the right features finds nearly all.
    accuracy = float(_cells(done.stdout, "accuracy").split()[1])
    assert accuracy > 0.8


def test_a_regression_with_names_in_the_first_line(candidate_command: Command, candidate_folder: Path) -> None:
    """A-01, A-02, A-09: the names are left out; numbers come back; two containers."""
    data = candidate_folder / "orders.csv"
    data.write_text(f"{COLUMNS}\n{data.read_text(encoding='utf-8')}", encoding="utf-8")
    words = ("package", "orders.csv", "--processor-module", "dpp1", "--rows", "150", "--transform-format", "csv")
    done = candidate_command(candidate_folder, *words)
    assert done.exit_code == 0, done.stderr
    assert "orders.csv:1: the column names are left out" in done.stderr
    # Rows whose price is no number are left out by the data processor, and said to be.
    assert "the label 'NA' is no finite number; the data processor leaves out" in done.stderr
    rows = int(_cells(done.stdout, "batch transform").split("mini-batch")[1].split()[0])
    assert 100 < rows < 150
    assert "csv with label" in _cells(done.stdout, "batch transform")
    assert "2 containers" in done.stdout
    assert "R2 " in done.stdout


def test_an_archive_as_the_service_submits_it(candidate_command: Command, candidate_folder: Path) -> None:
    """A-01, T-43: setup.py makes `train` install the package, without a network; HEADER is computed; two classes."""
    shutil.copy(EXAMPLE / "setup.py", candidate_folder / "package")
    with tarfile.open(candidate_folder / "package.tar.gz", "w:gz") as tar:
        tar.add(candidate_folder / "package", ".")
    numbers = random.Random(0)
    with (candidate_folder / "tumours.csv").open("w", encoding="utf-8") as stream:
        for place in range(80):
            kind, shift = (("benign", 0.0), ("malignant", 6.0))[place % 2]
            stream.write(",".join([kind, *(f"{numbers.gauss(shift, 1):.4f}" for _ in range(30))]) + "\n")
    done = candidate_command(candidate_folder, "package.tar.gz", "tumours.csv", "--processor-module", "dpp3")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("dpp3: binary, 2 classes, target 'diagnosis'\n")
    assert "80 x 9 csv with label" in _cells(done.stdout, "batch transform")
    assert "accuracy 1.000 on 80 rows" in done.stdout


def test_a_processor_that_cannot_be_built(candidate_command: Command, candidate_folder: Path) -> None:
    """A-01, T-04: the step, and the exception from the failure file."""
    module = candidate_folder / "package" / "candidate_data_processors" / "dpp0.py"
    text = module.read_text(encoding="utf-8")
    broken = text.replace('HEADER.as_feature_indices(["comment"])', 'HEADER.as_feature_indices(["remark"])')
    assert broken != text
    module.write_text(broken, encoding="utf-8")
    done = candidate_command(candidate_folder, "package", "orders.csv")
    assert done.exit_code == 1
    assert "train data processor failed: train ended with exit code 1:\nValueError: 'remark' is an" in done.stderr


def test_a_row_that_is_too_short(candidate_command: Command, candidate_folder: Path) -> None:
    """Exit code 2 before anything is trained; file, line and column."""
    data = candidate_folder / "orders.csv"
    lines = data.read_text(encoding="utf-8").splitlines(keepends=True)
    data.write_text("".join([*lines, "2020-01-01,Dijon,web,please,low,1,2.5\n"]), encoding="utf-8")
    done = candidate_command(candidate_folder, "package", "orders.csv")
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"orders.csv:{len(lines) + 1}:7: the row has 7 columns; expected are 8" in done.stderr
