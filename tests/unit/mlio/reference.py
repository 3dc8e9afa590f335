"""The rules of CSV, written down once more and as plainly as possible: a state machine that reads byte by byte."""

from __future__ import annotations

from typing import Iterator, List, NamedTuple, Sequence

BOM = b"\xef\xbb\xbf"
QUOTE, DELIMITER, RETURN, NEWLINE = b'",\r\n'

Row = List[bytes]


class OpenQuoteError(Exception):
    """The data ends within quotes."""


class Outcome(NamedTuple):
    """What reading gives: batches of rows, and the name of the error that ends it."""

    batches: list[list[Row]]
    error: str | None


def outcome(stores: Sequence[bytes], batch_size: int, multiline: bool = True) -> Outcome:
    """What reading `stores` without a header must give."""
    batches: list[list[Row]] = []
    batch: list[Row] = []
    columns = 0
    try:
        for row in (row for store in stores for row in rows(store, multiline)):
            if not columns and not row:
                return Outcome(batches, "SchemaError")
            columns = columns or len(row)
            batch.append(row)
            if len(batch) == batch_size:
                if any(len(row) != columns for row in batch):
                    return Outcome(batches, "InvalidInstanceError")
                batches.append(batch)
                batch = []
    except OpenQuoteError:
        return Outcome(batches, "DataReaderError")
    if any(len(row) != columns for row in batch):
        return Outcome(batches, "InvalidInstanceError")
    return Outcome(batches + [batch] if batch else batches, None)


def rows(data: bytes, multiline: bool) -> Iterator[Row]:
    """The rows of one store; where lines are rows, one whose quote stays open is an empty list."""
    at = 0
    while at < len(data):
        if data[at : at + 3] == BOM:
            at += 3
        if multiline:
            row, at = _record(data, at)
        else:
            line, at = _line(data, at)
            try:
                row, end = _record(line, 0)
                assert end == len(line)
            except OpenQuoteError:
                yield []
                continue
        if row is not None:
            yield row


def _line(data: bytes, at: int) -> tuple[bytes, int]:
    start = at
    while at < len(data):
        if data[at] == NEWLINE:
            return data[start:at], at + 1
        if data[at] == RETURN:
            return data[start:at], at + 2 if data[at + 1 : at + 2] == b"\n" else at + 1
        at += 1
    return data[start:], at


def _record(data: bytes, at: int) -> tuple[Row | None, int]:
    """The record at `at`, None if it is a blank line, and where the next one begins."""
    row: Row = []
    cell = bytearray()
    state = "start"
    begin = at
    while True:
        byte = data[at] if at < len(data) else -1
        at += 1
        if state == "quoted":
            if byte == -1:
                raise OpenQuoteError
            if byte == QUOTE:
                state = "quote in quoted"
            else:
                cell.append(byte)
            continue
        if state == "quote in quoted" and byte == QUOTE:
            cell.append(byte)
            state = "quoted"
            continue
        if state == "start" and byte == QUOTE:
            state = "quoted"
            continue
        if byte not in (-1, DELIMITER, RETURN, NEWLINE):
            cell.append(byte)
            state = "plain"
            continue
        row.append(bytes(cell))
        cell.clear()
        state = "start"
        if byte == DELIMITER:
            continue
        is_blank = at - 1 == begin
        if byte == RETURN and data[at : at + 1] == b"\n":
            at += 1
        return None if is_blank else row, min(at, len(data))
