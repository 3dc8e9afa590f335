"""Exceptions of the script's functions that are the request's fault, and what its client is told.

What a function of the script raises is the script's fault, status 500 (S-44), but for three cases:

1. The exception says a status: the container's own do, and those of `mlio` over data that came with the request.
2. The body was empty or blank, and a function that works on it raised what Python and NumPy raise over data: 400.
3. The script is one of Autopilot's. Its functions do nothing but read CSV rows, transform them with a fitted model and
   write the result, so what is raised over data comes from the rows (400) or from the wanted type (406). They raise
   nothing over a line of column names, which imputers take for missing values: that is looked for before.

Source: contract S-42, S-44, A-05, A-08.
"""

from __future__ import annotations

import ast
import csv
import io
import re
from itertools import islice
from types import ModuleType
from typing import Any, Iterator, Mapping

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.codecs import media_types, texts
from sagemaker_sklearn_container.errors import (
    DecodeError,
    EncodeError,
    RefusedDataError,
    RefusedResultError,
    RequestError,
    StatedError,
)

# What is raised over data; not what says that the machine, a file or the script itself is broken.
_OVER_DATA = (ArithmeticError, AssertionError, EOFError, LookupError, TypeError, ValueError)
_STATUSES = range(400, 600)
# A longer body is not looked at.
_MOST_BLANKS = 4096
# Nor more of a body that may begin with column names.
_LONGEST_HEADER_LINE = 64 * 1024
_BEFORE_NAME = 8  # byte order mark, quote, blanks
# As float() says it, with the text that is no number.
_NO_NUMBER = re.compile(r"could not convert string to float: (?P<text>'.*'|\".*\")", re.DOTALL)


def is_autopilots(module: ModuleType | None, environ: Mapping[str, str]) -> bool:
    """Whether the script is one that Autopilot generates: it is called so, or it is told what to transform.

    Source: contract A-02.
    """
    name = "" if module is None else module.__name__.rpartition(".")[2]
    return name == contract.AUTOPILOT_SERVING_MODULE or bool(environ.get(contract.AUTOML_TRANSFORM_MODE))


def fault(
    error: Exception,
    function: str,
    body: bytes | memoryview,
    content_type: str,
    accept: str,
    autopilots: bool,
) -> RequestError | None:
    """The error that the client is told in place of `error`; None if that stands.

    Args:
        error: What the function raised.
        function: Its name.
        body: Request body as received.
        content_type: Content type, raw.
        accept: Accepted media type or types, raw.
        autopilots: Whether the script is one of Autopilot's.
    """
    if isinstance(error, RequestError):
        # The container's encoders are told by Autopilot's scripts what to write.
        is_clients = autopilots and isinstance(error, EncodeError)
        return _refused_result(f"{function} raised {type(error).__name__}: {error}", accept) if is_clients else None
    said_status = getattr(error, "request_status", None)
    status = said_status if isinstance(said_status, int) and said_status in _STATUSES else None
    if status is None and not isinstance(error, _OVER_DATA):
        return None
    try:
        message = str(error)
    except Exception:  # an exception class of the user's
        return None
    if status is not None:
        return StatedError(status, type(error).__name__, message)
    said = f"{function} raised {type(error).__name__}: {message}"
    if function == "output_fn":
        return _refused_result(said, accept) if autopilots else None
    lack = "empty" if not len(body) else "blank" if _is_blank(body) else None
    if lack is not None:
        return RefusedDataError(f"The request's body is {lack}, and {said.rstrip('.')}. Send at least one row of data.")
    if not autopilots:
        return None
    return RefusedDataError(
        f"{said.rstrip('.')}{_place(message, body, content_type)}. Send rows of {contract.CSV} without a header line, "
        "in the form and order of the training data."
    )


def refuse_header_line(model: Any, body: bytes | memoryview, content_type: str) -> None:
    """Refuse rows for a model of Autopilot's if the first one holds the names of the columns.

    The target's name may be among them or not.

    Args:
        model: The library's AutoMLTransformer, or any other, which knows no names.
        body: Request body as received.
        content_type: Content type, raw.

    Raises:
        DecodeError: the first row is that (status 400).
    """
    header = getattr(model, "header", None)
    indices = getattr(header, "_column_name_indices", None)  # the library tells the names to nobody
    if not isinstance(indices, dict) or not indices:
        return
    # Of two, since the first may be the target's. Nearly always that is all, however many columns there are.
    beginnings = [str(name).encode("utf-8") for name in islice(indices, 2)]
    begin = bytes(body[: max(map(len, beginnings)) + _BEFORE_NAME])
    if not any(name in begin for name in beginnings):
        return
    names = [str(name) for name in indices]
    target = getattr(header, "target_column_name", None)
    features = [name for name in names if name != target]
    if media_types.essence(content_type or contract.CSV) != contract.CSV:
        return
    first = [cell.strip() for cell in next(_rows(body[:_LONGEST_HEADER_LINE]), [])]
    if first in (names, features):
        raise DecodeError(
            f"Reading the {contract.CSV} body: row 1 holds the names of the columns, {', '.join(first[:3])}"
            f"{', ...' if len(first) > 3 else ''}. Send rows of data only, without a header line."
        )


def _is_blank(body: bytes | memoryview) -> bool:
    return len(body) <= _MOST_BLANKS and not bytes(body).strip()


def _refused_result(said: str, accept: str) -> RequestError:
    return RefusedResultError(
        f"The result cannot be written as {accept}: {said}. Ask for another type in the header Accept; for transformed "
        f"rows that is {contract.RECORDIO}."
    )


def _place(message: str, body: bytes | memoryview, content_type: str) -> str:
    """Where the first cell with the text that a message names stands, or nothing."""
    found = _NO_NUMBER.search(message)
    if found is None or media_types.essence(content_type or contract.CSV) != contract.CSV:
        return ""
    try:
        wanted = ast.literal_eval(found["text"])
    except (SyntaxError, ValueError):  # a script's own message of that form
        return ""
    for row, cells in enumerate(_rows(body), 1):
        if wanted in cells:
            return f" (row {row}, column {cells.index(wanted) + 1} is {texts.shortened(wanted)})"
    return ""


def _rows(body: bytes | memoryview) -> Iterator[list[str]]:
    """The rows of a CSV body, as far as they can be read."""
    lines = io.TextIOWrapper(io.BytesIO(body), encoding="utf-8-sig", errors="replace", newline="")
    try:
        yield from filter(None, csv.reader(lines))
    except csv.Error:
        return
