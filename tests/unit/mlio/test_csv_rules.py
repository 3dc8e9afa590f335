"""The reader against the plain state machine: any bytes, wherever blocks, batches and stores end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import mlio
from mlio import csv_arrow
from mlio.csv_blocks import cut
from mlio.csv_rows import dialect
from tests.unit.mlio.readers import batch_columns, csv_reader, rows, tables, texts
from tests.unit.mlio.reference import OpenQuoteError, outcome
from tests.unit.mlio.reference import rows as reference_rows

TROUBLE = [
    b"a",
    b"bc",
    b" ",
    b",",
    b",,",
    b'"',
    b'""',
    b'"""',
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"\xef\xbb\xbf",
    b"\xef\xbb",
    b"\0",
    b"\xff",
    b"\xc3\xa9",
    b"\xe2\x80\xa8",  # a line end in Unicode, not in CSV
    b"\x1c",
    b"\x0c",
    b"#",
    b"\\",
    b"'",
    b'"x\ny"',
    b'5" pipe',
]
ANY_BYTES = st.lists(st.sampled_from(TROUBLE), max_size=30).map(b"".join)
PLAIN_CELLS = st.lists(st.sampled_from([b"a", b"7", b" ", b"\xc3\xa9", b"\0", b"#", b'b"']), max_size=3).map(b"".join)
QUOTED_CELLS = st.lists(
    st.sampled_from([b"a", b",", b"\n", b"\r", b"\r\n", b'""', b"\xef\xbb\xbf", b" "]), max_size=4
).map(lambda parts: b'"' + b"".join(parts) + b'"')
LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r", b"\n\n"])


@st.composite
def whole_tables(draw: Any) -> bytes:
    """Tables without a fault."""
    columns = draw(st.integers(1, 4))
    row = st.tuples(st.lists(PLAIN_CELLS | QUOTED_CELLS, min_size=columns, max_size=columns).map(b",".join), LINE_ENDS)
    table: bytes = draw(st.lists(row.map(b"".join), max_size=12).map(b"".join))
    return table


DATA = ANY_BYTES | whole_tables()


def _check(stores: list[bytes], batch_size: int, multiline: bool, **sizes: int) -> None:
    expected = outcome(stores, batch_size, multiline)
    reader = csv_reader(*stores, batch_size=batch_size, allow_quoted_new_lines=multiline, **sizes)
    found: list[Any] = []
    error: str | None = None
    try:
        found = []
        for batch in reader:
            found.append(batch_columns(batch))
    except mlio.DataReaderError as exc:
        error = f"{type(exc).__name__} {exc.request_status}"
    wanted = [[None if None in column else list(column) for column in zip(*batch)] for batch in texts(expected.batches)]
    assert (found, error) == (wanted, expected.error and f"{expected.error} 400")


@settings(max_examples=600, deadline=None)
@given(
    stores=st.lists(DATA, min_size=1, max_size=3),
    batch_size=st.integers(1, 5),
    multiline=st.booleans(),
    block_bytes=st.integers(1, 40),
    small_bytes=st.sampled_from([0, 10, 1000]),
)
@example([b'a\xef\xbb\xbf,"\n'], 1, True, 1, 0)
@example([b'"a"b"\n",1\n'], 1, True, 4, 0)
@example([b'a,"b\n'], 1, False, 40, 0)
@example([b'a,b\n1,"x\n'], 1, False, 40, 0)
@example([b"a\r", b"\nb\n"], 1, True, 1, 0)
@example([b'""\n"\n"\n'], 1, False, 1, 0)
def test_any_bytes_are_read_by_the_rules(
    stores: list[bytes], batch_size: int, multiline: bool, block_bytes: int, small_bytes: int
) -> None:
    """A-03."""
    _check(stores, batch_size, multiline, _block_bytes=block_bytes, _small_bytes=small_bytes)


@settings(max_examples=100, deadline=None)
@given(text=ANY_BYTES, encoding=st.sampled_from(["utf-16", "utf-32"]), block_bytes=st.integers(1, 40))
def test_other_encodings_are_recognised_by_their_first_bytes(text: bytes, encoding: str, block_bytes: int) -> None:
    """A-03."""
    # UTF-16 with a zero character in front begins as UTF-32 does.
    plain = text.decode("utf-8", "replace").lstrip("\0")
    in_utf8: list[Any] = []
    other: list[Any] = []
    for data, found in ((plain.encode("utf-8"), in_utf8), (plain.encode(encoding), other)):
        try:
            found += rows(data, _block_bytes=block_bytes)
        except mlio.DataReaderError as exc:
            found.append(type(exc))
    assert other == in_utf8


@settings(max_examples=300, deadline=None)
@given(data=DATA, multiline=st.booleans())
def test_a_block_is_cut_behind_a_whole_record(data: bytes, multiline: bool) -> None:
    """A-03: what is cut off and the rest give the same rows as all of it, and an open quote is seen."""
    plain = dialect(",", '"', None, multiline, True, None)
    end, is_open = cut(data, plain)
    try:
        whole = list(reference_rows(data, multiline))
    except OpenQuoteError:
        assert is_open
        list(reference_rows(data[:end], multiline))  # has no open quote
        return
    assert not is_open
    assert list(reference_rows(data[:end], multiline)) + list(reference_rows(data[end:], multiline)) == whole


@pytest.mark.parametrize("small_bytes", [0, 1000])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a,b\n1,2", [["a", "b"], ["1", "2"]]),
        (b"a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
        (b"a\rb\r\nc\nd", [["a"], ["b"], ["c"], ["d"]]),
        (b'"a""b",c', [['a"b', "c"]]),
        (b'"a"b"c,d', [['ab"c', "d"]]),
        (b'a"b"c,d', [['a"b"c', "d"]]),
        (b'"a\r\nb",c', [["a\r\nb", "c"]]),
        (b'"a,b",c', [["a,b", "c"]]),
        (b" a , b ", [[" a ", " b "]]),
        (b"NA,null,NaN,", [["NA", "null", "NaN", ""]]),
        (b"a\\,b", [["a\\", "b"]]),
        (b"\n\na\n\r\n\rb\n", [["a"], ["b"]]),
        (b' \n""\n', [[" "], [""]]),
        (b"a,\n,\n", [["a", ""], ["", ""]]),
        (b"\xef\xbb\xbfa,b\n\xef\xbb\xbfc,d\n", [["a", "b"], ["c", "d"]]),
        (b"a,b\nx\xef\xbb\xbf,y\n", [["a", "b"], ["x\ufeff", "y"]]),
        (b"a\0b,\0\n", [["a\0b", "\0"]]),
        (b"", []),
        (b"\n", []),
        (b"\xef\xbb\xbf", []),
    ],
)
def test_each_rule(data: bytes, expected: list[list[str]], small_bytes: int) -> None:
    """A-03: quotes, line ends, blanks, missing values, byte order marks, zero bytes."""
    assert rows(data, _small_bytes=small_bytes) == expected


@pytest.mark.parametrize("small_bytes", [0, 10**9])
def test_cells_and_rows_have_no_limit(small_bytes: int) -> None:
    """A-03."""
    cell = "x" * 300_000
    data = f'{cell},"{cell}\n"\n'.encode() + b"," * 5
    [row] = rows(data[:-5], _small_bytes=small_bytes, _block_bytes=1000)
    assert row == [cell, cell + "\n"]
    for commas in (4095, 4096):
        [wide] = rows(b"," * commas, _small_bytes=small_bytes)
        assert wide == [""] * (commas + 1)


def test_millions_of_columns_do_not_reach_pyarrow() -> None:
    """A-03: it would end the process."""
    assert csv_arrow.table(b"," * 4_999_999, dialect(",", '"', None, True, True, None), 5_000_000) is None


def test_rows_of_all_stores_are_one_stream() -> None:
    """A-03: batches go over the ends of stores; empty ones give nothing; the columns of all must be as many."""
    batches = [len(batch) for batch in tables(csv_reader(b"a,1\nb,2", b"", b"c,3\n", batch_size=2))]
    assert batches == [2, 1]
    with pytest.raises(mlio.InvalidInstanceError, match="row 3 has 1 columns"):
        rows(b"a,1\nb,2", b"", b"c\n")


@pytest.mark.parametrize("small_bytes", [0, 1000])
def test_a_row_of_another_length_is_named(small_bytes: int) -> None:
    """A-03: row, store, columns found and expected."""
    store = mlio.InMemoryStore(b"x,y\n\n1,2,3\n")
    with pytest.raises(mlio.InvalidInstanceError) as caught:
        rows(b"a,b\nc,d\n", store, _small_bytes=small_bytes)
    assert repr(store.id) in str(caught.value)
    assert "row 4 has 3 columns (column 3 is too many)" in str(caught.value)
    assert "has 2; all rows" in str(caught.value)
    assert isinstance(caught.value, RuntimeError)
    with pytest.raises(mlio.InvalidInstanceError, match=r"row 2 has 1 columns \(column 2 is missing\)"):
        rows(b"a,b\nc\n", _small_bytes=small_bytes)


@pytest.mark.parametrize("small_bytes", [0, 1000])
def test_batches_before_a_bad_row_are_delivered(small_bytes: int) -> None:
    """A-03."""
    reader = csv_reader(b"a,b\nc,d\n1\n", batch_size=2, _small_bytes=small_bytes)
    assert len(list(zip(range(1), reader))) == 1
    for _ in range(2):  # and the error stays until `reset`
        with pytest.raises(mlio.InvalidInstanceError):
            reader.read_example()
    reader.reset()
    assert reader.read_example() is not None


@pytest.mark.parametrize("small_bytes", [0, 1000])
def test_an_open_quote_is_refused(small_bytes: int) -> None:
    """A-03: the error's cause is a CorruptRecordError; rows before it are delivered."""
    reader = csv_reader(b'a,b\nc,"d\n1,2\n', batch_size=1, _small_bytes=small_bytes)
    assert reader.read_example() is not None
    with pytest.raises(mlio.DataReaderError, match="record 2: a quote is opened but never closed") as caught:
        reader.read_example()
    assert isinstance(caught.value.__cause__, mlio.CorruptRecordError)
    assert caught.value.request_status == 400


def test_bytes_that_are_no_text_fail_where_they_are_asked_for() -> None:
    """A-03: the other columns can be read; the error is the one that Python raises, and names the place."""
    [example_] = csv_reader(b"a,b\nc,\xff\n")
    assert batch_columns(example_) == [["a", "c"], None]
    with pytest.raises(UnicodeDecodeError, match="row 2, column 2 has the byte 0xff, which is no UTF-8") as caught:
        mlio.integ.numpy.as_numpy(example_[1])
    assert caught.value.request_status == 400  # type: ignore[attr-defined]
    assert (caught.value.object, caught.value.start) == (b"\xff", 0)


@pytest.mark.parametrize(("columns", "expected"), [(5, 1), (3000, 20)])
def test_pyarrow_is_used_where_it_is_faster(columns: int, expected: int) -> None:
    """A-03: of a wide table a block has few rows; equal cells of one are objects of their own."""
    data = b",".join([b"some text"] * columns) + b"\n"
    example_ = csv_reader(data * (20_000 // min(columns, 1000)), batch_size=20).read_example()
    assert example_ is not None
    assert len({id(cell) for cell in mlio.integ.numpy.as_numpy(example_[0])[:20, 0]}) == expected


def test_equal_cells_of_a_column_are_one_object() -> None:
    """A-03: a column of few values takes little memory."""
    data = b"".join(b"category %d,%d\n" % (number % 3, number) for number in range(3000))
    [example_] = csv_reader(data, batch_size=3000, _small_bytes=0)
    cells = mlio.integ.numpy.as_numpy(example_[0])[:, 0]
    assert len({id(cell) for cell in cells}) == 3
    assert cells[2999] == "category 2"
