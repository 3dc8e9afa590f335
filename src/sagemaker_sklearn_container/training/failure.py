"""The text of the failure file: of all that went wrong, what the user needs to see first."""

from __future__ import annotations

import shlex
import signal
from typing import Sequence

_HEADER = "Traceback (most recent call last):"
_MESSAGE_CHARACTERS = 400
_FRAMES_CHARACTERS = 500
_TAIL_LINES = 40


def describe(exit_code: int, error_tail: bytes, command: Sequence[str]) -> str:
    """Why the user's program failed; the first 1024 characters, which the platform shows, tell it best.

    Args:
        exit_code: Of the program, 128 + n for signal n.
        error_tail: The end of its standard error.
        command: What was run.

    Returns:
        For an uncaught Python exception its type and message, then the innermost frames; else the reason for the exit
        and the last lines. The command, and more of standard error, follow.

    Source: contract T-04, T-05, T-10.
    """
    text = error_tail.decode("utf-8", errors="replace").replace("\r\n", "\n")
    message, frames = _last_exception(text) if exit_code < 128 else ("", "")
    summary = [message[:_MESSAGE_CHARACTERS], _innermost(frames), ""] if message else [_reason(exit_code)]
    tail = ["", "End of standard error:", *text.rstrip().split("\n")[-_TAIL_LINES:]] if text.strip() else []
    return "\n".join([*summary, f"Exit code {exit_code} from: {shlex.join(command)}", *tail, ""])


def _innermost(frames: str) -> str:
    """The last whole lines of `frames` that there is room for."""
    if len(frames) <= _FRAMES_CHARACTERS:
        return frames
    return "  ...\n" + frames[-_FRAMES_CHARACTERS:].partition("\n")[2]


def _last_exception(text: str) -> tuple[str, str]:
    """Message and frames of the last traceback in `text`; empty if there is none."""
    _, header, block = text.rpartition(_HEADER)
    if not header:
        return "", ""
    lines = block.strip("\n").split("\n")
    first = next((number for number, line in enumerate(lines) if line and not line.startswith(" ")), len(lines))
    return "\n".join(lines[first:]).strip(), "\n".join(lines[:first])


def _reason(exit_code: int) -> str:
    if exit_code <= 128:
        return f"The program ended with exit code {exit_code}."
    try:
        name = signal.Signals(exit_code - 128).name
    except ValueError:
        return f"The program ended with exit code {exit_code}."
    hint = (
        " Most often the instance is out of memory; use a larger one or less data at a time."
        if name == "SIGKILL"
        else ""
    )
    return f"The program was ended by {name} (exit code {exit_code}).{hint}"
