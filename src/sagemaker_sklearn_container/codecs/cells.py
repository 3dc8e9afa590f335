"""The numbers of a table while its body is read piece by piece."""

from __future__ import annotations

from typing import Any

import numpy as np

_SPARE = 1.1  # times the numbers that a body is expected to hold


class Cells:
    """A growing array of float32, which never takes its memory twice.

    Attributes:
        count: How many numbers there are.
    """

    def __init__(self) -> None:
        self.count = 0
        self._cells: np.ndarray[Any, Any] = np.empty(0, dtype=np.float32)

    def add(self, numbers: np.ndarray[Any, Any], read: float) -> None:
        """Add what a piece holds.

        Args:
            numbers: float32 ndarray of any shape, contiguous; belongs to this object from now on.
            read: The share of the body that has been read, this piece included.
        """
        count = self.count + numbers.size
        if not self.count and read == 1:
            self._cells = numbers.reshape(-1)
        else:
            if count > len(self._cells):
                # As if the rest were like what has been read; what is never written to takes no memory.
                self._resize(int(count * _SPARE / read))
            self._cells[self.count : count] = numbers.reshape(-1)
        self.count = count

    def table(self, *row: int) -> np.ndarray[Any, Any]:
        """All numbers, in rows of the given shape; nothing can be added any more."""
        if self.count < len(self._cells):
            self._resize(self.count)
        return self._cells.reshape(-1, *row)

    def _resize(self, size: int) -> None:
        if len(self._cells):
            self._cells.resize(size, refcheck=False)  # type: ignore[no-untyped-call,unused-ignore]
        else:
            self._cells = np.empty(size, dtype=np.float32)
