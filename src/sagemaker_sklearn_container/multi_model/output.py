"""What a model's code prints, with the model's name before each line."""

from __future__ import annotations

import io
import os
import sys
from typing import Any, Iterable

from sagemaker_sklearn_container import log


class NamedLines(io.RawIOBase):
    """A stream of bytes whose lines begin with a name; each goes out whole.

    Source: contract M-38.
    """

    def __init__(self, name: str, descriptor: int) -> None:
        """A stream that writes to a file descriptor."""
        super().__init__()
        self._prefix = f"[{name}] ".encode("utf-8", errors="replace")
        self._descriptor = descriptor
        self._line = b""

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """For those who write past it."""
        return self._descriptor

    def write(self, data: Any) -> int:
        """Write whole lines, and keep the rest for later."""
        written = bytes(data)
        *lines, self._line = (self._line + written).split(b"\n")
        self._write_lines(lines)
        return len(written)

    def flush(self) -> None:
        """Write the rest as a line of its own."""
        if self._line:
            line, self._line = self._line, b""
            self._write_lines([line])

    def _write_lines(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            data = self._prefix + line + b"\n"
            while data:
                data = data[os.write(self._descriptor, data) :]


def named_text(name: str, descriptor: int) -> io.TextIOWrapper:
    """The same for text, with all that scripts may expect of a standard stream."""
    lines: Any = NamedLines(name, descriptor)
    return io.TextIOWrapper(lines, encoding="utf-8", errors="backslashreplace", newline="\n", write_through=True)


def name_lines(name: str) -> None:
    """Have `print` and everything else that writes to Python's standard streams write lines that begin with `name`."""
    sys.stdout = named_text(log.printable(name), 1)
    sys.stderr = named_text(log.printable(name), 2)
