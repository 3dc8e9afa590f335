"""text/csv."""

from __future__ import annotations

import itertools
import math
import tracemalloc
from typing import Any, Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from sagemaker_sklearn_container.codecs import csv_codec, doubles, plain_tables
from sagemaker_sklearn_container.errors import DecodeError, EncodeError


@pytest.fixture(scope="module", params=["compiled", "not-compiled"], autouse=True)
def _reader(request: Any) -> Iterator[None]:
    """Both ways of reading: what the compiled reader leaves goes the other way."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "not-compiled":
            patch.setattr(plain_tables, "_compiled", None)
        yield


@pytest.mark.parametrize(
    ("body", "table"),
    [
        ("1,2", [[1, 2]]),
        ("1\n2\n3", [[1], [2], [3]]),
        ("7", [[7]]),
        ("1,2\r\n3,4\r\n", [[1, 2], [3, 4]]),
        ("1,2\r3,4", [[1, 2], [3, 4]]),
        ('"1","2"\n3,"4"', [[1, 2], [3, 4]]),
        ("\ufeff1,2\n\n  \n3,4\n\n", [[1, 2], [3, 4]]),
        (b" 1 ,2e3\n-.5,+4.", [[1, 2000], [-0.5, 4]]),
    ],
)
def test_one_line_is_one_row(body: str | bytes, table: list[list[float]]) -> None:
    """C-02, C-04."""
    array = csv_codec.decode(body)
    assert array.dtype == np.float32
    assert array.tolist() == table


@pytest.mark.parametrize("body", ["1,\n,4", '1,""\n"",4', "1, \n ,4", "1,nan\nNaN,4"])
def test_an_empty_cell_is_nan(body: str) -> None:
    """C-03."""
    np.testing.assert_array_equal(csv_codec.decode(body), [[1, math.nan], [math.nan, 4]])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("1,2\n3", "row 2 has 1 columns (column 2 is missing), but row 1 has 2"),
        ("1,2\n3,4,5", "row 2 has 3 columns (column 3 is too many), but row 1 has 2"),
        ('"1",2\n3', "row 2 has 1 columns (column 2 is missing), but row 1 has 2"),
        ("a,b\n1,2", "row 1, column 1 is 'a'; every cell must be a number or empty."),
        ("1,2\n3,x", "row 2, column 2 is 'x'"),
        ('1,2\n3,"4,5"', "row 2, column 2 is '4,5'"),
        ("1,1_0", "row 1, column 2 is '1_0'"),
        ("1\n" * 2000 + "x", "row 2001, column 1 is 'x'"),
        ('1,"2', "line 1"),
        ("1,2\0", "NUL"),
        ("", "it has no rows"),
        ("\n\r\n", "it has no rows"),
    ],
)
def test_errors_name_row_and_column(body: str, message: str) -> None:
    """C-03, S-42."""
    with pytest.raises(DecodeError) as caught:
        csv_codec.decode(body)
    assert message in str(caught.value)
    assert caught.value.status == 400


CELLS = st.one_of(
    st.floats(width=32).map(repr),
    st.floats().map(repr),
    st.integers().map(str),
    st.sampled_from(["", " ", "x", "1e", "0x1", "1 ", "+1", ".5", "Infinity", "\u0661", "\t", "1_0"]),
)


def _outcome(function: Any, text: str) -> Any:
    try:
        array = function(text.encode("utf-8"))
    except DecodeError as exc:
        return str(exc)
    return array.shape, np.isnan(array).tolist(), array[~np.isnan(array)].tobytes()


@pytest.mark.parametrize("piece_bytes", [16, doubles.PIECE_BYTES])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    lengths=st.lists(st.integers(1, 3), min_size=1, max_size=40),
    cells=st.lists(st.sampled_from(["1", "-2.5", "9e22", "9E+22", "90000000000000000000000.0"]), min_size=1),
    is_even=st.booleans(),
)
def test_row_ends_are_told_from_numbers_like_them(
    monkeypatch: pytest.MonkeyPatch, piece_bytes: int, lengths: list[int], cells: list[str], is_even: bool
) -> None:
    """C-02: also where a table holds the number that stands for them."""
    monkeypatch.setattr(doubles, "PIECE_BYTES", piece_bytes)
    drawn = itertools.cycle(cells)
    rows = [list(itertools.islice(drawn, lengths[0] if is_even else length)) for length in lengths]
    text = "\n".join(",".join(row) for row in rows)
    found, expected = _outcome(csv_codec.decode, text), _outcome(csv_codec._decode_quoted, text)
    assert found == expected


SHORT_ROW_BYTES = 2048  # more than any of these rows has


@pytest.mark.parametrize("piece_bytes", [8, SHORT_ROW_BYTES, doubles.PIECE_BYTES])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=6), line_end=st.sampled_from(["\n", "\r\n", "\r"])
)
def test_all_paths_agree(
    monkeypatch: pytest.MonkeyPatch, piece_bytes: int, rows: list[list[str]], line_end: str
) -> None:
    """C-02, C-03, C-26: same array or same error, with blank lines, ragged rows and text among them."""
    monkeypatch.setattr(doubles, "PIECE_BYTES", piece_bytes)
    text = line_end.join(",".join(row) for row in rows)
    found, expected = _outcome(csv_codec.decode, text), _outcome(csv_codec._decode_quoted, text)
    if isinstance(expected, str) and piece_bytes < SHORT_ROW_BYTES:  # bad cells of a cut row come first
        assert isinstance(found, str)
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"1,2\n3,\xff4\n", "byte 6 (row 2, column 2) is 0xff"),
        (b"1,2\n" * 100_000 + b"3,4,\xff", "byte 400004 (row 100001, column 3) is 0xff"),
        (b'"1",2\n3,\xff4\n', "byte 0xff is no UTF-8"),
        ("1,\udc80", "character 2 is a lone surrogate"),
    ],
    ids=range(4),
)
def test_what_is_no_utf_8_is_located(body: str | bytes, message: str) -> None:
    """C-03, S-42."""
    with pytest.raises(DecodeError) as caught:
        csv_codec.decode(body)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"1,2,3\n" + b"7," * 400_000 + b"7\n", "row 2 has 400001 columns (column 4 is too many)"),
        (b"1," * 400_000 + b"1\n2,3\n", "row 2 has 2 columns (column 3 is missing), but row 1 has 400001"),
        (b"1," * 400_000 + b"x\n", "row 1, column 400001 is 'x'"),
        (b"1,2\n" * 200_000 + b"1,x\n", "row 200001, column 2 is 'x'"),
        (b"1,2\n" * 200_000 + b"1\n", "row 200001 has 1 columns"),
    ],
    ids=range(5),
)
def test_errors_far_into_large_bodies_are_located(body: bytes, message: str) -> None:
    """C-03: pieces change nothing."""
    with pytest.raises(DecodeError) as caught:
        csv_codec.decode(body)
    assert message in str(caught.value)


def test_rows_longer_than_a_piece_are_read() -> None:
    """C-02."""
    row = np.arange(300_000, dtype=np.float32)
    body = (",".join(map(str, row.astype(int).tolist())) + "\n").encode() * 2
    np.testing.assert_array_equal(csv_codec.decode(body), np.stack([row, row]))


def test_decoding_takes_little_more_than_the_body_and_the_table() -> None:
    """C-26: the memory traced while a body of 20 MB is read, which is not counted itself."""
    body = b"0.123456,1.234567\n" * 1_100_000
    tracemalloc.start()
    try:
        table = csv_codec.decode(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert table.shape == (1_100_000, 2)
    assert peak < 2 * table.nbytes + 16 * doubles.PIECE_BYTES


@pytest.mark.parametrize(
    ("prediction", "body"),
    [
        (np.ones((2, 2)), b"1.0,1.0\n1.0,1.0\n"),
        ([1, 2], b"1\n2\n"),
        (np.float64(0.1), b"0.1\n"),
        (np.full((6, 3), 1e-5), b"1e-05,1e-05,1e-05\n" * 6),
        (np.full(20, 1e16, dtype=">f8"), b"1e+16\n" * 20),
        (np.full(20, 0.1, dtype=np.float32), b"0.1\n" * 20),
        (np.full(20, -7, dtype=np.int8), b"-7\n" * 20),
        (np.empty((0, 2)), b""),
        (np.empty((2, 0)), b"\n\n"),
        (np.array([0.1, math.nan], dtype=np.float32), b"0.1\nnan\n"),
        (np.array([True, False]), b"True\nFalse\n"),
        (np.array(['a,"b', "\u00e4"]), '"a,""b"\n\u00e4\n'.encode()),
        (np.array([["a", 1]], dtype=object), b"a,1\n"),
    ],
)
def test_predictions_become_lines(prediction: Any, body: bytes) -> None:
    """C-22."""
    assert csv_codec.encode(prediction) == body


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "bool"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (700, 50), (2, 40_000), (0, 3), (2, 0)])
def test_sparse_predictions_are_written_as_the_table_they_stand_for(dtype: str, shape: tuple[int, int]) -> None:
    """A-04, C-22: one block of rows or many; `1e-7` and the like among the numbers."""
    numbers = np.random.RandomState(0).standard_normal(shape) ** 9
    table = np.where(numbers > 0.1, numbers, 0).astype(dtype)
    for matrix in (sparse.csr_matrix(table), sparse.coo_matrix(table)):
        assert csv_codec.encode(matrix) == csv_codec.encode(table)


def test_the_table_of_a_sparse_prediction_is_never_there_as_a_whole() -> None:
    """A-04: it would take 80 MB."""
    matrix = sparse.csr_matrix(([1.5], [7], [0] * 1000 + [1]), shape=(1000, 10_000))
    tracemalloc.start()
    body = csv_codec.encode(matrix)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(body) == 1000 * 10_000 * 4
    assert peak < 2.5 * len(body)  # its blocks, and the body that they become


def test_more_than_two_dimensions_are_an_error() -> None:
    """C-22."""
    with pytest.raises(EncodeError, match=r"shape \(1, 1, 1\)"):
        csv_codec.encode(np.ones((1, 1, 1)))


def test_a_sparse_matrix_in_a_cell_is_an_error() -> None:
    """C-22, A-04: what NumPy makes of a dense column beside a sparse row."""
    row = sparse.csr_matrix(np.array([[0.0, 2.0]]))
    assert csv_codec.encode(row) == b"0.0,2.0\n"
    with pytest.raises(EncodeError, match="a cell is a sparse matrix; make it dense"):
        csv_codec.encode(np.column_stack((np.array([1.0]), row)))


@given(st.lists(st.floats(width=32), min_size=1, max_size=5))
def test_float32_survives_the_round_trip(values: list[float]) -> None:
    """C-02, C-22."""
    array = np.array([values], dtype=np.float32)
    np.testing.assert_array_equal(csv_codec.decode(csv_codec.encode(array)), array)
