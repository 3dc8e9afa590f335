"""Rows on their way from a store to a batch, many at a time."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from mlio.errors import DataReaderError


class Piece:
    """Consecutive rows or records."""

    __slots__ = ()

    def __len__(self) -> int:
        raise NotImplementedError

    def part(self, rows: slice) -> Piece:
        """Some of them."""
        raise NotImplementedError


class Fault(Piece):
    """One row that cannot be used.

    Attributes:
        error: Says why.
    """

    __slots__ = ("error",)

    def __init__(self, error: DataReaderError) -> None:
        """A row that raises `error` where it is not left out."""
        self.error = error

    def __len__(self) -> int:
        return 1

    def part(self, rows: slice) -> Fault | Rows:
        """Itself, or nothing."""
        return self if len(range(1)[rows]) else NO_ROWS


class Rows(Piece):
    """Rows of a table.

    Attributes:
        cells: Object ndarray of str, shape (n_columns, n_rows).
        numbers: Numbers of the rows in the data set, from 1; range or ndarray.
        is_text: False if a cell may have bytes that are no UTF-8, as lone surrogates.
    """

    __slots__ = ("cells", "numbers", "is_text")

    def __init__(self, cells: np.ndarray[Any, Any], numbers: Any, is_text: bool = True) -> None:
        """Rows; see the attributes."""
        self.cells = cells
        self.numbers = numbers
        self.is_text = is_text

    def __len__(self) -> int:
        return int(self.cells.shape[1])

    def part(self, rows: slice) -> Rows:
        """Some of them, without a copy."""
        return Rows(self.cells[:, rows], self.numbers[rows], self.is_text)

    def without(self, rows: Sequence[int]) -> Rows:
        """All but those at the given positions."""
        keep = np.ones(len(self), bool)
        keep[list(rows)] = False
        return Rows(self.cells[:, keep], np.asarray(self.numbers)[keep], self.is_text)


NO_ROWS = Rows(np.empty((0, 0), object), range(0))


def joined(rows: Sequence[Rows]) -> Rows:
    """All rows in one piece."""
    if len(rows) == 1:
        return rows[0]
    return Rows(
        np.concatenate([piece.cells for piece in rows], axis=1),
        np.concatenate([np.asarray(piece.numbers) for piece in rows]),
        all(piece.is_text for piece in rows),
    )


class Records(Piece):
    """Records that are decoded one by one.

    Attributes:
        payloads: What each of them holds.
        numbers: Their numbers in the data set, from 1; range or list.
    """

    __slots__ = ("payloads", "numbers")

    def __init__(self, payloads: Sequence[Any], numbers: Sequence[int]) -> None:
        """Records; see the attributes."""
        self.payloads = payloads
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.payloads)

    def part(self, rows: slice) -> Records:
        """Some of them."""
        return Records(self.payloads[rows], self.numbers[rows])
