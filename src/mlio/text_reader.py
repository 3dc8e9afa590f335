"""Reads lines of text."""

from __future__ import annotations

from typing import Iterator, Sequence

import numpy as np

from mlio.csv_blocks import blocks
from mlio.csv_rows import dialect, next_record
from mlio.data_types import DataType
from mlio.errors import DataReaderError
from mlio.pieces import Piece, Records
from mlio.record_batches import RecordBatchReader
from mlio.schema import Attribute, Schema
from mlio.streams import InputStream
from mlio.tensors import DenseTensor, dense
from mlio.text_checks import TextCheck

_BLOCK_BYTES = 1 << 20
# Lines are records whatever is in them.
_LINES = dialect(",", '"', None, False, False, None)


class TextLineReader(RecordBatchReader):
    """A reader of lines; each batch has one feature, "value": a DenseTensor of str, shape (n_rows, 1).

    Lines end with `\\n`, `\\r\\n` or `\\r`; blank ones count.
    """

    def _records(self, stream: InputStream) -> Iterator[tuple[bytes, int]]:
        for block, _ in blocks(stream, _LINES, None, _BLOCK_BYTES):
            record = next_record(block, 0, _LINES)
            while record is not None:
                begin, end, after = record
                yield block[begin:end], after - begin
                record = next_record(block, after, _LINES)

    def _schema_of(self, batch: Sequence[Piece] | None) -> Schema | None:
        return Schema([Attribute("value", DataType.STRING, (self._params.batch_size, 1))])

    def _decoded(self, batch: Sequence[Piece]) -> tuple[list[DenseTensor], int, list[DataReaderError]]:
        lines: list[str] = []
        numbers: list[int] = []
        for piece in batch:
            assert isinstance(piece, Records)
            lines += [line.decode("utf-8", "surrogateescape") for line in piece.payloads]
            numbers += piece.numbers
        column = np.empty((len(lines), 1), object)
        column[:, 0] = lines
        return [dense(column, TextCheck(self.store_of, numbers, 1, "Send UTF-8."))], len(lines), []
