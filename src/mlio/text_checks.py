"""Keeps cells that are no UTF-8 from leaving a tensor; until then they stand in it, such bytes as lone surrogates."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

from mlio.errors import InvalidTextError
from mlio.stores import DataStore


class TextCheck:
    """The check of one column."""

    def __init__(self, store_of: Callable[[int], DataStore], numbers: Any, column: int, advice: str) -> None:
        """A check of the column number `column`, from 1, whose rows have these numbers."""
        self._store_of = store_of
        self._numbers = numbers
        self._column = column
        self._advice = advice

    def __call__(self, cells: np.ndarray[Any, Any]) -> None:
        """Raise InvalidTextError if one of `cells`, shape (n_rows, 1), is no text."""
        for number, cell in zip(self._numbers, cells[:, 0].tolist()):
            raw = cell.encode("utf-8", "surrogateescape")
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError as exc:
                store = self._store_of(int(number))
                error = InvalidTextError(
                    raw,
                    f"Reading the data store {store.id!r}: row {number}, column {self._column} has the byte "
                    f"0x{raw[exc.start]:02x}, which is no UTF-8 here ({exc.reason}). {self._advice}",
                )
                error.request_status = store.request_status
                raise error from None
