"""The text of the failure file: of all that went wrong, what the user needs to see first."""

from __future__ import annotations

import re
import shlex
import signal
from dataclasses import dataclass
from typing import Sequence

_HEADER = "Traceback (most recent call last):"
_BLOCK = re.compile(rf"^{re.escape(_HEADER)}\n", re.MULTILINE)
# What Python writes between the exceptions of a chain, cause first.
_LINKS = (
    "\nThe above exception was the direct cause of the following exception:\n\n",
    "\nDuring handling of the above exception, another exception occurred:\n\n",
)
# What Python writes before an exception that did not end the program.
_BESIDE = re.compile(r"^(Exception ignored in|Error in atexit\.|Exception in thread )", re.MULTILINE)
# Python prints no header for a script it cannot compile.
_SYNTAX_ERROR = re.compile(r'^  File "[^\n]*", line \d+\n(?: [^\n]*\n)*(?:Syntax|Indentation|Tab)Error:', re.MULTILINE)
_MESSAGE_CHARACTERS = 400
# Where two things have to be said, so that both stand in what consoles show without scrolling.
_SHARED_CHARACTERS = 140
_FRAMES_CHARACTERS = 500
_LAST_WORDS_LINES = 3
_LAST_WORDS_CHARACTERS = 200
# A message that is longer than this is most likely followed by something else.
_MESSAGE_LINES = 8
_TAIL_LINES = 40
_TAIL_CHARACTERS = 8000


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
        reason for the exit and the program's last words; both, where it is not clear which of the two it was. The
        command, and more of standard error, follow.

    Source: contract T-04, T-05, T-10.
    """
    text = error_tail.decode("utf-8", errors="replace").replace("\r\n", "\n")
    raised = None if _killed_by(exit_code) else _last_exception(text)
    summary = _exit(exit_code, text) if raised is None else _exception(raised)
    end = "\n".join(text.rstrip().split("\n")[-_TAIL_LINES:])[-_TAIL_CHARACTERS:]
    tail = ["", "End of standard error:", end] if end.strip() else []
    return "\n".join([*summary, f"Exit code {exit_code} from: {shlex.join(command)}", *tail, ""])


def _exception(raised: _Raised) -> list[str]:
    lines = raised.message.split("\n")
    if len(lines) > _MESSAGE_LINES:
        # A long message, or an exception that was logged and survived, and then the words the program ended with.
        return [lines[0][:_SHARED_CHARACTERS], "...", _last_words(raised.message), _innermost(raised.frames), ""]
    if not raised.cause:
        return [raised.message[:_MESSAGE_CHARACTERS], _innermost(raised.frames), ""]
    caused_by = f"caused by {raised.cause[:_SHARED_CHARACTERS]}"
    return [raised.message[:_SHARED_CHARACTERS], caused_by, _innermost(raised.frames), ""]


def _exit(exit_code: int, text: str) -> list[str]:
    return [_reason(exit_code), *filter(None, [_last_words(text)])]


def _last_words(text: str) -> str:
    lines = [line for line in text.split("\n") if line.strip()]
    return "\n".join(lines[-_LAST_WORDS_LINES:])[-_LAST_WORDS_CHARACTERS:]


def _innermost(frames: str) -> str:
    """The last whole lines of `frames` that there is room for."""
    if len(frames) <= _FRAMES_CHARACTERS:
        return frames
    return "  ...\n" + frames[-_FRAMES_CHARACTERS:].partition("\n")[2]


def _last_exception(text: str) -> _Raised | None:
    """The last exception in `text` that can have ended the program, or None."""
    blocks = _blocks(text)
    if not blocks:
        matches = list(_SYNTAX_ERROR.finditer(text))
        return _parsed(text[matches[-1].start() :]) if matches else None
    last = len(blocks) - 1
    ending = [number for number, (before, _) in enumerate(blocks) if not _BESIDE.match(_last_line(before))]
    if ending:
        last = ending[-1]
    first = last
    while first > 0 and blocks[first][0].endswith(_LINKS):
        first -= 1
    raised, cause = _parsed(blocks[last][1]), _parsed(blocks[first][1])
    if cause.message == raised.message:
        # A worker's exception, raised again where its result was asked for: the worker's frames are the user's.
        return _Raised(raised.message, cause.frames)
    return _Raised(raised.message, raised.frames, cause.message)


def _blocks(text: str) -> list[tuple[str, str]]:
    """What stands before each traceback, and the traceback without its header up to the next one."""
    headers = list(_BLOCK.finditer(text))
    ends = [header.start() for header in headers[1:]] + [len(text)]
    return [(text[: header.start()], text[header.end() : end]) for header, end in zip(headers, ends)]


def _last_line(text: str) -> str:
    return text.rstrip("\n").rpartition("\n")[2]


def _parsed(block: str) -> _Raised:
    """The exception whose frames begin `block`; everything after them is its message, but what introduces the next."""
    for link in _LINKS:
        block = _without_end(block, link)
    beside = _BESIDE.search(block)
    if beside is not None:
        block = block[: beside.start()]
    lines = block.strip("\n").split("\n")
    first = next((number for number, line in enumerate(lines) if line and not line.startswith(" ")), len(lines))
    message = "\n".join(lines[first:]).strip()
    # How the standard library quotes the traceback of another process.
    return _Raised(_without_end(message, '\n"""'), "\n".join(lines[:first]))


def _without_end(text: str, end: str) -> str:
    return text[: -len(end)] if text.endswith(end) else text


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
