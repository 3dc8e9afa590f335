"""The compiled reader: what it reads is right to the bit, and it touches nothing but the text and the cells."""

from __future__ import annotations

import ctypes
import json
import mmap
import re
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sagemaker_sklearn_container.codecs import plain_tables

_PROT_NONE = 0
# Beyond this no number is plain.
_DIGITS = 15

PLAIN = st.one_of(
    st.from_regex(r"\A-?(0|[1-9][0-9]{0,6})(\.[0-9]{1,8})?([eE][+-]?0?[0-9])?\Z"),
    st.integers(-(10**_DIGITS), 10**_DIGITS).map(str),
    st.floats(-1e6, 1e6, width=32).map(lambda number: f"{number:.6f}"),
)
# Whatever JSON and CSV have, and a little that they have not.
ANY_NUMBER = st.one_of(
    PLAIN,
    st.floats().map(repr),
    st.integers().map(str),
    st.from_regex(r"\A[-+]?[0-9]{0,40}(\.[0-9]{0,40})?([eE][-+]?[0-9]{0,6})?\Z"),
    st.sampled_from(
        ["-0", "-0.0", "-0e1", "01", "1.", ".5", "+1", "1e", "9007199254740993", "1e22", "1e23", "nan", ""]
    ),
)
TABLES = st.integers(1, 5).flatmap(lambda columns: st.lists(st.lists(ANY_NUMBER, min_size=columns, max_size=columns)))


def as_json(rows: list[list[str]]) -> bytes:
    return ("[" + ",".join("[" + ",".join(row) + "]" for row in rows) + "]").encode()


def as_csv(rows: list[list[str]]) -> bytes:
    return "".join(",".join(row) + "\n" for row in rows).encode()


def rounded(numbers: Any) -> np.ndarray[Any, Any]:
    """What Python makes of it, as the codecs do without the compiled reader."""
    with np.errstate(over="ignore"):
        return np.array(numbers, dtype=np.float64).astype(np.float32)


def same_bits(found: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> bool:
    return found.dtype == np.float32 and found.shape == expected.shape and found.tobytes() == expected.tobytes()


def test_it_is_compiled() -> None:
    assert plain_tables.is_compiled()


@given(rows=st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(PLAIN, min_size=n, max_size=n), min_size=1)))
def test_plain_tables_are_read(rows: list[list[str]]) -> None:
    """C-01, C-02: every one of them."""
    if "-0" in {cell for row in rows for cell in row} or re.search(r"-0+[eE]", as_csv(rows).decode()):
        return  # has a sign in CSV only
    expected = rounded([[float(cell) for cell in row] for row in rows])
    for found in (plain_tables.json_numbers(as_json(rows)), plain_tables.csv_table(as_csv(rows))):
        assert found is not None
        assert same_bits(found, expected)


@given(rows=TABLES)
@example([["9007199254740993"]])
@example([["1e22", "1e23"]])
def test_what_is_read_is_what_python_reads(rows: list[list[str]]) -> None:
    """C-01, C-02: exactly rounded, or left to others."""
    found = plain_tables.json_numbers(as_json(rows))
    if found is not None:
        assert same_bits(found, rounded(json.loads(as_json(rows))))
    found = plain_tables.csv_table(as_csv(rows))
    if found is not None:
        assert same_bits(found, rounded([[float(cell) for cell in row] for row in rows]))


@given(rows=TABLES, at=st.integers(0), replacement=st.binary(max_size=3), length=st.integers(0, 3))
def test_damaged_tables_are_read_as_python_reads_them_or_left(
    rows: list[list[str]], at: int, replacement: bytes, length: int
) -> None:
    """C-01, C-02, S-42."""
    for text, reader in ((as_json(rows), plain_tables.json_numbers), (as_csv(rows), plain_tables.csv_table)):
        start = at % (len(text) + 1)
        damaged = text[:start] + replacement + text[start + length :]
        found = reader(damaged) if damaged else None
        if found is None:
            continue
        if reader is plain_tables.json_numbers:
            expected = json.loads(damaged)
        else:
            expected = [[float(cell) for cell in line.split(",")] for line in damaged.decode().splitlines()]
        assert same_bits(found, rounded(expected))


@pytest.mark.parametrize(
    "text",
    [b"[1,2]", b" [ 1 , 2 ] ", b"[\n[1,\t2]\r\n]\n", b"[[1],[2]]", b"[[[1]]]", b"[[1],2]", b"[1,[2]]", b"[[1,2],[3]]"],
)
def test_nests_of_other_shapes_are_left(text: bytes) -> None:
    """C-01."""
    found, expected = plain_tables.json_numbers(text), json.loads(text)
    try:
        array = rounded(expected)
    except (TypeError, ValueError):
        array = np.empty((0, 0, 0))
    assert (found is None) == (array.ndim > 2)
    assert found is None or same_bits(found, array)


@pytest.mark.parametrize("text", [b"1,2\r\n3,4\r\n", b"1,2\n3,4", b" 1\t, 2 \n3,4", b"1\n2\n", b"1,2"])
def test_lines_are_rows(text: bytes) -> None:
    """C-02, C-04."""
    found = plain_tables.csv_table(text)
    assert found is not None
    assert same_bits(found, rounded([[float(cell) for cell in line.split(",")] for line in text.decode().splitlines()]))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        b"1\n\n2",
        b"1,2\n3",
        b"1,",
        b"1,\n",
        b"1\r2",
        b"1\r",
        b'"1"',
        b"1 2",
        b"\xef\xbb\xbf1",
        b"x",
        b"1,-",
        b"1;2",
    ],
)
def test_other_lines_are_left(text: bytes) -> None:
    """C-02, C-03."""
    assert not text or plain_tables.csv_table(text) is None


class Guarded:
    """Memory of which the byte behind the last cannot be touched."""

    def __init__(self, size: int) -> None:
        pages = -(-size // mmap.PAGESIZE) or 1
        self._memory = mmap.mmap(-1, (pages + 1) * mmap.PAGESIZE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        protect = ctypes.CDLL(None, use_errno=True).mprotect
        guard = ctypes.c_void_p(start + pages * mmap.PAGESIZE)
        assert protect(guard, ctypes.c_size_t(mmap.PAGESIZE), _PROT_NONE) == 0
        self.at = pages * mmap.PAGESIZE - size
        self.address = start + self.at
        self.size = size

    def write(self, text: bytes) -> None:
        self._memory[self.at : self.at + self.size] = text


@given(rows=TABLES, cut=st.integers(0, 40))
def test_nothing_but_the_text_and_the_cells_is_touched(rows: list[list[str]], cut: int) -> None:
    """S-42: a byte too far would end this process."""
    compiled = plain_tables._compiled
    assert compiled is not None
    for whole, reader in ((as_json(rows), compiled.read_json), (as_csv(rows), compiled.read_csv)):
        text = whole[: max(1, len(whole) - cut)] or b"["
        source = Guarded(len(text))
        source.write(text)
        most = compiled.count_separators(source.address, len(text)) + 1
        assert most == len(re.findall(rb"[,\n]", text)) + 1
        for room in (most, (len(text) + 1) // 2):
            cells = Guarded(4 * room)
            count = reader(source.address, len(text), cells.address, ctypes.byref(ctypes.c_size_t()))
            assert count <= room


@given(text=st.text("0,- ", min_size=1).map(str.encode))
def test_a_space_follows_each_comma(text: bytes) -> None:
    """C-20: and no byte beyond twice the text is written."""
    assert plain_tables.spaced(text) == text.replace(b",", b", ")
    compiled = plain_tables._compiled
    assert compiled is not None
    room = Guarded(2 * len(text))
    assert compiled.space_commas(text, len(text), room.address) == len(text) + text.count(b",")


def test_long_texts_are_read_as_short_ones() -> None:
    """C-26: beyond a megabyte the numbers stay where they are read to."""
    row = ["0.123456", "-7", "8.5e3"]
    rows = [row] * 100_000
    expected = np.tile(rounded([float(cell) for cell in row]), (len(rows), 1))
    for found in (plain_tables.json_numbers(as_json(rows)), plain_tables.csv_table(memoryview(as_csv(rows)))):
        assert found is not None
        assert same_bits(found, expected)
        assert found.flags.writeable


def test_threads_do_not_share_cells() -> None:
    """S-12: the interpreter's lock is free while numbers are read."""
    texts = [as_csv([[str(number)] * 50] * 200) for number in range(4)]
    wrong: list[int] = []

    def read(number: int) -> None:
        for _ in range(200):
            found = plain_tables.csv_table(texts[number])
            if found is None or not (found == number).all():
                wrong.append(number)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
