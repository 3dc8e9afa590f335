"""Every valid body and prediction gives what the replaced codecs give: they run beside, in a process of their own."""

from __future__ import annotations

import base64
import io
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from sagemaker_sklearn_container import codecs, contract
from sagemaker_sklearn_container.codecs import (
    csv_codec,
    doubles,
    json_codec,
    plain_tables,
    recordio_codec,
    recordio_reader,
    recordio_writer,
    varints,
)
from sagemaker_sklearn_container.errors import DecodeError

# Left in the test's sandbox by `3rdparty/python:replaced-codecs`; run by this interpreter, which is the one it is for.
PYTHON = (sys.executable, os.path.abspath("3rdparty.python/replaced-codecs.pex"))
SETTINGS = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)


class Oracle:
    """The replaced codecs in another process."""

    def __init__(self) -> None:
        program = str(Path(__file__).parent / "oracle_replaced.py")
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        self.process = subprocess.Popen(
            [*PYTHON, program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            universal_newlines=True,
        )

    def _ask(self, do: str, body: bytes, media_type: str) -> bytes | None:
        assert self.process.stdin
        assert self.process.stdout
        request = {"do": do, "body": base64.b64encode(body).decode("ascii"), "media_type": media_type}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return base64.b64decode(answer["body"]) if "body" in answer else None

    def decode(self, body: bytes, media_type: str) -> np.ndarray[Any, Any] | None:
        """The array, or None if the replaced codec refuses the body."""
        saved = self._ask("decode", body, media_type)
        return None if saved is None else np.load(io.BytesIO(saved), allow_pickle=False)

    def encode(self, array: np.ndarray[Any, Any], media_type: str) -> bytes | None:
        """The body, or None if the replaced codec refuses the array."""
        out = io.BytesIO()
        np.save(out, array, allow_pickle=False)
        return self._ask("encode", out.getvalue(), media_type)

    def records(self, rows: Any, labels: np.ndarray[Any, Any] | None) -> bytes | None:
        """The RecordIO-protobuf body, or None if the replaced codec refuses the rows."""
        if sparse.issparse(rows):
            parts = {"data": rows.data, "indices": rows.indices, "indptr": rows.indptr, "shape": np.array(rows.shape)}
        else:
            parts = {"rows": rows}
        out = io.BytesIO()
        np.savez(out, **parts, **({} if labels is None else {"labels": labels}))
        return self._ask("records", out.getvalue(), recordio_codec.MEDIA_TYPE)

    def tensors(self, body: bytes) -> list[list[Any]]:
        """What protobuf reads in each record."""
        read = self._ask("tensors", body, recordio_codec.MEDIA_TYPE)
        assert read is not None
        found: list[list[Any]] = json.loads(read)
        return found


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    found = Oracle()
    yield found
    assert found.process.stdin
    found.process.stdin.close()
    assert found.process.wait(timeout=30) == 0
    assert found.process.stdout
    found.process.stdout.close()


def decoded(body: bytes, media_type: str) -> Any:
    """The array, or None if the body is refused with status 400."""
    try:
        return codecs.decode(body, media_type)
    except DecodeError:
        return None


def same(found: Any, expected: np.ndarray[Any, Any]) -> None:
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found, expected)
    if found.dtype.kind == "f":
        np.testing.assert_array_equal(np.signbit(found[~np.isnan(found)]), np.signbit(expected[~np.isnan(expected)]))


@pytest.fixture(params=[64, doubles.PIECE_BYTES, None], ids=["pieces-of-64", "pieces-as-shipped", "compiled"])
def _piece_bytes(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pieces let small examples cross their borders; what the compiled reader leaves goes through pieces, too."""
    if request.param is not None:
        monkeypatch.setattr(doubles, "PIECE_BYTES", request.param)
        monkeypatch.setattr(plain_tables, "_compiled", None)
    monkeypatch.setattr(csv_codec, "_SMALL_BYTES", -1)
    monkeypatch.setattr(json_codec, "_SMALL_BYTES", -1)


DIGITS = st.from_regex(r"\A-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?\Z")
NUMBERS = st.one_of(
    st.floats().map(repr), st.floats(width=32).map(repr), st.integers().map(str), DIGITS, st.integers(0, 9).map(str)
)
ODD_CELLS = st.sampled_from(
    [
        "-0",
        "-0.0",
        "-0e3",
        "-0.00E-2",
        "-1e-400",
        "-0.1E-400",
        "+1",
        ".5",
        "5.",
        "1e5",
        "1E+05",
        " 1",
        "1 ",
        "\t2",
        "007",
        "nan",
        "-inf",
        "Infinity",
        "",
        " ",
        "x",
    ]
    + ["1e400", "-1e400", "1e-400", "18446744073709551616", "9007199254740993", '"1"', '" 2"', '"1,2"', '"', '""', "[1"]
    + ["\u0661", "\u00a01", "[1]", "1]", "{}", "true", "null", "0x1", "1e", "-", "1 2", "0.1" * 30, '"1\n"', "1\n"]
)
LINE_ENDS = st.sampled_from(["\n", "\r\n", "\n", "\r", "\n\n", "\r\r\n", ",\n", "\n,"])


@st.composite
def csv_texts(draw: Any) -> str:
    columns = draw(st.integers(1, 6))
    cells = draw(st.sampled_from([NUMBERS, NUMBERS, st.one_of(NUMBERS, ODD_CELLS)]))
    rows = draw(st.lists(st.lists(cells, min_size=columns, max_size=columns), min_size=1, max_size=30))
    if draw(st.integers(0, 9)) == 0:
        rows.append(draw(st.lists(cells, max_size=8)))
    line_end = draw(LINE_ENDS) if draw(st.integers(0, 3)) == 0 else "\n"
    return str(line_end.join(",".join(row) for row in rows) + draw(st.sampled_from(["", "\n", "\r\n"])))


@pytest.mark.usefixtures("_piece_bytes")
@SETTINGS
@given(text=csv_texts())
def test_csv_is_read_alike(oracle: Oracle, text: str) -> None:
    """C-02, C-26: whatever the replaced codec reads has the same numbers; D-1 keeps both axes."""
    expected = oracle.decode(text.encode("utf-8"), contract.CSV)
    found = decoded(text.encode("utf-8"), contract.CSV)
    if found is None:
        assert expected is None or not expected.size
        return
    same(codecs.decode(text, contract.CSV), found)
    assert found.ndim == 2
    if expected is not None:
        same(found.squeeze(), expected)


LEAVES = st.one_of(
    st.integers(-(2**70), 2**70),
    st.integers(-9, 9),
    st.floats(),
    st.floats(width=32),
    st.integers(2**53, 2**63),
)
ODD_LEAVES = st.one_of(LEAVES, st.none(), st.booleans(), st.sampled_from(["42", "1e3", "x", "\ud800", {}, {"a": 1}]))


@st.composite
def json_values(draw: Any) -> Any:
    leaves = draw(st.sampled_from([LEAVES, LEAVES, st.floats(), st.integers(-9, 9), ODD_LEAVES]))
    shape = draw(st.lists(st.integers(1, 6), max_size=3))

    def nest(dims: list[int]) -> Any:
        if not dims:
            return draw(leaves)
        return [nest(dims[1:]) for _ in range(dims[0])]

    value = nest(shape)
    if shape and draw(st.integers(0, 9)) == 0:
        value.append(draw(st.one_of(leaves, st.lists(leaves, max_size=3))))
    return value


@pytest.mark.usefixtures("_piece_bytes")
@SETTINGS
@given(value=json_values(), separators=st.sampled_from([(",", ":"), (", ", ": "), (" , ", ":")]), indent=st.booleans())
def test_json_is_read_alike(oracle: Oracle, value: Any, separators: Any, indent: bool) -> None:
    """C-01, C-26."""
    body = json.dumps(value, separators=separators, indent=1 if indent else None).encode("ascii")
    expected = oracle.decode(body, contract.JSON)
    found = decoded(body, contract.JSON)
    if found is None:
        assert expected is None
        return
    same(codecs.decode(body.decode("ascii"), contract.JSON), found)
    if expected is not None:
        same(found, expected)


@pytest.mark.usefixtures("_piece_bytes")
@SETTINGS
@given(text=st.text(alphabet="[],1-0.e \n", max_size=24), times=st.integers(1, 6))
def test_json_punctuation_is_checked_alike(oracle: Oracle, text: str, times: int) -> None:
    """C-01, S-42: brackets and commas in every order."""
    body = ("[" + ",".join([text] * times) + "]").encode("ascii")
    expected = oracle.decode(body, contract.JSON)
    found = decoded(body, contract.JSON)
    assert (found is None) == (expected is None)
    if found is None or expected is None:
        return
    same(found, expected)


@st.composite
def arrays(draw: Any) -> np.ndarray[Any, Any]:
    dtype = np.dtype(draw(st.sampled_from("f8 f8 f4 f2 i8 i4 i2 u8 u1 ? >f8 >i4 U".split())))
    shape = draw(st.one_of(st.tuples(st.integers(1, 40)), st.tuples(st.integers(1, 20), st.integers(1, 5))))
    size = math.prod(shape)
    some: Any
    if dtype.kind == "f":
        width: Any = dtype.itemsize * 8
        scaled = st.builds(lambda x, e: float(np.float64(x) * 10.0**e), st.floats(-10, 10), st.integers(-20, 20))
        some = scaled if width == 64 and draw(st.booleans()) else st.floats(width=width)
    elif dtype.kind in "iu":
        info = np.iinfo(dtype)
        some = st.integers(int(info.min), int(info.max))
    elif dtype.kind == "b":
        some = st.booleans()
    else:
        some = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=5)
    values = draw(st.lists(some, min_size=size, max_size=size))
    return np.array(values, dtype=dtype).reshape(shape)


@SETTINGS
@given(array=arrays(), columns_first=st.booleans())
def test_predictions_are_written_alike(oracle: Oracle, array: Any, columns_first: bool) -> None:
    """C-20, C-22, C-23, C-26: byte for byte, where the replaced codec writes valid JSON."""
    array = np.asfortranarray(array) if columns_first else array
    assert codecs.encode(array, contract.CSV)[0] == oracle.encode(array, contract.CSV)
    assert codecs.encode(array, contract.NPY)[0] == oracle.encode(array, contract.NPY)
    expected = oracle.encode(array, contract.JSON)
    assert expected is not None
    for bare in (b"-Infinity", b"Infinity", b"NaN") if array.dtype.kind == "f" else ():
        expected = expected.replace(bare, b"null")  # C-21
    assert codecs.encode(array, contract.JSON)[0] == expected


@SETTINGS
@given(array=arrays(), columns_first=st.booleans())
def test_npy_is_read_alike(oracle: Oracle, array: Any, columns_first: bool) -> None:
    """C-05."""
    out = io.BytesIO()
    np.save(out, np.asfortranarray(array) if columns_first else array)
    expected = oracle.decode(out.getvalue(), contract.NPY)
    found = codecs.decode(out.getvalue(), contract.NPY)
    assert expected is not None
    same(found, expected)
    assert found.flags.f_contiguous == expected.flags.f_contiguous


KINDS = {"float32": "float32_tensor", "float64": "float64_tensor", "int32": "int32_tensor", "int64": "int32_tensor"}
# Numbers of every length that a varint can have there, and some that are all alike.
INTEGERS = st.one_of(
    st.integers(0, 9),
    st.integers(-(2**31), 2**31 - 1),
    st.builds(lambda bits, less: (1 << bits) - less, st.integers(0, 30), st.integers(0, 1)),
    st.builds(lambda bits, more: -(1 << bits) + more, st.integers(0, 31), st.integers(0, 1)),
)


def column_of(draw: Any, dtype: str, size: int) -> np.ndarray[Any, Any]:
    if dtype.startswith("int"):
        some: Any = draw(st.sampled_from([st.integers(0, 127), INTEGERS]))
    else:
        some = st.one_of(st.just(0.0), st.floats(width=32 if dtype == "float32" else 64, allow_nan=False))
    return np.array(draw(st.lists(some, min_size=size, max_size=size)), dtype)


@st.composite
def matrices(draw: Any, dtype: str, rows: int) -> Any:
    """csr matrices: empty rows, keys out of order and twice, zeros that are written; wide ones and empty ones."""
    columns = draw(st.sampled_from([0, 1, 3, 127, 128, 129, 16384, 16385, 70_000, 2**21 + 1, 2**31 - 1]))
    counts = draw(st.lists(st.integers(0, 6 if columns else 0), min_size=rows, max_size=rows))
    size = sum(counts)
    places = st.one_of(st.integers(0, max(0, columns - 1)), st.integers(max(0, columns - 2), max(0, columns - 1)))
    keys = draw(st.lists(places, min_size=size, max_size=size))
    ends = np.cumsum([0, *counts])
    data = column_of(draw, dtype, size)
    return sparse.csr_matrix((data, np.array(keys, np.int32), ends), shape=(rows, columns))


@st.composite
def labelled_rows(draw: Any) -> tuple[Any, Any]:
    dtype, label_dtype = draw(st.sampled_from(sorted(KINDS))), draw(st.sampled_from([None, *sorted(KINDS)]))
    rows = draw(st.one_of(st.just(1), st.integers(1, 12)))
    if draw(st.booleans()):
        found = draw(matrices(dtype, rows))
    else:
        columns = draw(st.sampled_from([0, 1, 2, 7, 33]))
        found = column_of(draw, dtype, rows * columns).reshape(rows, columns)
        found = np.asfortranarray(found) if draw(st.booleans()) else found
    return found, None if label_dtype is None else column_of(draw, label_dtype, rows)


def as_replaced(rows: Any) -> Any:
    """The replaced codec knows one dtype of integers."""
    if rows is None or rows.dtype.kind != "i":
        return rows
    if sparse.issparse(rows):  # its own astype would add up values of the same place
        return sparse.csr_matrix((rows.data.astype(np.int64), rows.indices, rows.indptr), shape=rows.shape)
    return rows.astype(np.int64)


@pytest.fixture(params=[3, 32 * 1024], ids=["three-numbers", "pieces-as-shipped"])
def _varint_pieces(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pieces let small examples cross their borders."""
    monkeypatch.setattr(varints, "_STEP", request.param)
    monkeypatch.setattr(recordio_writer, "_STEP", request.param)


@pytest.mark.usefixtures("_varint_pieces")
@SETTINGS
@given(pair=labelled_rows())
def test_records_are_written_alike(oracle: Oracle, pair: tuple[Any, Any]) -> None:
    """A-04, C-25: byte for byte; and protobuf reads back what was written."""
    rows, labels = pair
    body = recordio_codec.encode_labelled(rows, labels)
    assert body == oracle.records(as_replaced(rows), as_replaced(labels))
    read = oracle.tensors(body)
    assert len(read) == rows.shape[0]
    for number, record in enumerate(read):
        if sparse.issparse(rows):
            part = slice(rows.indptr[number], rows.indptr[number + 1])
            expected = [rows.data[part].tolist(), rows.indices[part].tolist(), [rows.shape[1]]]
        else:
            expected = [rows[number].tolist(), [], []]
        assert record[:4] == [KINDS[rows.dtype.name], *expected]
        assert record[4:] == ([] if labels is None else [KINDS[labels.dtype.name], [labels[number].tolist()]])


@pytest.mark.usefixtures("_varint_pieces")
@SETTINGS
@given(pair=labelled_rows(), data=st.data())
def test_both_ways_of_reading_records_agree(pair: tuple[Any, Any], data: st.DataObject) -> None:
    """C-09, C-25, S-42: whole tables at once, and one record after the other; of bodies with a damaged byte as well."""
    body = bytearray(recordio_codec.encode_labelled(*pair))
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] = data.draw(st.integers(0, 255))
        del body[len(body) - data.draw(st.integers(0, 3)) :]
    found, expected = read_as(bytes(body), True), read_as(bytes(body), False)
    if isinstance(found, str) or isinstance(expected, str):
        assert found == expected
        return
    assert type(found) is type(expected)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    if sparse.issparse(found):
        for part in ("data", "indices", "indptr"):
            same(getattr(found, part), getattr(expected, part))
            assert getattr(found, part).flags.writeable
        return
    same(found, expected)
    assert found.flags.writeable


def read_as(body: bytes, at_once: bool) -> Any:
    """What is read, or the error's message."""
    with pytest.MonkeyPatch.context() as patch:
        if not at_once:
            patch.setattr(recordio_reader, "read", lambda raw: None)
            patch.setattr(recordio_codec, "_equal_records", lambda raw: None)
        try:
            return recordio_codec.decode(body)
        except DecodeError as exc:
            return str(exc)
