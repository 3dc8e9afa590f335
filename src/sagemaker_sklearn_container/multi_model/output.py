"""What a model's code prints, with the model's name before each line."""

from __future__ import annotations

import io
import os
import sys
from typing import Iterable

from sagemaker_sklearn_container import log


class NamedLines(io.TextIOBase):
    """A text stream whose lines begin with a name; each goes out whole.

    Source: contract M-38.
    """

    encoding = "utf-8"

    def __init__(self, name: str, descriptor: int) -> None:
        """A stream that writes to a file descriptor."""
        super().__init__()
        self._prefix = f"[{name}] "
        self._descriptor = descriptor
        self._line = ""

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """For those who write past it."""
        return self._descriptor

    def write(self, text: str) -> int:
        """Write whole lines, and keep the rest for later."""
        *lines, self._line = (self._line + text).split("\n")
        self._write_lines(lines)
        return len(text)

    def flush(self) -> None:
        """Write the rest as a line of its own."""
        if self._line:
            line, self._line = self._line, ""
            self._write_lines([line])

    def _write_lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            data = f"{self._prefix}{line}\n".encode("utf-8", errors="replace")
            while data:
                data = data[os.write(self._descriptor, data) :]


def name_lines(name: str) -> None:
    """Have `print` and everything else that writes to Python's standard streams write lines that begin with `name`."""
    sys.stdout = NamedLines(log.printable(name), 1)
    sys.stderr = NamedLines(log.printable(name), 2)
