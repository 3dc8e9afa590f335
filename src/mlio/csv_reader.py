"""Reads CSV.

Small payloads are split in Python: a call of pyarrow costs more than a thousand rows. Large ones go to pyarrow in
blocks of whole records; a block that it refuses, because a row is bad, is split in Python again, which says what is
wrong where.

Source: contract A-03.
"""

from __future__ import annotations

import bisect
import functools
from typing import Any, Generator, Iterator, Sequence

import numpy as np

from mlio.csv_blocks import blocks, cut
from mlio.csv_rows import BOM, UNTERMINATED, dialect, next_record, parse
from mlio.data_types import DataType
from mlio.errors import CorruptRecordError, DataReaderError, InvalidInstanceError, SchemaError
from mlio.params import CsvParams, DataReaderParams, MaxFieldLengthHandling, copied
from mlio.pieces import Fault, Piece, Rows, joined
from mlio.reader import READING_ERRORS, BatchReader, blamed, logger, reading_error
from mlio.schema import Attribute, Schema
from mlio.stores import DataStore
from mlio.tensors import DenseTensor, dense
from mlio.text_checks import TextCheck
from mlio.values import converted, inferred_type

# Large enough to be parsed fast; larger ones only take more memory.
BLOCK_BYTES = 2 * 2**20
# pyarrow takes a millisecond to begin, and some 60 us for each column of a block. Few rows are split faster in Python,
# quoted ones some ten times slower than others.
SMALL_BYTES = 64 * 1024
_SMALL_ROWS_SHARE, _SMALL_QUOTED_ROWS_SHARE = 64, 512

_STRING = DataType.STRING
_LONGEST_SHOWN = 64
# Schemas of more columns are made anew: what a request has in it must not stay in memory.
_KEPT_COLUMNS = 1000
_ENCODING_ADVICE = "Send UTF-8, or give CsvParams(encoding=...)."


class CsvReader(BatchReader):
    """A reader of CSV; each batch has one DenseTensor of shape (n_rows, 1) for each column."""

    _skips_rows = True

    def __init__(
        self,
        data_reader_params: DataReaderParams,
        csv_params: CsvParams | None = None,
        *,
        _block_bytes: int = BLOCK_BYTES,
        _small_bytes: int = SMALL_BYTES,
    ) -> None:
        """A reader.

        Args:
            data_reader_params: Which rows of what.
            csv_params: What the text looks like; None: as `CsvParams()` says.

        Raises:
            ValueError, TypeError: it cannot do what the parameters ask for.

        Source: contract A-03.
        """
        super().__init__(data_reader_params)
        self._csv = csv = CsvParams() if csv_params is None else copied(csv_params)
        self._dialect = dialect(
            csv.delimiter,
            csv.quote_char,
            csv.comment_char,
            csv.allow_quoted_new_lines,
            csv.skip_blank_lines,
            csv.max_line_length,
        )
        self._block_bytes = _block_bytes
        self._small_bytes = _small_bytes
        self._may_use_arrow = (
            csv.comment_char is None
            and csv.skip_blank_lines
            and csv.max_line_length is None
            and csv.max_field_length is None
        )
        self._names: list[str] = list(csv.column_names)
        # How many columns rows have; 0 while that is unknown.
        self._columns = len(self._names)
        self._types: list[DataType] = []
        self._used: list[int] | None = None
        self._all_text = False

    def _start(self) -> None:
        super()._start()
        self._number = 1  # of the next row
        self._first_numbers: list[int] = []  # of the stores' rows
        self._stores: list[DataStore] = []
        self._expects_header = True

    # Finding rows.

    def _read_pieces(self) -> Generator[Piece, None, None]:
        for store in self._params.dataset:
            self._first_numbers.append(self._number)
            self._stores.append(store)
            try:
                open_pieces = getattr(store, "open_pieces", store.open_read)
                with open_pieces() as stream:
                    yield from self._store_pieces(store, stream)
            except DataReaderError:
                raise
            except READING_ERRORS as exc:
                raise reading_error(store, exc, self._number - self._first_numbers[-1] + 1) from exc

    def _store_pieces(self, store: DataStore, stream: Any) -> Iterator[Piece]:
        header = self._rows_above()
        for block, is_last in blocks(stream, self._dialect, self._csv.encoding, self._block_bytes):
            self._bytes += len(block)
            at = 0
            while header >= 0:
                record = next_record(block, at, self._dialect)
                if record is None:
                    at = len(block)
                    break
                if header == 0 and not self._names:
                    self._take_names(store, block[record[0] : record[1]])
                at = record[2]
                header -= 1
            while self._number <= self._params.num_instances_to_skip:
                record = next_record(block, at, self._dialect)
                if record is None:
                    at = len(block)
                    break
                at = record[2]
                self._number += 1
            if at < len(block):
                yield from self._block_pieces(store, block[at:] if at else block, is_last)

    def _rows_above(self) -> int:
        """How many rows of the store that is opened now are above its header; -1 if it has none."""
        index = self._csv.header_row_index
        if index is None:
            return -1
        is_expected = self._expects_header or not self._csv.has_single_header or not self._names
        self._expects_header = False
        return index if is_expected else -1

    def _take_names(self, store: DataStore, record: bytes) -> None:
        rows: list[list[str]] = []
        try:
            parse(record.decode("utf-8"), self._dialect._replace(skip_blank=False, comment=None), rows)
        except UnicodeDecodeError as exc:
            raise blamed(SchemaError(f"Reading the header of the data store {store.id!r}: {exc}."), store) from exc
        names = rows[0] if rows else [""]
        if not names:
            cause = CorruptRecordError(UNTERMINATED)
            raise blamed(SchemaError(f"Reading the header of the data store {store.id!r}: {cause}"), store) from cause
        self._names = [self._csv.name_prefix + name for name in names]
        self._columns = len(names)

    def _block_pieces(self, store: DataStore, block: bytes, is_last: bool) -> Iterator[Piece]:
        """The rows of a block of whole records."""
        if len(block) > self._small_bytes and self._may_use_arrow:
            cells = self._table(store, block, is_last)
            if cells is not None:
                if cells.shape[1]:
                    yield Rows(cells, self._numbers(cells.shape[1]))
                return
        try:
            text, is_text = block.decode("utf-8"), True
        except UnicodeDecodeError:
            text, is_text = block.decode("utf-8", "surrogateescape"), False
        rows: list[list[str]] = []
        failure: Exception | None = None
        try:
            parse(text, self._dialect, rows)
        except READING_ERRORS as exc:
            failure = exc
        if rows:
            self._check_first(store, rows[0])
            yield from self._row_pieces(store, rows, is_text)
        if failure is not None:
            raise failure

    def _table(self, store: DataStore, block: bytes, is_last: bool) -> np.ndarray[Any, Any] | None:
        """The cells of the block; None if pyarrow cannot tell them."""
        if block.find(BOM, 1) >= 0:
            return None
        quote = self._dialect.quote.encode("ascii")
        has_quotes = quote in block
        # Where line ends end rows in any case, each block may end within quotes.
        may_be_open = has_quotes and (is_last or not self._dialect.multiline)
        if may_be_open and cut(block, self._dialect._replace(multiline=True))[1]:
            return None
        try:
            record = next_record(block, 0, self._dialect)
        except CorruptRecordError:
            return None
        if record is None:
            return np.empty((0, 0), object)
        share = _SMALL_QUOTED_ROWS_SHARE if has_quotes else _SMALL_ROWS_SHARE
        if len(block) // (record[2] - record[0]) < self._small_bytes // share:
            return None
        first: list[list[str]] = []
        parse(block[record[0] : record[1]].decode("utf-8", "surrogateescape"), self._dialect, first)
        self._check_first(store, first[0])
        from mlio import csv_arrow

        cells = csv_arrow.table(block, self._dialect, self._columns)
        if cells is None or not has_quotes or self._dialect.multiline:
            return cells
        # Equal only if no line end was taken for text within quotes.
        return cells if cells.shape[1] == sum(map(bool, block.splitlines())) else None

    def _check_first(self, store: DataStore, row: Sequence[str]) -> None:
        """The first row of all says how many columns there are, or must have as many as there are names."""
        if self._columns == 0:
            if not row:
                cause = CorruptRecordError(UNTERMINATED)
                text = f"Reading the data store {store.id!r}: row {self._number}: {cause}"
                raise blamed(SchemaError(text), store) from cause
            self._columns = len(row)
            return
        is_first = self._schema is None and self._number == self._params.num_instances_to_skip + 1
        if is_first and row and len(row) != self._columns:
            raise blamed(
                SchemaError(
                    f"Reading the data store {store.id!r}: row {self._number} has {len(row)} columns, but there "
                    f"are {self._columns} column names. Give one name for each column."
                ),
                store,
            )

    def _numbers(self, count: int) -> range:
        first = self._number
        self._number += count
        return range(first, first + count)

    def _row_pieces(self, store: DataStore, rows: list[list[str]], is_text: bool) -> Iterator[Piece]:
        columns = self._columns
        longest = self._csv.max_field_length
        start = 0
        if longest is not None or set(map(len, rows)) != {columns}:
            for at, row in enumerate(rows):
                error = self._row_error(store, row, self._number + at - start)
                if error is not None:
                    if start < at:
                        yield self._rows(rows[start:at], is_text)
                    self._number += 1
                    start = at + 1
                    yield Fault(error)
        if start < len(rows):
            yield self._rows(rows[start:] if start else rows, is_text)

    def _rows(self, rows: list[list[str]], is_text: bool) -> Rows:
        return Rows(np.array(rows, object).T, self._numbers(len(rows)), is_text)

    def _row_error(self, store: DataStore, row: list[str], number: int) -> DataReaderError | None:
        """What is wrong with a row; cells that may be cut are cut."""
        found, expected = len(row), self._columns
        where = f"Reading the data store {store.id!r}: row {number}"
        if not row:
            cause = CorruptRecordError(UNTERMINATED)
            error = InvalidInstanceError(f"{where}: {cause}")
            error.__cause__ = cause
            return blamed(error, store)
        if found != expected:
            difference = "missing" if found < expected else "too many"
            text = (
                f"{where} has {found} columns (column {min(found, expected) + 1} is {difference}), but the first row "
                f"or the header has {expected}; all rows must have as many. Quote cells that contain the delimiter "
                f"{self._csv.delimiter!r}."
            )
            return blamed(InvalidInstanceError(text), store)
        return self._cut_long_cells(store, row, where)

    def _cut_long_cells(self, store: DataStore, row: list[str], where: str) -> DataReaderError | None:
        longest = self._csv.max_field_length
        if longest is None:
            return None
        for at, cell in enumerate(row):
            if len(cell) <= longest or not self._is_used(at):
                continue
            text = f"{where}, column {at + 1} has {len(cell)} characters, more than max_field_length, {longest}: "
            shown = cell[: min(longest, _LONGEST_SHOWN)]
            if self._csv.max_field_length_handling is MaxFieldLengthHandling.TREAT_AS_BAD:
                return blamed(InvalidInstanceError(f"{text}{shown!r}"), store)
            if self._csv.max_field_length_handling is MaxFieldLengthHandling.TRUNCATE_WARN:
                logger.warning("%s%r is left of it.", text, shown)
            row[at] = cell[:longest]
        return None

    # The schema.

    def _is_used(self, at: int) -> bool:
        csv = self._csv
        if csv.use_columns_by_index and at not in csv.use_columns_by_index:
            return False
        return not csv.use_columns or self._name(at) in csv.use_columns

    def _name(self, at: int) -> str:
        return self._names[at] if self._names else f"{self._csv.name_prefix}{at + 1}"

    def _schema_of(self, batch: Sequence[Piece] | None) -> Schema | None:
        if self._columns == 0:
            return None
        csv = self._csv
        plain = csv.default_data_type
        if plain is not None and not (
            self._names or csv.column_types or csv.column_types_by_index or csv.use_columns or csv.use_columns_by_index
        ):
            self._types = [plain] * self._columns
            self._all_text = plain is _STRING
            make = _kept_schema if self._columns <= _KEPT_COLUMNS else _numbered_schema
            return make(self._columns, csv.name_prefix, plain, self._params.batch_size)
        first = None
        if batch is not None:
            first = next((piece for piece in batch if isinstance(piece, Rows)), None)
        names = [self._name(at) for at in range(self._columns)]
        self._types = self._column_types(names, first)
        used = [at for at in range(self._columns) if self._is_used(at)]
        self._used = None if len(used) == self._columns else used
        self._all_text = all(self._types[at] is _STRING for at in used)
        chosen = [names[at] for at in used]
        if csv.dedupe_column_names:
            chosen = _deduped(chosen)
        try:
            return _schema(chosen, [self._types[at] for at in used], self._params.batch_size)
        except ValueError as exc:
            raise SchemaError(f"Reading the names of the columns: {exc}") from exc

    def _column_types(self, names: Sequence[str], first: Rows | None) -> list[DataType]:
        csv = self._csv
        if csv.default_data_type is not None or first is None:
            types = [csv.default_data_type or _STRING] * len(names)
        else:
            types = [inferred_type(cell) for cell in first.cells[:, 0].tolist()]
        for at, data_type in csv.column_types_by_index.items():
            if not 0 <= at < len(names):
                last = len(names) - 1
                raise ValueError(f"Setting types of columns: there is no column {at}; they go from 0 to {last}.")
            types[at] = data_type
        for name, data_type in csv.column_types.items():
            if name not in names:
                raise ValueError(f"Setting types of columns: no column is called {name!r}; there are {list(names)}.")
            types[names.index(name)] = data_type
        return types

    # Decoding.

    def _decoded(self, batch: Sequence[Piece]) -> tuple[list[DenseTensor], int, list[DataReaderError]]:
        errors: list[DataReaderError] = []
        if len(batch) == 1 and type(batch[0]) is Rows:
            rows = batch[0]
        else:
            good = [piece for piece in batch if isinstance(piece, Rows)]
            errors = [piece.error for piece in batch if isinstance(piece, Fault)]
            rows = joined(good) if good else Rows(np.empty((self._columns, 0), object), range(0))
        if self._all_text:
            cells = rows.cells if self._used is None else rows.cells[self._used]
            if rows.is_text:
                return [dense(column[:, None]) for column in cells], len(rows), errors
        features, bad = self._features(rows)
        if bad:
            # A row that has an error already is none of `rows`.
            errors += bad.values()
            features, _ = self._features(rows.without(list(bad)))
        return features, len(rows) - len(bad), errors

    def _features(self, rows: Rows) -> tuple[list[DenseTensor], dict[int, DataReaderError]]:
        """The columns, and by position the errors of rows with cells that are no numbers."""
        features: list[DenseTensor] = []
        bad: dict[int, DataReaderError] = {}
        for at in range(self._columns) if self._used is None else self._used:
            column = rows.cells[at]
            data_type = self._types[at]
            if data_type is _STRING:
                check = None if rows.is_text else TextCheck(self.store_of, rows.numbers, at + 1, _ENCODING_ADVICE)
                features.append(dense(column[:, None], check))
                continue
            numbers = converted(column.tolist(), data_type, self._csv.parser_params)
            if isinstance(numbers, list):
                for position in numbers:
                    if position not in bad:
                        bad[position] = self._cell_error(at, int(rows.numbers[position]), column[position])
            else:
                features.append(dense(numbers[:, None]))
        return features, {position: bad[position] for position in sorted(bad)}

    def _cell_error(self, at: int, number: int, cell: str) -> DataReaderError:
        store = self.store_of(number)
        shown = cell if len(cell) <= _LONGEST_SHOWN else cell[:_LONGEST_SHOWN] + "..."
        return blamed(
            InvalidInstanceError(
                f"Reading the data store {store.id!r}: row {number}, column {at + 1} ({self._name(at)!r}) is "
                f"{shown!r}, which is no {self._types[at].name}. Correct it, or give the column another type."
            ),
            store,
        )

    def store_of(self, number: int) -> DataStore:
        """The store that has the row of a number, from 1 over the data set."""
        return self._stores[bisect.bisect_right(self._first_numbers, number) - 1]


def _numbered_schema(columns: int, prefix: str, data_type: DataType, batch_size: int) -> Schema:
    return _schema([f"{prefix}{number}" for number in range(1, columns + 1)], [data_type] * columns, batch_size)


# For one row it costs as much as all the rest.
_kept_schema = functools.lru_cache(maxsize=16)(_numbered_schema)


def _schema(names: Sequence[str], types: Sequence[DataType], batch_size: int) -> Schema:
    shape, strides = (batch_size, 1), (1, 1)
    return Schema([Attribute(name, data_type, shape, strides) for name, data_type in zip(names, types)])


def _deduped(names: Sequence[str]) -> list[str]:
    counts: dict[str, int] = {}
    unique: list[str] = []
    for name in names:
        candidate = name
        while candidate in counts:
            count = counts[candidate]
            counts[candidate] += 1
            candidate = f"{candidate}_{count}"
        counts[candidate] = 1
        unique.append(candidate)
    return unique
