"""Cuts a stream of CSV into blocks of whole records, so that fast readers of whole tables can be used on each.

Where a line end is within quotes cannot be told from the bytes around it: all quotes before it count. NumPy finds them
all at once; only where some quote is literal text, as in `5" pipe`, they are gone through one by one.
"""

from __future__ import annotations

import codecs
from typing import Any, Iterator

import numpy as np

from mlio.csv_rows import BOM, Dialect, next_record
from mlio.errors import CorruptRecordError, NotSupportedError, StreamError
from mlio.streams import InputStream

_RETURN, _NEWLINE = b"\r\n"
_BYTE_ORDER_MARKS = (
    # The longer ones first: UTF-16's is the beginning of UTF-32's.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LONGEST_MARK = 4


def blocks(stream: InputStream, dialect: Dialect, encoding: str | None, size: int) -> Iterator[tuple[bytes, bool]]:
    """The content of `stream` as UTF-8, or what passes for it, in blocks of whole records.

    Args:
        stream: Is read to its end.
        dialect: Says where records end.
        encoding: Of the stream; None stands for what its first bytes say, else UTF-8.
        size: Of a block, in bytes; a longer record gives a larger one.

    Returns:
        Blocks, and for each whether it is the last; only there a quote may stay open.

    Raises:
        StreamError: the bytes are not in that encoding.
        NotSupportedError: the encoding is unknown.
    """
    rest = b""
    source = _utf8(stream, encoding, size)
    is_last = False
    while not is_last:
        pieces = [rest]
        wanted, count = max(size, len(rest)), 0
        while count < wanted:
            piece = next(source, b"")
            if not piece:
                is_last = True
                break
            pieces.append(piece)
            count += len(piece)
        block = b"".join(pieces) if len(pieces) > 1 else rest
        if not is_last:
            end = cut(block, dialect)[0]
            block, rest = block[:end], block[end:]
        if block:
            yield block, is_last


def _utf8(stream: InputStream, encoding: str | None, size: int) -> Iterator[bytes]:
    first = bytes(stream.read(size))
    while 0 < len(first) < _LONGEST_MARK:
        more = stream.read(_LONGEST_MARK - len(first))
        if not more:
            break
        first += more
    if encoding is None:
        encoding = next((name for mark, name in _BYTE_ORDER_MARKS if first.startswith(mark)), None)
    decoder = None if encoding is None else _decoder(encoding)
    piece: Any = first
    while piece:
        if decoder is None:
            yield piece if isinstance(piece, bytes) else bytes(piece)
        else:
            text = _decoded(decoder, piece, encoding)
            if text:
                yield text
        piece = stream.read(size)
    if decoder is not None:
        text = _decoded(decoder, b"", encoding, final=True)
        if text:
            yield text


def _decoder(encoding: str) -> codecs.IncrementalDecoder | None:
    try:
        if codecs.lookup(encoding).name == "utf-8":
            return None
        return codecs.getincrementaldecoder(encoding)("strict")
    except LookupError:
        raise NotSupportedError(
            f"the encoding {encoding!r} is unknown; give one that Python's codecs know, for example 'latin-1'."
        ) from None


def _decoded(decoder: codecs.IncrementalDecoder, piece: Any, encoding: str | None, final: bool = False) -> bytes:
    try:
        return decoder.decode(bytes(piece), final).encode("utf-8")
    except UnicodeError as exc:
        raise StreamError(f"the text is not in the encoding {encoding!r}: {exc}. Give the right encoding.") from exc


def cut(block: bytes, dialect: Dialect) -> tuple[int, bool]:
    """Where the last whole record in `block`, which begins with one, ends; and whether a quote is open at its end.

    A `\\r` at the end of the block ends nothing yet: a `\\n` may follow.
    """
    quote = dialect.quote.encode("ascii")
    if not dialect.multiline or quote not in block:
        return _last_line_end(block, len(block)) + 1, False
    if dialect.comment is not None:
        return _cut_one_by_one(block, dialect)
    marks = _quote_marks(block, ord(dialect.quote), ord(dialect.delimiter))
    stop = len(block)
    while True:
        at = _last_line_end(block, stop)
        before = int(np.searchsorted(marks, at)) if at >= 0 else 0
        if before % 2 == 0:
            return at + 1, len(marks) % 2 == 1
        stop = int(marks[before - 1])


def _last_line_end(block: bytes, stop: int) -> int:
    newline = block.rfind(b"\n", 0, stop)
    # From the newline on: most text has no other `\r`, and the search would go through all of it.
    return max(newline, block.rfind(b"\r", newline + 1, min(stop, len(block) - 1)))


def _cut_one_by_one(block: bytes, dialect: Dialect) -> tuple[int, bool]:
    end = 0
    try:
        # Without its last byte: whether that ends a record shows in what follows.
        while True:
            found = next_record(block, end, dialect)
            if found is None or found[2] == len(block) and block[-1:] != b"\n":
                # What is left are comments and blank lines, or a record without its end.
                return end, False
            end = found[2]
    except CorruptRecordError:
        return end, True


def _quote_marks(block: bytes, quote: int, delimiter: int) -> np.ndarray[Any, Any]:
    """Positions of quotes such that those within quotes have an odd number of them before."""
    data = np.frombuffer(block, np.uint8)
    quotes = np.flatnonzero(data == quote)
    before = data[quotes - 1]
    opens = (before == delimiter) | (before == _NEWLINE) | (before == _RETURN)
    opens[0] |= quotes[0] == 0
    doubled = np.empty(len(quotes), bool)
    doubled[0] = False
    np.equal(np.diff(quotes), 1, out=doubled[1:])
    # Every second one opens a cell or is the second half of a doubled one: those between close or are first halves.
    if (opens | doubled)[::2].all():
        return quotes
    return _literal_quotes_left_out(block, quotes.tolist(), opens.tolist())


def _literal_quotes_left_out(block: bytes, quotes: list[int], opens: list[bool]) -> np.ndarray[Any, Any]:
    marks: list[int] = []
    at, count = 0, len(quotes)
    while at < count:
        if opens[at] or _is_behind_mark(block, quotes[at]):
            marks.append(quotes[at])
            at += 1
            while at + 1 < count and quotes[at + 1] == quotes[at] + 1:
                at += 2
            if at < count:
                marks.append(quotes[at])
        at += 1
    return np.array(marks, np.int64)


def _is_behind_mark(block: bytes, at: int) -> bool:
    """Whether a byte order mark at the beginning of a record precedes."""
    start = at - len(BOM)
    return start >= 0 and block.startswith(BOM, start) and (start == 0 or block[start - 1] in (_NEWLINE, _RETURN))
