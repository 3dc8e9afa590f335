"""Which rows of a data set become batches: a range, a shard, a sample, another order."""

from __future__ import annotations

import random
from typing import Iterator

from mlio.params import DataReaderParams
from mlio.pieces import Piece

# The library whose interface this is takes its share of so many rows at a time.
_SAMPLED_ROWS = 100


def chosen(
    pieces: Iterator[Piece], params: DataReaderParams, order: random.Random | None, skips: bool
) -> Iterator[Piece]:
    """The rows that `params` ask for: first the range, of it the shard, of that the sample, and then shuffled.

    Args:
        pieces: All rows.
        params: Say which.
        order: Shuffles, if they are to be shuffled.
        skips: Whether the rows to skip are among `pieces`.
    """
    skip = params.num_instances_to_skip if skips else 0
    if skip or params.num_instances_to_read is not None:
        pieces = _range(pieces, skip, params.num_instances_to_read)
    if params.num_shards > 1:
        pieces = _shard(pieces, params.shard_index, params.num_shards)
    if params.sample_ratio is not None:
        pieces = _sample(pieces, params.sample_ratio)
    if order is not None and params.shuffle_window != 1:
        pieces = _shuffled(pieces, params.shuffle_window, order)
    return pieces


def batches(pieces: Iterator[Piece], size: int) -> Iterator[list[Piece]]:
    """Pieces of together `size` rows; the last list may have fewer."""
    batch: list[Piece] = []
    missing = size
    for piece in pieces:
        length = len(piece)
        start = 0
        while length - start >= missing:
            batch.append(piece if missing == length else piece.part(slice(start, start + missing)))
            start += missing
            yield batch
            batch, missing = [], size
        if start < length:
            batch.append(piece.part(slice(start, length)) if start else piece)
            missing -= length - start
    if batch:
        yield batch


def _range(pieces: Iterator[Piece], skip: int, count: int | None) -> Iterator[Piece]:
    left = count
    if left == 0:
        return
    for piece in pieces:
        if skip >= len(piece):
            skip -= len(piece)
            continue
        piece, skip = piece.part(slice(skip, len(piece))) if skip else piece, 0
        if left is None:
            yield piece
            continue
        if len(piece) >= left:
            yield piece.part(slice(0, left))
            return
        left -= len(piece)
        yield piece


def _shard(pieces: Iterator[Piece], index: int, count: int) -> Iterator[Piece]:
    start = index
    for piece in pieces:
        if start < len(piece):
            part = piece.part(slice(start, len(piece), count))
            start += len(part) * count
            yield part
        start -= len(piece)


def _sample(pieces: Iterator[Piece], ratio: float) -> Iterator[Piece]:
    for batch in batches(pieces, _SAMPLED_ROWS):
        keep = int(ratio * sum(map(len, batch)))
        for piece in batch:
            if keep:
                part = piece.part(slice(0, keep)) if keep < len(piece) else piece
                keep -= len(part)
                yield part


def _shuffled(pieces: Iterator[Piece], window: int, order: random.Random) -> Iterator[Piece]:
    buffer: list[Piece] = []
    for piece in pieces:
        for at in range(len(piece)):
            buffer.append(piece.part(slice(at, at + 1)))
            if window and len(buffer) == window:
                yield _taken(buffer, order.randrange(window))
    order.shuffle(buffer)
    yield from buffer


def _taken(buffer: list[Piece], at: int) -> Piece:
    piece = buffer[at]
    buffer[at] = buffer[-1]
    buffer.pop()
    return piece
