"""CSV text as rows: the rules, record by record.

A quote means something only as the first character of a cell. Within quotes a doubled quote is one, and delimiters and,
in dialects that allow it, line ends are text; what follows the closing quote up to the next delimiter is text again.
Rows end with `\\n`, `\\r\\n` or `\\r`.

Source: contract A-03.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple, Pattern

from mlio.errors import CorruptRecordError, RecordTooLargeError

BOM = b"\xef\xbb\xbf"
_BOM_TEXT = "\ufeff"
_LINE_END = re.compile(rb"\r\n|[\r\n]")
_LINE_END_TEXT = re.compile(r"\r\n|[\r\n]")
UNTERMINATED = "a quote is opened but never closed. Close it, or double quotes that are text in a quoted cell."


class Dialect(NamedTuple):
    """What CSV looks like.

    Attributes:
        delimiter, quote, comment: One ASCII character each; comment may be None.
        multiline: Whether line ends within quotes are text.
        skip_blank: Whether empty lines are no rows.
        longest_line: A row must be shorter, in characters; None: no limit.
        cell: Matches a cell and what ends it; groups: text within quotes, text behind them, unquoted text, the end.
        raw_cell: The same of bytes.
    """

    delimiter: str
    quote: str
    comment: str | None
    multiline: bool
    skip_blank: bool
    longest_line: int | None
    cell: Pattern[str]
    raw_cell: Pattern[bytes]


@functools.lru_cache(maxsize=64)
def dialect(
    delimiter: str, quote: str, comment: str | None, multiline: bool, skip_blank: bool, longest_line: int | None
) -> Dialect:
    """A dialect.

    Raises:
        ValueError: delimiter, quote or comment is no ASCII character, a line end, or two of them are the same.
    """
    given = {"delimiter": delimiter, "quote_char": quote, "comment_char": comment}
    characters = {name: character for name, character in given.items() if character is not None}
    for name, character in characters.items():
        if len(character) != 1 or not character.isascii() or character in "\r\n":
            raise ValueError(f"Reading CSV: {name} is {character!r}; it must be one ASCII character, and no line end.")
    if len(set(characters.values())) < len(characters):
        raise ValueError(f"Reading CSV: {characters}; these characters must differ.")
    d, q = re.escape(delimiter), re.escape(quote)
    pattern = rf"(?:{q}([^{q}]*(?:{q}{q}[^{q}]*)*){q}(?!{q})([^{d}\r\n]*)|(?!{q})([^{d}\r\n]*))({d}|\r\n|\r|\n|\Z)"
    return Dialect(
        delimiter,
        quote,
        comment,
        multiline,
        skip_blank,
        longest_line,
        re.compile(pattern),
        re.compile(pattern.encode("ascii")),
    )


def parse(text: str, dialect: Dialect, rows: list[list[str]]) -> None:
    """Append the rows of `text`, which is made of whole records, to `rows`.

    Where line ends end rows in any case, a row whose quote is never closed is appended as an empty list.

    Raises:
        CorruptRecordError: a quote is never closed; the rows before are appended.
        RecordTooLargeError: a row is too long; the rows before are appended.
    """
    has_quotes = dialect.quote in text
    if has_quotes and dialect.multiline:
        _parse_records(text, dialect, rows)
        return
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    if _BOM_TEXT in text:
        lines = [line[1:] if line.startswith(_BOM_TEXT) else line for line in lines]
    comment = dialect.comment
    if comment is not None:
        lines = [line for line in lines if not line.startswith(comment)]
    if dialect.skip_blank:
        lines = [line for line in lines if line]
    delimiter, quote = dialect.delimiter, dialect.quote
    if dialect.longest_line is not None and any(len(line) >= dialect.longest_line for line in lines):
        for line in lines:
            _check_length(len(line), dialect)
            rows.append(_line_cells(line, dialect))
    elif has_quotes:
        rows += [_line_cells(line, dialect) if quote in line else line.split(delimiter) for line in lines]
    else:
        rows += [line.split(delimiter) for line in lines]


def _line_cells(line: str, dialect: Dialect) -> list[str]:
    """The cells of one line; none if its last quote is not closed."""
    cells: list[str] = []
    return [] if _cells(line, 0, dialect, cells) < 0 else cells


def _parse_records(text: str, dialect: Dialect, rows: list[list[str]]) -> None:
    delimiter, quote, comment = dialect.delimiter, dialect.quote, dialect.comment
    at, length = 0, len(text)
    while at < length:
        if text.startswith(_BOM_TEXT, at):
            at += 1
        found = _LINE_END_TEXT.search(text, at)
        stop, after = found.span() if found is not None else (length, length)
        if comment is not None and text.startswith(comment, at):
            at = after
            continue
        if text.find(quote, at, stop) < 0:
            cells = text[at:stop].split(delimiter)
            is_blank = stop == at
        else:
            cells = []
            after = _cells(text, at, dialect, cells)
            if after < 0:
                raise CorruptRecordError(UNTERMINATED)
            is_blank = False
        if dialect.longest_line is not None:
            _check_length(after - at, dialect)
        if not is_blank or not dialect.skip_blank:
            rows.append(cells)
        at = after


def _cells(text: str, at: int, dialect: Dialect, cells: list[str]) -> int:
    """Append the cells of the record at `at` to `cells`; returns where the next begins, -1 if a quote stays open."""
    match, delimiter, quote = dialect.cell.match, dialect.delimiter, dialect.quote
    doubled = quote + quote
    while True:
        found = match(text, at)
        if found is None:
            return -1
        quoted, rest, plain, end = found.groups()
        if plain is not None:
            cells.append(plain)
        else:
            cells.append((quoted.replace(doubled, quote) if doubled in quoted else quoted) + rest)
        at = found.end()
        if end != delimiter:
            return at


def _check_length(length: int, dialect: Dialect) -> None:
    if dialect.longest_line is not None and length >= dialect.longest_line:
        raise RecordTooLargeError(
            f"the row has {length} characters or more; max_line_length is {dialect.longest_line}, and rows must be "
            "shorter. Give a greater max_line_length."
        )


def next_record(block: bytes, at: int, dialect: Dialect) -> tuple[int, int, int] | None:
    """The first record at or behind `at` in a block of whole records.

    Returns:
        Where it begins, where it ends without its line end, and where the next begins; None if there is none.

    Raises:
        CorruptRecordError: a quote is never closed.
    """
    quote = dialect.quote.encode("ascii")
    comment = None if dialect.comment is None else dialect.comment.encode("ascii")
    length = len(block)
    while at < length:
        if block.startswith(BOM, at):
            at += len(BOM)
        found = _LINE_END.search(block, at)
        stop, after = found.span() if found is not None else (length, length)
        if comment is not None and block.startswith(comment, at):
            at = after
            continue
        if dialect.multiline and block.find(quote, at, stop) >= 0:
            stop, after = _raw_record(block, at, dialect)
        elif stop == at and dialect.skip_blank:
            at = after
            continue
        return at, stop, after
    return None


def _raw_record(block: bytes, at: int, dialect: Dialect) -> tuple[int, int]:
    match, delimiter = dialect.raw_cell.match, dialect.delimiter.encode("ascii")
    while True:
        found = match(block, at)
        if found is None:
            raise CorruptRecordError(UNTERMINATED)
        at = found.end()
        if found[4] != delimiter:
            return found.start(4), at
