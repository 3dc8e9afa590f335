"""What the user sees: progress on standard error, the table of the steps on standard output."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass
from typing import IO, Sequence

_HEADINGS = ("step", "read", "wrote", "took")
_UNITS = ("B", "kB", "MB", "GB")
# How often lines come where they cannot be overwritten.
_LINE_S = 10.0
_REDRAW_S = 0.1


@dataclass(frozen=True)
class Step:
    """A step that is done.

    Attributes:
        name: What was done.
        read: Of what, with rows and bytes.
        wrote: What came of it.
        seconds: Wall-clock time.
    """

    name: str
    read: str
    wrote: str
    seconds: float


def size(count: int) -> str:
    """Bytes, for people: decimal units."""
    number, unit = float(count), 0
    while number >= 1000 and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{count} B" if unit == 0 else f"{number:.1f} {_UNITS[unit]}"


def shape(rows: int, columns: int | None = None) -> str:
    """Rows, and columns if there is a number of them."""
    return f"{rows:,} row{'s' * (rows != 1)}" if columns is None else f"{rows:,} x {columns:,}"


def table(steps: Sequence[Step]) -> str:
    """The steps, one a line, in columns."""
    lines = [_HEADINGS, *((one.name, one.read, one.wrote, f"{one.seconds:.1f} s") for one in steps)]
    return columns(lines)


def columns(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells, the first one the headings; each column as wide as its widest cell."""
    widths = [max(map(len, cells)) for cells in zip(*lines)]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    return "\n".join([texts[0], "  ".join("-" * width for width in widths), *texts[1:]])


class Progress:
    """What is being done now: on a terminal one line that changes, elsewhere a line now and then."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        """Write to `stream`, by default standard error."""
        self._stream = sys.stderr if stream is None else stream
        self._terminal = self._stream.isatty()
        self._step = ""
        self._begin = 0.0
        self._last = 0.0
        self._drawn = False

    def begin(self, step: str) -> None:
        """A step begins."""
        self._step = step
        self._begin = self._last = time.monotonic()
        if self._terminal:
            self._draw(step)
        else:
            self.say(f"{step} ...")

    def update(self, text: str = "") -> None:
        """It goes on; may be called as often as one likes."""
        now = time.monotonic()
        if now - self._last < (_REDRAW_S if self._terminal else _LINE_S):
            return
        self._last = now
        line = f"{self._step}: {text + ', ' if text else ''}{now - self._begin:.0f} s"
        if self._terminal:
            self._draw(line)
        else:
            self.say(line)

    def done(self, text: str) -> None:
        """It has ended well."""
        self.say(f"{self._step}: {text}, {time.monotonic() - self._begin:.1f} s")

    def say(self, text: str) -> None:
        """A line that stays."""
        self.clear()
        print(text, file=self._stream, flush=True)

    def clear(self) -> None:
        """Take away the line that changes."""
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = False

    def _draw(self, line: str) -> None:
        self._stream.write(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}")
        self._stream.flush()
        self._drawn = True
