"""The command `run-autopilot-candidate`."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import NoReturn, Sequence

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.autopilot import candidate as packages
from sagemaker_sklearn_container.autopilot import records, score, table
from sagemaker_sklearn_container.autopilot.arguments import COMMAND, Arguments, parse
from sagemaker_sklearn_container.autopilot.candidate import Candidate
from sagemaker_sklearn_container.autopilot.errors import Interrupted, StepError
from sagemaker_sklearn_container.autopilot.report import Progress
from sagemaker_sklearn_container.autopilot.report import table as report
from sagemaker_sklearn_container.autopilot.servers import Processes
from sagemaker_sklearn_container.autopilot.steps import Run
from sagemaker_sklearn_container.errors import ContainerError


def main(words: Sequence[str] | None = None) -> NoReturn:
    """Run the candidate and exit: 0 if it runs, 1 if it fails, 2 if arguments, package or data cannot be used."""
    arguments = parse(words)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    # nohup has it ignored.
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)
    try:
        code = _in_tree(arguments)
    except Interrupted as exc:
        print(f"\n{COMMAND}: stopped by {signal.Signals(exc.number).name}", file=sys.stderr)
        code = 128 + exc.number
    sys.exit(code)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    # Once is enough; the way out must not be cut short.
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    raise Interrupted(number)


def _in_tree(arguments: Arguments) -> int:
    """Run in a new temporary tree; of that only the logs of a failed run stay, unless all is to be kept."""
    progress = Progress()
    try:
        if arguments.work is not None:
            arguments.work.mkdir(parents=True, exist_ok=True)
        tree = Path(tempfile.mkdtemp(prefix=f"{COMMAND}-", dir=arguments.work)).resolve()
    except OSError as exc:
        print(f"{COMMAND}: making the temporary tree failed: {exc}. Name a directory with --work.", file=sys.stderr)
        return 2
    kept_logs: list[Path] = []
    try:
        (tree / "logs").mkdir()
        return _run(arguments, tree, progress, kept_logs)
    finally:
        progress.clear()
        if arguments.keep:
            print(f"kept: {tree}", file=sys.stderr)
        else:
            _remove(tree, bool(kept_logs))


def _remove(tree: Path, keeps_logs: bool) -> None:
    if not keeps_logs:
        shutil.rmtree(tree, ignore_errors=True)
        return
    for path in tree.iterdir():
        if path.name != "logs":
            shutil.rmtree(path, ignore_errors=True)


def _run(arguments: Arguments, tree: Path, progress: Progress, kept_logs: list[Path]) -> int:
    """Run the data processors that were asked for; a failed one does not keep the next from being run.

    Returns:
        The exit code; logs to keep are added to `kept_logs`.
    """
    codes = {0}
    try:
        candidate = packages.opened(arguments.package, tree)
        names: Sequence[str] = arguments.processors or (
            candidate.processors if arguments.all else candidate.processors[:1]
        )
        if not arguments.processors and not arguments.all and len(candidate.processors) > 1:
            others = ", ".join(candidate.processors[1:])
            progress.say(f"running {names[0]}; there are also {others} (--processor-module NAME, or --all)")
    except (ContainerError, OSError) as exc:
        return _failed("", exc, progress, kept_logs)
    for name in names:
        try:
            with Processes(tree / "logs", arguments.timeout_s) as processes:
                _run_processor(arguments, candidate, name, tree / name, processes, progress)
        except (ContainerError, OSError) as exc:
            codes.add(_failed(f"{name}: " if len(names) > 1 else "", exc, progress, kept_logs))
    # That a candidate fails is more than that another one could not be tried.
    return 1 if 1 in codes else max(codes)


def _failed(what: str, error: Exception, progress: Progress, kept_logs: list[Path]) -> int:
    """Say why; the exit code."""
    progress.clear()
    if isinstance(error, StepError):
        print(f"{COMMAND}: {what}{error.step} failed: {error}", file=sys.stderr)
        if error.log is not None:
            kept_logs.append(error.log)
            print(f"log: {error.log}", file=sys.stderr)
        return error.exit_code
    print(f"{COMMAND}: {what}{error}", file=sys.stderr)
    return error.exit_code if isinstance(error, ContainerError) else 2


def _run_processor(
    arguments: Arguments, candidate: Candidate, name: str, folder: Path, processes: Processes, progress: Progress
) -> None:
    processor = candidate.processor(name)
    progress.begin(f"{name}: check data")
    data = table.prepare(
        arguments.data, processor, folder / "data", arguments.problem, arguments.rows, progress=progress.update
    )
    classes = f", {data.classes} classes" if data.classes else ""
    progress.done(f"{data.rows:,} rows, {len(processor.columns)} columns, {data.problem.value}{classes}")
    for note in data.notes:
        progress.say(f"note: {note}")
    accept = arguments.transform_format or (records.RECORDIO if processor.is_sparse else contract.CSV)
    run = Run(candidate, processor, data, accept, folder, processes, progress)
    try:
        run.train()
        run.transform()
        run.train_stand_in()
        predictions = run.ask_endpoint()
    finally:
        progress.clear()
        if run.steps:
            print(
                f"{name}: {data.problem.value}{classes}, target {processor.target!r}\n\n{report(run.steps)}\n",
                flush=True,
            )
    print(score.report(predictions, data.problem) + "\n", flush=True)
