"""Reads RecordIO-protobuf.

Source: contract C-25, A-03.
"""

from __future__ import annotations

from typing import Any, Iterator, Sequence

import numpy as np

from mlio.data_types import dtype_of
from mlio.errors import DataReaderError, InvalidInstanceError, MLIOError, SchemaError
from mlio.pieces import Piece, Records
from mlio.reader import blamed
from mlio.record_batches import RecordBatchReader
from mlio.recordio import Feature, features, messages
from mlio.schema import Attribute, Schema
from mlio.streams import InputStream
from mlio.tensors import CooTensor, Tensor, dense


class RecordIOProtobufReader(RecordBatchReader):
    """A reader of RecordIO-protobuf; features are called as in the records, labels with the prefix "label_".

    A batch has a DenseTensor of shape (n_rows, ...) for each dense feature, a CooTensor for each sparse one.
    """

    def _records(self, stream: InputStream) -> Iterator[tuple[bytes, int]]:
        for message in messages(stream):
            yield message, len(message)

    def _schema_of(self, batch: Sequence[Piece] | None) -> Schema | None:
        if not batch or not isinstance(batch[0], Records):
            return None
        number = batch[0].numbers[0]
        store = self.store_of(number)
        try:
            found = features(batch[0].payloads[0])
            attributes = [self._attribute(feature) for feature in found]
            return Schema(attributes)
        except (MLIOError, ValueError) as exc:
            error = SchemaError(f"Reading the data store {store.id!r}: record {number}: {exc}")
            raise blamed(error, store) from exc

    def _attribute(self, feature: Feature) -> Attribute:
        if feature.keys is not None and not feature.shape:
            raise ValueError(f"the sparse feature {feature.name!r} has no shape.")
        shape = (self._params.batch_size, *feature.shape)
        return Attribute(feature.name, feature.data_type, shape, sparse=feature.keys is not None)

    def _decoded(self, batch: Sequence[Piece]) -> tuple[Sequence[Tensor], int, Sequence[DataReaderError]]:
        assert self._schema is not None
        errors: list[DataReaderError] = []
        rows: list[list[Feature]] = []
        for piece in batch:
            assert isinstance(piece, Records)
            for message, number in zip(piece.payloads, piece.numbers):
                try:
                    rows.append(self._row(message, self._schema))
                except (MLIOError, ValueError) as exc:
                    store = self.store_of(number)
                    error = InvalidInstanceError(f"Reading the data store {store.id!r}: record {number}: {exc}")
                    error.__cause__ = exc
                    errors.append(blamed(error, store))
        columns = [
            _tensor(attribute, [row[at] for row in rows]) for at, attribute in enumerate(self._schema.attributes)
        ]
        return columns, len(rows), errors

    def _row(self, message: bytes, schema: Schema) -> list[Feature]:
        """The features of a record in the schema's order.

        Raises:
            ValueError: the record does not fit the schema.
            CorruptRecordError: it cannot be read.
        """
        found = {feature.name: feature for feature in features(message)}
        if found.keys() != {attribute.name for attribute in schema.attributes}:
            expected = ", ".join(attribute.name for attribute in schema.attributes)
            raise ValueError(f"it has the features {', '.join(found)}; the first record has {expected}.")
        row = [found[attribute.name] for attribute in schema.attributes]
        for feature, attribute in zip(row, schema.attributes):
            _check(feature, attribute)
        return row


def _check(feature: Feature, attribute: Attribute) -> None:
    kind = (feature.data_type.name, "dense" if feature.keys is None else "sparse", feature.shape)
    expected = (attribute.data_type.name, "sparse" if attribute.sparse else "dense", attribute.shape[1:])
    what = f"the feature {feature.name!r}"
    if kind != expected:
        raise ValueError(f"{what} is {kind}; in the first record it is {expected}. Send records that are all alike.")
    size = int(np.prod(feature.shape, dtype=object))
    if feature.keys is None:
        if len(feature.values) != size:
            raise ValueError(f"{what} has {len(feature.values)} values, but the shape {feature.shape}.")
        return
    if len(feature.keys) != len(feature.values):
        raise ValueError(f"{what} has {len(feature.keys)} keys, but {len(feature.values)} values.")
    if len(feature.keys) and int(feature.keys.max()) >= size:
        raise ValueError(f"{what} has the key {feature.keys.max()}; keys must be less than {size}.")


def _tensor(attribute: Attribute, rows: Sequence[Feature]) -> Tensor:
    shape = (len(rows), *attribute.shape[1:])
    dtype = dtype_of(attribute.data_type)
    if not attribute.sparse:
        return dense(np.array([row.values for row in rows], dtype).reshape(shape))
    values = np.concatenate([np.empty(0, dtype), *(row.values for row in rows)])
    keys = np.concatenate([np.empty(0, np.int64), *(_keys(row).astype(np.int64) for row in rows)])
    numbers = np.repeat(np.arange(len(rows)), [len(row.values) for row in rows])
    coords = np.unravel_index(keys, attribute.shape[1:]) if len(keys) else [keys] * len(attribute.shape[1:])
    return CooTensor(shape, values, [numbers, *coords], copy=False)


def _keys(row: Feature) -> np.ndarray[Any, Any]:
    assert row.keys is not None
    return row.keys
