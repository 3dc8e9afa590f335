"""What all readers have in common: batches, epochs, and what is done about bad rows."""

from __future__ import annotations

import itertools
import logging
import random
from typing import Callable, Generator, Iterator, Sequence, TypeVar

import numpy as np

from mlio.errors import DataReaderError, MLIOError, NotSupportedError, RecordError, StreamError
from mlio.examples import Example
from mlio.instances import batches, chosen
from mlio.params import BadExampleHandling, DataReaderParams, LastExampleHandling, checked, copied
from mlio.pieces import Piece
from mlio.schema import Schema
from mlio.stores import DataStore
from mlio.tensors import CooTensor, Tensor, checked_array, dense

_Result = TypeVar("_Result")
_Failure = TypeVar("_Failure", bound=DataReaderError)

logger = logging.getLogger("mlio")

_LAST, _BAD = LastExampleHandling, BadExampleHandling
_DROPPED = (_LAST.DROP, _LAST.DROP_WARN)
_PADDED = (_LAST.PAD, _LAST.PAD_WARN)
_WARNED = (_LAST.DROP_WARN, _LAST.PAD_WARN)


class DataReader:
    """Base of all readers. Iterating goes on where reading stands, to the end of the epoch."""

    def read_example(self) -> Example | None:
        """The next batch; None at the end."""
        raise NotImplementedError

    def peek_example(self) -> Example | None:
        """The next batch, which the next call returns again; None at the end."""
        raise NotImplementedError

    def read_schema(self) -> Schema | None:
        """The schema of the data set; None if it is empty and its columns are unknown."""
        raise NotImplementedError

    def reset(self) -> None:
        """Begin the next epoch: read from the start again."""
        raise NotImplementedError

    @property
    def num_bytes_read(self) -> int:
        """How many bytes of the data set were read in this epoch."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Example]:
        return iter(self.read_example, None)


class BatchReader(DataReader):
    """Base of the readers here: they say how rows are found and decoded."""

    # Whether `_read_pieces` leaves out the first rows itself.
    _skips_rows = False

    def __init__(self, data_reader_params: DataReaderParams) -> None:
        """A reader; nothing is opened before the first batch or the schema is asked for.

        Raises:
            ValueError, TypeError: it cannot do what the parameters ask for.
        """
        self._params = copied(checked(data_reader_params))
        self._schema: Schema | None = None
        self._order: random.Random | None = None
        self._seed: int | None = None
        self._start()

    def _start(self) -> None:
        self._pieces: Generator[Piece, None, None] | None = None
        self._batches: Iterator[list[Piece]] | None = None
        self._peeked: Example | None = None
        self._failure: BaseException | None = None
        self._examples = 0
        self._bytes = 0

    def read_example(self) -> Example | None:
        """The next batch.

        Returns:
            Example of `batch_size` rows, of fewer at the end; None at the end of the epoch.

        Raises:
            DataReaderError: the data cannot be read or has a bad row (status 400 when it came from memory). Raised
                again by each further call, until `reset`.

        Source: contract A-03.
        """
        example = self._peeked
        if example is not None:
            self._peeked = None
            return example
        return self._guarded(self._next)

    def peek_example(self) -> Example | None:
        """The next batch, which the next call returns again; raises as `read_example` does."""
        if self._peeked is None:
            self._peeked = self._guarded(self._next)
        return self._peeked

    def read_schema(self) -> Schema | None:
        """The schema of the data set; raises as `read_example` does."""
        if self._schema is None:
            self._guarded(self._infer)
        return self._schema

    def reset(self) -> None:
        """Begin the next epoch: read from the start again; of a pipe, from its next FIFO."""
        if self._pieces is not None:
            self._pieces.close()
        self._start()

    @property
    def num_bytes_read(self) -> int:
        """How many bytes of the data set, inflated, were read in this epoch; more than the batches had, since reading
        goes ahead."""
        return self._bytes

    def _guarded(self, function: Callable[[], _Result]) -> _Result:
        if self._failure is not None:
            raise self._failure
        try:
            return function()
        except Exception as exc:
            self._failure = exc
            raise

    def _next(self) -> Example | None:
        while True:
            if self._batches is None:
                self._batches = self._open()
            batch = next(self._batches, None)
            if batch is None:
                # Reading may have ended before the data did.
                assert self._pieces is not None
                self._pieces.close()
                return None
            if self._schema is None:
                self._schema = self._schema_of(batch)
            example = self._example(batch)
            if example is not None:
                return example

    def _infer(self) -> None:
        if self._batches is None:
            self._batches = self._open()
        batch = next(self._batches, None)
        if batch is not None:
            self._batches = itertools.chain([batch], self._batches)
        self._schema = self._schema_of(batch)

    def _open(self) -> Iterator[list[Piece]]:
        self._pieces = pieces = self._read_pieces()
        params = self._params
        if params.shuffle_instances:
            self._order = self._shuffling()
        return batches(chosen(pieces, params, self._order, skips=not self._skips_rows), params.batch_size)

    def _shuffling(self) -> random.Random:
        if self._order is not None and self._params.reshuffle_each_epoch:
            return self._order
        if self._seed is None:
            given = self._params.shuffle_seed
            self._seed = random.SystemRandom().getrandbits(64) if given is None else given
        return random.Random(self._seed)

    def _example(self, batch: Sequence[Piece]) -> Example | None:
        """The batch, decoded; None if it is dropped."""
        params = self._params
        rows = sum(map(len, batch))
        size = rows
        if rows < params.batch_size and params.last_example_handling is not _LAST.NONE:
            handling = params.last_example_handling
            if handling in _WARNED:
                logger.warning(
                    "The last example has %d of %d instances; it is %s.",
                    rows,
                    params.batch_size,
                    "dropped" if handling in _DROPPED else "padded",
                )
            if handling in _DROPPED:
                return None
            size = params.batch_size
        features, good, errors = self._decoded(batch)
        if errors and self._is_dropped(errors):
            return None
        assert self._schema is not None
        if good < size:
            features = [_padded(feature, size) for feature in features]
        example = Example(self._schema, features)
        example.padding = size - good
        self._examples += 1
        return example

    def _is_dropped(self, errors: Sequence[DataReaderError]) -> bool:
        """Whether the batch with these bad rows is dropped.

        Raises:
            DataReaderError: neither it nor its rows shall be.
        """
        if self._params.warn_bad_instances:
            for error in errors:
                logger.warning("%s", error)
        handling = self._params.bad_example_handling
        if handling is _BAD.ERROR:
            raise errors[0]
        is_dropped = handling in (_BAD.SKIP, _BAD.SKIP_WARN)
        if handling in (_BAD.SKIP_WARN, _BAD.PAD_WARN):
            logger.warning(
                "The example behind example %d has %d bad instances; %s.",
                self._examples,
                len(errors),
                "it is skipped" if is_dropped else "they are replaced by padding",
            )
        return is_dropped

    def _read_pieces(self) -> Generator[Piece, None, None]:
        """All rows of the data set. A generator."""
        raise NotImplementedError

    def _schema_of(self, batch: Sequence[Piece] | None) -> Schema | None:
        """The schema, by the first rows; None stands for an empty data set."""
        raise NotImplementedError

    def _decoded(self, batch: Sequence[Piece]) -> tuple[Sequence[Tensor], int, Sequence[DataReaderError]]:
        """The features of the batch's good rows, how many those are, and the errors of the others, in order."""
        raise NotImplementedError


def _padded(feature: Tensor, size: int) -> Tensor:
    if isinstance(feature, CooTensor):
        indices = [np.asarray(feature.indices(axis)) for axis in range(len(feature.shape))]
        return CooTensor((size, *feature.shape[1:]), np.asarray(feature.data), indices, copy=False)
    array = checked_array(feature)  # type: ignore[arg-type]
    missing = (size - len(array), *array.shape[1:])
    filling = np.full(missing, "", object) if array.dtype == object else np.zeros(missing, array.dtype)
    return dense(np.concatenate([array, filling]))


def reading_error(store: DataStore, error: Exception, record: int | None = None) -> DataReaderError:
    """The error of a reader that met `error` in `store`; its cause is to be set by `raise ... from`.

    Args:
        store: What was being read.
        error: OSError or MLIOError.
        record: Number of the record, from 1, where it is known.
    """
    what = f"Reading the data store {store.id!r}"
    if isinstance(error, FileNotFoundError):
        text = f"{what}: it does not exist."
    elif isinstance(error, PermissionError):
        text = f"{what}: permission to read it is denied ({error})."
    elif isinstance(error, OSError):
        text = f"{what}: {error}."
    elif isinstance(error, RecordError):
        text = f"{what}: record {record}: {error}"
    elif isinstance(error, (StreamError, NotSupportedError)):
        text = f"{what}: {error}"
    else:
        text = f"{what}: {type(error).__name__}: {error}"
    return blamed(DataReaderError(text), store)


def blamed(error: _Failure, store: DataStore) -> _Failure:
    """`error`, with the status of a request that sent what `store` holds."""
    if store.request_status is not None:
        error.request_status = store.request_status
    return error


# What a store may raise while it is opened or read.
READING_ERRORS = (OSError, MLIOError, EOFError, UnicodeError)
