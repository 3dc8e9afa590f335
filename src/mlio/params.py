"""What readers can be told."""

from __future__ import annotations

import enum
from typing import AbstractSet, Any, Iterable, Mapping, Sequence, TypeVar

from mlio.data_types import DataType
from mlio.stores import DataStore

_Params = TypeVar("_Params")


class LastExampleHandling(enum.Enum):
    """What happens to a last batch with fewer rows: NONE returns it, PAD fills it up with zeros and ''."""

    NONE = 0
    DROP = 1
    DROP_WARN = 2
    PAD = 3
    PAD_WARN = 4


class BadExampleHandling(enum.Enum):
    """What happens to a batch with bad rows: ERROR raises, SKIP drops the batch, PAD the rows, filling the batch up."""

    ERROR = 0
    SKIP = 1
    SKIP_WARN = 2
    PAD = 3
    PAD_WARN = 4


class MaxFieldLengthHandling(enum.Enum):
    """What happens to a cell that is too long."""

    TREAT_AS_BAD = 0
    TRUNCATE = 1
    TRUNCATE_WARN = 2


class DataReaderParams:
    """What all readers can be told. Attributes are called as the arguments are and may be set."""

    def __init__(
        self,
        dataset: Iterable[DataStore],
        batch_size: int,
        num_prefetched_examples: int = 0,
        num_parallel_reads: int = 0,
        last_example_handling: LastExampleHandling = LastExampleHandling.NONE,
        bad_example_handling: BadExampleHandling = BadExampleHandling.ERROR,
        warn_bad_instances: bool = True,
        num_instances_to_skip: int = 0,
        num_instances_to_read: int | None = None,
        shard_index: int = 0,
        num_shards: int = 0,
        sample_ratio: float | None = None,
        shuffle_instances: bool = False,
        shuffle_window: int = 0,
        shuffle_seed: int | None = None,
        reshuffle_each_epoch: bool = True,
    ) -> None:
        """Parameters of a reader.

        Args:
            dataset: Stores that are read one after the other, as one stream of rows.
            batch_size: Rows in a batch.
            num_prefetched_examples: Has no meaning here: one batch is made when it is asked for.
            num_parallel_reads: Has no meaning here.
            last_example_handling: For a last batch with fewer rows.
            bad_example_handling: For a batch with bad rows.
            warn_bad_instances: Whether to log a warning for each bad row.
            num_instances_to_skip: So many rows at the beginning are left out.
            num_instances_to_read: Reading ends after so many rows; None reads all.
            shard_index: Which shard to read, from 0.
            num_shards: Row n goes to shard n modulo this; 0 and 1 read all.
            sample_ratio: Share of the rows to read, between 0 and 1: so many of the first in each hundred.
            shuffle_instances: Whether to shuffle rows.
            shuffle_window: Rows that are shuffled at a time; 0 takes the whole data set into memory.
            shuffle_seed: Makes the order repeatable; None takes another at each start.
            reshuffle_each_epoch: Whether each `reset` leads to another order.

        Raises:
            ValueError: the batch size is not positive.
            TypeError: `dataset` has something that is no store.
        """
        self.dataset = list(dataset)
        self.batch_size = batch_size
        self.num_prefetched_examples = num_prefetched_examples
        self.num_parallel_reads = num_parallel_reads
        self.last_example_handling = last_example_handling
        self.bad_example_handling = bad_example_handling
        self.warn_bad_instances = warn_bad_instances
        self.num_instances_to_skip = num_instances_to_skip
        self.num_instances_to_read = num_instances_to_read
        self.shard_index = shard_index
        self.num_shards = num_shards
        self.sample_ratio = sample_ratio
        self.shuffle_instances = shuffle_instances
        self.shuffle_window = shuffle_window
        self.shuffle_seed = shuffle_seed
        self.reshuffle_each_epoch = reshuffle_each_epoch
        checked(self)

    def __repr__(self) -> str:
        return _repr(self)


def checked(params: DataReaderParams) -> DataReaderParams:
    """`params`, if a reader can do what they ask for.

    Raises:
        ValueError, TypeError: it cannot; says what is wrong.
    """
    if params.batch_size <= 0:
        raise ValueError(f"Reading batches: batch_size is {params.batch_size}; it must be greater than 0.")
    for store in params.dataset:
        if not isinstance(store, DataStore):
            raise TypeError(
                f"Reading a data set: it has a {type(store).__name__}; all its members must be data stores, such as "
                "mlio.File or mlio.InMemoryStore."
            )
    if params.num_instances_to_skip < 0 or (params.num_instances_to_read or 0) < 0:
        raise ValueError("Reading a data set: num_instances_to_skip and num_instances_to_read cannot be negative.")
    if params.num_shards > 1 and not 0 <= params.shard_index < params.num_shards:
        raise ValueError(
            f"Reading a shard: shard_index is {params.shard_index}; it must be from 0 to {params.num_shards - 1}, one "
            "less than num_shards."
        )
    if params.sample_ratio is not None and not 0 < params.sample_ratio < 1:
        raise ValueError(f"Sampling: sample_ratio is {params.sample_ratio}; it must be greater than 0, less than 1.")
    if params.shuffle_window < 0:
        raise ValueError(f"Shuffling: shuffle_window is {params.shuffle_window}; it cannot be negative.")
    return params


class ParserParams:
    """How cells become numbers. Attributes are called as the arguments are and may be set."""

    def __init__(self, nan_values: Iterable[str] = (), number_base: int = 10) -> None:
        """Parameters of the conversion.

        Args:
            nan_values: Texts that are NaN in columns of floating point numbers.
            number_base: Of integers, 2 to 36.
        """
        self.nan_values = set(nan_values)
        self.number_base = number_base

    def __repr__(self) -> str:
        return _repr(self)


class CsvParams:
    """What `CsvReader` can be told. Attributes are called as the arguments are and may be set."""

    def __init__(
        self,
        column_names: Sequence[str] = (),
        name_prefix: str = "",
        use_columns: AbstractSet[str] | Sequence[str] = frozenset(),
        use_columns_by_index: AbstractSet[int] | Sequence[int] = frozenset(),
        default_data_type: DataType | None = None,
        column_types: Mapping[str, DataType] | None = None,
        column_types_by_index: Mapping[int, DataType] | None = None,
        header_row_index: int | None = 0,
        has_single_header: bool = False,
        dedupe_column_names: bool = True,
        delimiter: str = ",",
        quote_char: str = '"',
        comment_char: str | None = None,
        allow_quoted_new_lines: bool = False,
        skip_blank_lines: bool = True,
        encoding: str | None = None,
        max_field_length: int | None = None,
        max_field_length_handling: MaxFieldLengthHandling = MaxFieldLengthHandling.TREAT_AS_BAD,
        max_line_length: int | None = None,
        parser_params: ParserParams | None = None,
    ) -> None:
        """Parameters of CSV.

        Args:
            column_names: Names of the columns; empty takes them from the header, else "1", "2" and so on.
            name_prefix: Put before names from the header and numbers.
            use_columns: Names of the columns to read; empty reads all.
            use_columns_by_index: Positions of the columns to read, from 0; empty reads all.
            default_data_type: Type of all columns; None looks at the first row.
            column_types: Types of columns by name.
            column_types_by_index: Types of columns by position, from 0.
            header_row_index: Which row of each store has the names, from 0; rows above are left out. None: no header.
            has_single_header: Whether only the first store has a header.
            dedupe_column_names: Whether a second "X" becomes "X_1", a third "X_2"; else it is a SchemaError.
            delimiter: One ASCII character between cells.
            quote_char: One ASCII character around cells that hold delimiters.
            comment_char: Lines that begin with it are left out; None: there are none.
            allow_quoted_new_lines: Whether line ends within quotes belong to the cell.
            skip_blank_lines: Whether empty lines are left out; else each is a row of one empty cell.
            encoding: Of the text; None looks at the first bytes, else UTF-8.
            max_field_length: Longest cell, in characters; None: no limit.
            max_field_length_handling: For a longer one.
            max_line_length: A row must be shorter, in characters, else DataReaderError; None: no limit.
            parser_params: How cells become numbers.
        """
        self.column_names = list(column_names)
        self.name_prefix = name_prefix
        self.use_columns = set(use_columns)
        self.use_columns_by_index = set(use_columns_by_index)
        self.default_data_type = default_data_type
        self.column_types = dict(column_types or {})
        self.column_types_by_index = dict(column_types_by_index or {})
        self.header_row_index = header_row_index
        self.has_single_header = has_single_header
        self.dedupe_column_names = dedupe_column_names
        self.delimiter = delimiter
        self.quote_char = quote_char
        self.comment_char = comment_char
        self.allow_quoted_new_lines = allow_quoted_new_lines
        self.skip_blank_lines = skip_blank_lines
        self.encoding = encoding
        self.max_field_length = max_field_length
        self.max_field_length_handling = max_field_length_handling
        self.max_line_length = max_line_length
        self.parser_params = parser_params if parser_params is not None else ParserParams()

    def __repr__(self) -> str:
        return _repr(self)


def copied(params: _Params) -> _Params:
    """The same parameters in an object of their own: readers keep what they were given."""
    copy = object.__new__(type(params))
    copy.__dict__.update(params.__dict__)
    return copy


def _repr(params: Any) -> str:
    return f"<{type(params).__name__} {' '.join(f'{name}={value!r}' for name, value in vars(params).items())}>"
