"""Requests of a step: what has no answer, and what a refusal says."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from typing import Callable, Sequence

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.autopilot import culprit
from sagemaker_sklearn_container.autopilot.errors import StepError
from sagemaker_sklearn_container.autopilot.report import size
from sagemaker_sklearn_container.autopilot.servers import Answer, Server

_SHOWN_ANSWER = 1000
# Rows that are tried for one that passes.
_MOST_TRIED = 50


def asked(step: str, server: Server, body: bytes, kind: str) -> Answer:
    """The answer to a body of media type `kind`.

    Raises:
        StepError: there is none.
    """
    try:
        return server.ask(body, kind)
    except OSError as exc:
        raise StepError(step, f"a request of {size(len(body))} got no answer: {exc}", server.log) from exc


def passing(server: Server) -> Callable[[bytes], bool]:
    """Whether the server takes a body; what it does not answer counts as failed."""

    def passes(body: bytes) -> bool:
        with contextlib.suppress(OSError):
            return server.ask(body, contract.CSV).status == 200
        return False

    return passes


def said(answer: Answer) -> str:
    """Status and text of a refusal."""
    text = answer.text
    with contextlib.suppress(ValueError, AttributeError):
        text = json.loads(text).get("error-message") or text
    return f"status {answer.status}: {text[:_SHOWN_ANSWER] or 'without a text'}"


def column_of(lines: Sequence[bytes], place: int, names: Sequence[str], passes: Callable[[bytes], bool]) -> str:
    """`:COLUMN (NAME)` of the cell that makes a line fail, if it is one alone and another line passes."""
    bad = next(csv.reader([lines[place].decode("utf-8")]))
    others = [line for number, line in enumerate(lines) if number != place][:_MOST_TRIED]
    good = next((next(csv.reader([line.decode("utf-8")])) for line in others if passes(line)), None)
    if good is None or not len(good) == len(bad) == len(names):
        return ""

    def row_passes(cells: Sequence[str]) -> bool:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(cells)
        return passes(text.getvalue().encode("utf-8"))

    column = culprit.cell(bad, good, row_passes)
    return "" if column is None else f":{column + 1} (column {names[column]!r}, value {bad[column][:80]!r})"
