"""The command line."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Sequence

from sagemaker_sklearn_container.autopilot.candidate import Problem

COMMAND = "run-autopilot-candidate"
FORMATS = {"csv": "text/csv", "recordio": "application/x-recordio-protobuf"}

_EPILOG = f"""\
Steps, each in processes of its own, as the platform runs them:
  1  `train` fits the data processor to the CSV
  2  `serve` transforms the same rows, in mini-batches of whole lines, as a batch transform job does
  3  `train` fits a small model of scikit-learn: it stands for XGBoost, linear learner or MLP
  4  `serve`, once for each container, is the endpoint: features, prediction and, unless it is a regression, label

The CSV holds the columns that the package was generated for, in their order, the target among them. A first line with
their names is left out. Standard output gets the table of the steps, standard error what is being done.

Exit codes: 0 the candidate runs, 1 it fails, 2 the arguments, the package or the data cannot be used.

Examples:
  {COMMAND} generated_module/ churn.csv
  {COMMAND} sourcedir.tar.gz data/ --all --rows 5000
  docker run --rm -v "$PWD:/data" preprod-sklearn-extension:0.2-1-cpu-py3 {COMMAND} /data/package /data/data.csv
"""


@dataclass(frozen=True)
class Arguments:
    """What was asked for.

    Attributes:
        package: Directory or tar file of the generated code.
        data: CSV file, or directory of such files.
        processors: Names of data processors; empty for the first one of the package.
        all: Run every data processor of the package.
        problem: None to guess it from the package and the labels.
        transform_format: Media type of the batch transform's answers; None to guess it from the data processor.
        work: Where the temporary tree goes; None for the system's place.
        keep: Leave the tree.
        rows: Use so many rows only; None for all.
        timeout_s: Longest that one step may take.
    """

    package: Path
    data: Path
    processors: tuple[str, ...] = ()
    all: bool = False
    problem: Problem | None = None
    transform_format: str | None = None
    work: Path | None = None
    keep: bool = False
    rows: int | None = None
    timeout_s: float = 3600.0


def parse(words: Sequence[str] | None = None) -> Arguments:
    """The arguments in `words`, by default those of this process.

    Raises:
        SystemExit: with 2 if they are wrong, with 0 after printing the help that was asked for.
    """
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Run a candidate that SageMaker Autopilot generated on this machine: training, batch transform and "
        "inference pipeline, by the same `train` and `serve` that the platform starts.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "package",
        type=Path,
        metavar="PACKAGE",
        help="generated code: directory with candidate_data_processors/, that directory itself, or a .tar.gz of either",
    )
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="CSV file with the target column, or a directory of them"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--processor-module",
        action="append",
        default=[],
        metavar="NAME",
        help="data processor to run, such as dpp0; may be repeated (default: the first one)",
    )
    which.add_argument("--all", action="store_true", help="run every data processor, one after another")
    parser.add_argument(
        "--problem",
        choices=[problem.value for problem in Problem],
        help="default: regression if the module encodes no labels, else by the number of classes",
    )
    parser.add_argument(
        "--transform-format",
        choices=FORMATS,
        help="what the batch transform answers with (default: recordio for processors with sparse columns, else csv)",
    )
    parser.add_argument("--rows", type=_count, metavar="N", help="use the first N rows only")
    parser.add_argument("--work", type=Path, metavar="DIR", help="make the temporary tree below DIR")
    parser.add_argument("--keep", action="store_true", help="leave that tree: models, transformed data, logs")
    parser.add_argument(
        "--timeout", type=_count, default=3600, metavar="S", help="longest time of one step in seconds (default: 3600)"
    )
    found = parser.parse_args(words)
    return Arguments(
        package=found.package,
        data=found.data,
        processors=tuple(found.processor_module),
        all=found.all,
        problem=Problem(found.problem) if found.problem else None,
        transform_format=FORMATS[found.transform_format] if found.transform_format else None,
        work=found.work,
        keep=found.keep,
        rows=found.rows,
        timeout_s=float(found.timeout),
    )


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return number
