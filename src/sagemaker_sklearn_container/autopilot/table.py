"""The data of a run: checked against the data processor before anything is trained, and laid out as a channel."""

from __future__ import annotations

import csv
import io
import math
import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path
from typing import Callable, NamedTuple, Sequence

from sagemaker_sklearn_container.autopilot import csv_rows
from sagemaker_sklearn_container.autopilot.candidate import Problem, Processor
from sagemaker_sklearn_container.autopilot.csv_rows import Row
from sagemaker_sklearn_container.autopilot.errors import InputError

# Rows that are sent through the endpoint.
SAMPLE_ROWS = 200
# More different labels than these are numbers rather than classes; no more are counted.
_MOST_CLASSES = 10_000
_SHOWN = 5
_PROGRESS_ROWS = 20_000


class Sample(NamedTuple):
    """A row for the endpoint: its number among all, features as a CSV line, label, and where it stands."""

    number: int
    features: bytes
    label: str
    where: str


class Source(NamedTuple):
    """A file of the channel, and what it was made of.

    Attributes:
        channel: The file of the channel.
        file: The user's file.
        first_line: Line of that with the first row.
    """

    channel: Path
    file: Path
    first_line: int

    def line(self, number: int) -> int:
        """Line of the user's file where the row begins that has line `number` of the channel's, both from 1."""
        end = 0
        for row in csv_rows.rows(self.file):
            if row.line >= self.first_line:
                end += max(1, row.raw.count(b"\n"))
                if end >= number:
                    return row.line
        return self.first_line


@dataclass
class Table:
    """The rows that a run uses.

    Attributes:
        channel: Directory of the headerless files, the target column included.
        rows: How many.
        bytes: Of all files.
        problem: What is predicted.
        classes: How many different labels there are; 0 for regression.
        sample: Some rows; the same ones every time.
        sources: The files of the channel.
        notes: What the user should know.
    """

    channel: Path
    problem: Problem = Problem.REGRESSION
    rows: int = 0
    bytes: int = 0
    classes: int = 0
    sample: list[Sample] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def prepare(
    data: Path,
    processor: Processor,
    channel: Path,
    problem: Problem | None = None,
    limit: int | None = None,
    progress: Callable[[str], object] = lambda text: None,
) -> Table:
    """Check every row of `data` and copy it to the directory `channel`.

    Args:
        data: CSV file or directory.
        processor: Whose columns the rows must have.
        channel: Directory to make.
        problem: None to guess it.
        limit: Use so many rows only.
        progress: Is told how far it is.

    Raises:
        InputError: names file, line, and column if it is about one.
    """
    channel.mkdir(parents=True)
    table = Table(channel)
    wants_numbers = problem is Problem.REGRESSION or (problem is None and not processor.encodes_labels)
    check = _Check(processor, wants_numbers)
    chance = random.Random(0)
    for number, path in enumerate(csv_rows.files(data)):
        part = channel / f"{number:04}-{path.stem}.csv"
        with part.open("wb") as target:
            header_line = 0
            for is_first, row in zip(chain([True], repeat(False)), csv_rows.rows(path)):
                if is_first and _is_header(row, processor):
                    _check_header(path, row, processor)
                    header_line = row.line
                    table.notes.append(f"{path}:{row.line}: the column names are left out; the platform has none")
                    continue
                if limit is not None and table.rows >= limit:
                    break
                label = check.label(path, row)
                raw = row.raw if row.raw.endswith((b"\n", b"\r")) else row.raw + b"\n"
                target.write(raw)
                table.rows += 1
                table.bytes += len(raw)
                if label is None:
                    continue
                place = len(table.sample) if len(table.sample) < SAMPLE_ROWS else chance.randrange(table.rows)
                if place < SAMPLE_ROWS:
                    features = _features(row, processor.target_index)
                    table.sample[place : place + 1] = [Sample(table.rows, features, label, f"{path}:{row.line}")]
                if table.rows % _PROGRESS_ROWS == 0:
                    progress(f"{table.rows:,} rows")
        table.sources.append(Source(part, path, header_line + 1))
    if not table.rows:
        raise InputError(f"{data}: there are no rows of data. Give a CSV with {_described(processor)}.")
    check.finish(data)
    table.sample.sort()
    table.notes += check.notes
    table.classes = 0 if wants_numbers else len(check.labels)
    table.problem = problem or _problem(wants_numbers, len(processor.labels) or table.classes)
    if problem is Problem.BINARY and table.classes > 2:
        raise InputError(
            f"{data}: the column {processor.target!r} has {table.classes} different labels; a binary problem has two. "
            "Leave --problem out, or choose multiclass."
        )
    return table


def _problem(is_regression: bool, classes: int) -> Problem:
    if is_regression:
        return Problem.REGRESSION
    return Problem.BINARY if classes <= 2 else Problem.MULTICLASS


def _described(processor: Processor) -> str:
    return f"{len(processor.columns)} columns, {processor.target!r} as number {processor.target_index + 1}"


def _features(row: Row, target: int) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([*row.cells[:target], *row.cells[target + 1 :]])
    return line.getvalue().encode("utf-8")


def _plain(names: Sequence[str]) -> list[str]:
    return [name.strip().casefold() for name in names]


def _is_header(row: Row, processor: Processor) -> bool:
    """Whether a first row holds names: at least half of its cells are names of columns."""
    known = set(_plain(processor.columns))
    cells = _plain(row.cells)
    return 2 * sum(cell in known for cell in cells) >= len(cells)


def _check_header(path: Path, row: Row, processor: Processor) -> None:
    """Stop at column names that are not those of the data processor, in their order."""
    seen, wanted = _plain(row.cells), _plain(processor.columns)
    if seen == wanted:
        return
    where = f"{path}:{row.line}"
    missing = [name for name, plain in zip(processor.columns, wanted) if plain not in seen]
    unknown = [name for name, plain in zip(row.cells, seen) if plain not in wanted]
    if processor.target in missing and len(missing) == 1 and not unknown:
        raise InputError(f"{where}: the target column {processor.target!r} is missing. {_HOW_TARGET}")
    if missing or unknown:
        parts = [f"missing: {_listed(missing)}"] * bool(missing) + [f"not known to it: {_listed(unknown)}"] * bool(
            unknown
        )
        raise InputError(
            f"{where}: the columns are not those of the data processor {processor.name} ({'; '.join(parts)}). "
            "Use the data that Autopilot had, or choose another data processor with --processor-module."
        )
    place = next((i for i, (one, other) in enumerate(zip(seen, wanted)) if one != other), len(wanted))
    if place == len(wanted):
        raise InputError(f"{where}:{place + 1}: {row.cells[place]!r} is there once more. Remove that column.")
    raise InputError(
        f"{where}:{place + 1}: this column is {row.cells[place]!r}, and the data processor {processor.name} takes "
        f"number {place + 1} for {processor.columns[place]!r}. It goes by order: bring the columns into that of HEADER."
    )


_HOW_TARGET = "It is needed to train, and to see how good predictions are: add it at its place."


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


class _Check:
    """Rows one after another, and what is known of their labels."""

    def __init__(self, processor: Processor, wants_numbers: bool) -> None:
        """No row was seen yet."""
        self.labels: Counter[str] = Counter()
        self.notes: list[str] = []
        self._processor = processor
        self._wants_numbers = wants_numbers
        self._known = set(processor.labels)
        self._first_unknown = ""
        self._unknown = 0
        self._first_dropped = ""
        self._dropped = 0
        self._rows = 0

    def label(self, path: Path, row: Row) -> str | None:
        """The label of a row that is as it should be; None if the data processor leaves it out for its label."""
        expected = len(self._processor.columns)
        if len(row.cells) != expected:
            raise self._wrong_number(path, row, expected)
        self._rows += 1
        label = row.cells[self._processor.target_index]
        where = f"{path}:{row.line}:{self._processor.target_index + 1}"
        if self._wants_numbers and self._processor.drops_labels and not _is_number(label):
            self._dropped += 1
            self._first_dropped = self._first_dropped or f"{where}: the label {label!r} is no finite number"
            return None
        if not label.strip():
            raise InputError(
                f"{where}: the label is missing (column {self._processor.target!r}). Remove the row: Autopilot leaves "
                "such rows out, too."
            )
        if self._wants_numbers:
            if not _is_number(label):
                raise InputError(
                    f"{where}: the label is {label!r} (column {self._processor.target!r}); a regression needs a "
                    "finite number. Remove the row, or choose another --problem."
                )
        elif len(self.labels) <= _MOST_CLASSES:
            self.labels[label] += 1
        if self._known and label not in self._known:
            self._unknown += 1
            self._first_unknown = self._first_unknown or f"{where}: {label!r}"
        return label

    def finish(self, data: Path) -> None:
        """What only all rows together tell."""
        if self._dropped:
            if self._dropped == self._rows:
                raise InputError(
                    f"{self._first_dropped}, nor is that of any other row. Correct the column of the target."
                )
            self.notes.append(f"{self._first_dropped}; the data processor leaves out {self._dropped} such row(s)")
        if self._unknown:
            known = _listed(self._processor.labels)
            if self._unknown == self._rows:
                raise InputError(
                    f"{self._first_unknown} is none of the labels that the package was generated for ({known}), and so "
                    "it is in every row. Write them exactly so; blanks and capitals count."
                )
            self.notes.append(
                f"{self._first_unknown} is none of the labels that the package was generated for ({known}); "
                f"{self._unknown} row(s) count as its unseen label"
            )
        if not self._wants_numbers and len(self.labels) < 2:
            only = next(iter(self.labels))
            raise InputError(
                f"{data}: every row has the same label, {only!r} (column {self._processor.target!r}). "
                "Use rows of at least two classes."
            )

    def _wrong_number(self, path: Path, row: Row, expected: int) -> InputError:
        found, processor = len(row.cells), self._processor
        if self._rows:
            where = f"{path}:{row.line}:{min(found, expected) + (found > expected)}"
            advice = (
                "A cell with a comma in it must be quoted." if found > expected else "Missing values are empty cells."
            )
            return InputError(
                f"{where}: the row has {found} columns; expected are {expected}, as in other rows. {advice}"
            )
        where = f"{path}:{row.line}"
        if found == expected - 1:
            return InputError(
                f"{where}: the row has {found} columns; the data processor {processor.name} expects {expected}. "
                f"Perhaps the target column {processor.target!r}, number {processor.target_index + 1}, is missing. "
                f"{_HOW_TARGET}"
            )
        if found == 1:
            advice = "Separate the columns by commas."
        elif found < expected:
            advice = f"It has none for {_listed(processor.columns[found:])}, if the others are in order."
        else:
            advice = f"The last {found - expected} have no name in HEADER."
        return InputError(
            f"{where}: the row has {found} columns; the data processor {processor.name} expects {expected}. {advice} "
            "Use the data that Autopilot had, or choose another data processor with --processor-module."
        )


def _is_number(label: str) -> bool:
    try:
        return math.isfinite(float(label))
    except ValueError:
        return False
