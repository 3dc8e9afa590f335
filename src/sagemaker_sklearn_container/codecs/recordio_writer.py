"""Writes the records of a whole table: all values and keys are packed at once, then framed.

Source: contract C-25.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, Iterator, NamedTuple

import numpy as np

from sagemaker_sklearn_container.codecs import recordio_format as wire
from sagemaker_sklearn_container.codecs import varints

# Rows of different lengths are put together so many at a time: each takes some objects of Python's.
_STEP = 4096
_NAMED = wire.tag(wire.MAP_KEY) + varints.one(len(wire.NAME)) + wire.NAME


class Packed(NamedTuple):
    """A packed field of all records.

    Attributes:
        content: uint8 ndarray of shape (n_bytes,), row by row.
        ends: Where each row's bytes end, ndarray of shape (n_rows,).
    """

    content: np.ndarray[Any, Any]
    ends: np.ndarray[Any, Any]


class Tensor(NamedTuple):
    """The features, or the labels, of all records.

    Attributes:
        number: Of its field in Value.
        values: The values.
        keys: The keys of sparse rows, None of dense ones.
        columns: The shape of sparse rows.
    """

    number: int
    values: Packed
    keys: Packed | None = None
    columns: int = 0


def dense(number: int, table: np.ndarray[Any, Any]) -> Tensor:
    """The tensor of dense rows.

    Args:
        number: Of its field in Value.
        table: ndarray of shape (n_rows, n_columns), little-endian floats or integers that fit 32 bits.
    """
    flat = np.ascontiguousarray(table).reshape(-1)
    if flat.dtype.kind == "f":
        return Tensor(number, _bytes(flat, np.arange(1, len(table) + 1) * table.shape[1]))
    content, sizes = varints.packed(flat)
    ends = np.cumsum(sizes.reshape(table.shape).sum(axis=1, dtype=np.int64))
    return Tensor(number, Packed(content, ends))


def sparse(number: int, values: np.ndarray[Any, Any], matrix: Any) -> Tensor:
    """The tensor of sparse rows.

    Args:
        number: Of its field in Value.
        values: `matrix.data`, as for dense rows.
        matrix: scipy csr_matrix.
    """
    ends = matrix.indptr[1:].astype(np.int64)
    count = int(matrix.indptr[-1])  # there may be more of both, which are unused
    packed = _bytes(values[:count], ends) if values.dtype.kind == "f" else _varints(values[:count], ends)
    return Tensor(number, packed, _varints(matrix.indices[:count], ends), matrix.shape[1])


def framed(features: Tensor, labels: Tensor | None) -> bytes:
    """The frames of all records; `labels` have as many rows as the features."""
    packed = [features.values]
    packed += [features.keys] if features.keys else []
    packed += [labels.values] if labels else []
    rows = len(features.values.ends)
    if not rows:
        return b""
    if rows == 1:  # as most requests have; nothing of NumPy's is cheap then
        contents = [one.content.tobytes() for one in packed]
        between = _between(features, labels, *map(len, contents))
        return b"".join([*chain.from_iterable(zip(between, contents)), between[-1]])
    sizes = [np.diff(one.ends, prepend=0) for one in packed]
    if all((column == column[0]).all() for column in sizes):
        return _of_one_size(packed, _between(features, labels, *(int(column[0]) for column in sizes)))
    return b"".join(_of_any_size(packed, sizes, _Between(features, labels)))


def _bytes(values: np.ndarray[Any, Any], ends: np.ndarray[Any, Any]) -> Packed:
    return Packed(values.view(np.uint8), ends * values.dtype.itemsize)


def _varints(numbers: np.ndarray[Any, Any], ends: np.ndarray[Any, Any]) -> Packed:
    content, sizes = varints.packed(numbers)
    return Packed(content, np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))[ends])


def _of_one_size(packed: list[Packed], between: tuple[bytes, ...]) -> bytes:
    rows = len(packed[0].ends)
    parts: list[np.ndarray[Any, Any]] = []
    for constant, one in zip(between, packed):
        parts += [np.frombuffer(constant, np.uint8)[np.newaxis], one.content.reshape(rows, -1)]
    parts.append(np.frombuffer(between[-1], np.uint8)[np.newaxis])
    frames = np.empty((rows, sum(part.shape[1] for part in parts)), np.uint8)
    at = 0
    for part in parts:
        frames[:, at : at + part.shape[1]] = part
        at += part.shape[1]
    return frames.tobytes()


def _of_any_size(packed: list[Packed], sizes: list[np.ndarray[Any, Any]], between: _Between) -> Iterator[bytes]:
    for first in range(0, len(sizes[0]), _STEP):
        rows = slice(first, first + _STEP)
        constants = zip(*map(between.__getitem__, zip(*(column[rows].tolist() for column in sizes))))
        columns = [next(constants)]
        for one, column in zip(packed, sizes):
            ends = one.ends[rows]
            start = int(ends[0] - column[first])
            content = one.content[start : int(ends[-1])].tobytes()
            places = zip((ends - column[rows] - start).tolist(), (ends - start).tolist())
            columns += [tuple(content[begin:end] for begin, end in places), next(constants)]
        yield b"".join(chain.from_iterable(zip(*columns)))


class _Between(dict):  # type: ignore[type-arg]
    """What `_between` gives, by the sizes; many records have the same."""

    def __init__(self, features: Tensor, labels: Tensor | None) -> None:
        """Of records with these two."""
        super().__init__()
        self._tensors = features, labels

    def __missing__(self, sizes: tuple[int, ...]) -> tuple[bytes, ...]:
        self[sizes] = found = _between(*self._tensors, *sizes)
        return found


def _between(features: Tensor, labels: Tensor | None, *sizes: int) -> tuple[bytes, ...]:
    """What a frame holds around packed fields of these sizes: those of values, keys if any, labels if any."""
    heads, tail = [_head(wire.VALUES, sizes[0])], b""
    if features.keys:
        shape = varints.one(features.columns)
        heads.append(_head(wire.KEYS, sizes[1]))
        tail = wire.tag(wire.SHAPE) + varints.one(len(shape)) + shape
    tensor_bytes = sum(map(len, heads)) + sum(sizes[: len(heads)]) + len(tail)
    heads[0] = _entry(wire.FEATURES, features.number, tensor_bytes) + heads[0]
    if labels:
        head = _head(wire.VALUES, sizes[-1])
        heads.append(tail + _entry(wire.LABEL, labels.number, len(head) + sizes[-1]) + head)
        tail = b""
    message_bytes = sum(map(len, heads)) + sum(sizes) + len(tail)
    heads[0] = wire.FRAME.pack(wire.MAGIC, message_bytes) + heads[0]
    return (*heads, tail + bytes(-message_bytes % wire.ALIGNMENT))


def _head(number: int, size: int) -> bytes:
    """What a packed field begins with; protobuf leaves empty ones out."""
    return wire.tag(number) + varints.one(size) if size else b""


def _entry(number: int, tensor: int, size: int) -> bytes:
    """What an entry of a map begins with, up to the content of its tensor, which has so many bytes."""
    inner = wire.tag(tensor) + varints.one(size)
    value = _NAMED + wire.tag(wire.MAP_VALUE) + varints.one(len(inner) + size) + inner
    return wire.tag(number) + varints.one(len(value) + size) + value
