"""Base of readers whose stores hold records that are decoded one by one."""

from __future__ import annotations

import bisect
from typing import Any, Generator, Iterator

from mlio.errors import DataReaderError
from mlio.params import DataReaderParams
from mlio.pieces import Piece, Records
from mlio.reader import READING_ERRORS, BatchReader, reading_error
from mlio.stores import DataStore
from mlio.streams import InputStream

_PIECE_RECORDS = 256


class RecordBatchReader(BatchReader):
    """A reader of records."""

    def __init__(self, data_reader_params: DataReaderParams) -> None:
        """A reader; see `BatchReader`."""
        super().__init__(data_reader_params)

    def _start(self) -> None:
        super()._start()
        self._first_numbers: list[int] = []
        self._stores: list[DataStore] = []

    def _records(self, stream: InputStream) -> Iterator[tuple[Any, int]]:
        """The records of a stream, and how many bytes each takes."""
        raise NotImplementedError

    def _read_pieces(self) -> Generator[Piece, None, None]:
        number = 1
        for store in self._params.dataset:
            self._first_numbers.append(number)
            self._stores.append(store)
            payloads: list[Any] = []
            failure: DataReaderError | None = None
            open_pieces = getattr(store, "open_pieces", store.open_read)
            try:
                with open_pieces() as stream:
                    for payload, size in self._records(stream):
                        self._bytes += size
                        payloads.append(payload)
                        if len(payloads) == _PIECE_RECORDS:
                            yield Records(payloads, range(number, number + len(payloads)))
                            number += len(payloads)
                            payloads = []
            except DataReaderError as exc:
                failure = exc
            except READING_ERRORS as exc:
                failure = reading_error(store, exc, number + len(payloads) - self._first_numbers[-1] + 1)
                failure.__cause__ = exc
            if payloads:
                yield Records(payloads, range(number, number + len(payloads)))
                number += len(payloads)
            if failure is not None:
                raise failure

    def store_of(self, number: int) -> DataStore:
        """The store that has the record of a number, from 1 over the data set."""
        return self._stores[bisect.bisect_right(self._first_numbers, number) - 1]
