"""The text of the failure file: of all that went wrong, what the user needs to see first."""

from __future__ import annotations

import re
import shlex
import signal
from dataclasses import dataclass
from typing import Sequence

_HEADER = "Traceback (most recent call last):"
# What Python writes between the exceptions of a chain, cause first.
_LINKS = (
    "\nThe above exception was the direct cause of the following exception:\n\n",
    "\nDuring handling of the above exception, another exception occurred:\n\n",
)
# Python prints no header for a script it cannot compile.
_SYNTAX_ERROR = re.compile(r'^  File "[^\n]*", line \d+\n(?: [^\n]*\n)*(?:Syntax|Indentation|Tab)Error:', re.MULTILINE)
_MESSAGE_CHARACTERS = 400
# With a cause, so that both stand in what consoles show without scrolling.
_CHAINED_CHARACTERS = 140
_FRAMES_CHARACTERS = 500
_LAST_WORDS_LINES = 3
_LAST_WORDS_CHARACTERS = 200
_TAIL_LINES = 40


@dataclass(frozen=True)
class _Raised:
    """An uncaught exception as Python prints it: type and message, frames, and the first exception of its chain."""

    message: str
    frames: str
    cause: str = ""


def describe(exit_code: int, error_tail: bytes, command: Sequence[str]) -> str:
    """Why the user's program failed; the first 1024 characters, which the platform shows, tell it best.

    Args:
        exit_code: Of the program, 128 + n for signal n.
        error_tail: The end of its standard error.
        command: What was run.

    Returns:
        For an uncaught Python exception its type and message, what caused it, then the innermost frames; else the
        reason for the exit and the program's last words. The command, and more of standard error, follow.

    Source: contract T-04, T-05, T-10.
    """
    text = error_tail.decode("utf-8", errors="replace").replace("\r\n", "\n")
    raised = None if _killed_by(exit_code) else _last_exception(text)
    summary = _exit(exit_code, text) if raised is None else _exception(raised)
    tail = ["", "End of standard error:", *text.rstrip().split("\n")[-_TAIL_LINES:]] if text.strip() else []
    return "\n".join([*summary, f"Exit code {exit_code} from: {shlex.join(command)}", *tail, ""])


def _exception(raised: _Raised) -> list[str]:
    if not raised.cause:
        return [raised.message[:_MESSAGE_CHARACTERS], _innermost(raised.frames), ""]
    caused_by = f"caused by {raised.cause[:_CHAINED_CHARACTERS]}"
    return [raised.message[:_CHAINED_CHARACTERS], caused_by, _innermost(raised.frames), ""]


def _exit(exit_code: int, text: str) -> list[str]:
    last_words = "\n".join(line for line in text.split("\n") if line.strip()).split("\n")[-_LAST_WORDS_LINES:]
    return [_reason(exit_code), *filter(None, ["\n".join(last_words)[-_LAST_WORDS_CHARACTERS:]])]


def _innermost(frames: str) -> str:
    """The last whole lines of `frames` that there is room for."""
    if len(frames) <= _FRAMES_CHARACTERS:
        return frames
    return "  ...\n" + frames[-_FRAMES_CHARACTERS:].partition("\n")[2]


def _last_exception(text: str) -> _Raised | None:
    """The last traceback in `text`, or None."""
    before, header, block = text.rpartition(_HEADER)
    if not header:
        matches = list(_SYNTAX_ERROR.finditer(text))
        return _parsed(text[matches[-1].start() :]) if matches else None
    last = _parsed(block)
    if not before.endswith(_LINKS):
        return last
    # The chain begins after the last traceback header that no link leads to.
    while before.endswith(_LINKS):
        before, _, block = before.rpartition(_HEADER)
    for link in _LINKS:
        block = block.partition(link)[0]
    return _Raised(last.message, last.frames, _parsed(block).message)


def _parsed(block: str) -> _Raised:
    """The exception whose frames begin `block`; everything after them is its message."""
    lines = block.strip("\n").split("\n")
    first = next((number for number, line in enumerate(lines) if line and not line.startswith(" ")), len(lines))
    return _Raised("\n".join(lines[first:]).strip(), "\n".join(lines[:first]))


def _reason(exit_code: int) -> str:
    name = _killed_by(exit_code)
    if name is None:
        return f"The program ended with exit code {exit_code}."
    hint = (
        " Most often the instance is out of memory; use a larger one or less data at a time."
        if name == "SIGKILL"
        else ""
    )
    return f"The program was ended by {name} (exit code {exit_code}).{hint}"


def _killed_by(exit_code: int) -> str | None:
    """Name of the signal that the exit code stands for, or None."""
    try:
        return signal.Signals(exit_code - 128).name if exit_code > 128 else None
    except ValueError:
        return None
