"""RecordIO-protobuf, Parquet and lines of text."""

from __future__ import annotations

import io
import struct
from typing import Any, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

import mlio
from mlio.integ.arrow import as_arrow_file
from mlio.integ.numpy import as_numpy
from mlio.integ.scipy import to_coo_matrix
from tests.unit.mlio.readers import tables

DT = mlio.DataType
BAD = mlio.BadExampleHandling


def _varint(number: int) -> bytes:
    number &= 2**64 - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _floats(*values: float) -> bytes:
    return _field(1, struct.pack(f"<{len(values)}f", *values))


def _varints(*values: int) -> bytes:
    return b"".join(map(_varint, values))


def _entry(tensor: bytes, kind: int = 2, name: bytes = b"values", of: int = 1) -> bytes:
    return _field(of, _field(1, name) + _field(2, _field(kind, tensor)))


def _frame(message: bytes, part: int = 0) -> bytes:
    return struct.pack("<II", 0xCED7230A, part << 29 | len(message)) + message + bytes(-len(message) % 4)


def _row(*values: float, label: float | None = None) -> bytes:
    message = _entry(_floats(*values))
    return _frame(message if label is None else message + _entry(_floats(label), of=2))


def _reader(*stores: bytes, batch_size: int = 10, **options: Any) -> mlio.RecordIOProtobufReader:
    dataset = [mlio.InMemoryStore(store) for store in stores]
    options.setdefault("warn_bad_instances", False)
    return mlio.RecordIOProtobufReader(mlio.DataReaderParams(dataset, batch_size, **options))


def _arrays(example: mlio.Example) -> dict[str, Any]:
    return {name.name: as_numpy(feature).tolist() for name, feature in zip(example.schema.attributes, example)}


def test_dense_records_give_features_and_labels() -> None:
    """C-25: the label is called label_values; batches go over the ends of stores."""
    reader = _reader(_row(1, 2, label=0) + _row(3, 4, label=1), b"", _row(5, 6, label=2), batch_size=2)
    schema = reader.read_schema()
    assert schema == mlio.Schema(
        [mlio.Attribute("label_values", DT.FLOAT32, (2, 1)), mlio.Attribute("values", DT.FLOAT32, (2, 2))]
    )
    found = [_arrays(example) for example in reader]
    assert found == [
        {"label_values": [[0], [1]], "values": [[1, 2], [3, 4]]},
        {"label_values": [[2]], "values": [[5, 6]]},
    ]
    reader.reset()
    assert [_arrays(example) for example in reader] == found
    assert _reader().read_schema() is None


def test_sparse_records_give_coordinates() -> None:
    """C-25: rows without a value, too."""
    sparse = [_field(2, _varints(*keys)) + _field(3, _varint(300)) for keys in ([0, 299], [128])]
    rows = [_floats(1, 2) + sparse[0], _field(3, _varint(300)), _floats(3) + sparse[1]]
    [example] = _reader(b"".join(_frame(_entry(row)) for row in rows))
    tensor = example["values"]
    assert isinstance(tensor, mlio.CooTensor)
    assert (tensor.shape, tensor.data_type, tensor.strides) == ((3, 300), DT.FLOAT32, (300, 1))
    assert example.schema.attributes[0].sparse
    matrix = to_coo_matrix(tensor)
    expected = np.zeros((3, 300))
    expected[0, 0], expected[0, 299], expected[2, 128] = 1, 2, 3
    assert np.array_equal(matrix.toarray(), expected)
    with pytest.raises(ValueError, match="only a DenseTensor"):
        as_numpy(tensor)


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=3, max_size=3), min_size=1, max_size=20))
def test_integers_of_any_size(rows: list[list[int]]) -> None:
    """C-25: int32, negative ones in ten bytes."""
    data = b"".join(_frame(_entry(_field(1, _varints(*row)), kind=7)) for row in rows)
    found = [row for example in _reader(data, batch_size=7) for row in as_numpy(example[0]).tolist()]
    assert found == rows


def test_doubles_shapes_and_unpacked_values() -> None:
    """C-25: float64; a shape makes more axes; values may come one by one."""
    tensor = _field(1, struct.pack("<4d", 1, 2, 3, 4)) + _field(3, _varints(2, 2))
    [example] = _reader(_frame(_entry(tensor, kind=3)))
    assert as_numpy(example[0]).tolist() == [[[1, 2], [3, 4]]]
    assert as_numpy(example[0]).dtype == np.float64
    single = b"\x0d" + struct.pack("<f", 1.5) + b"\x0d" + struct.pack("<f", 2.5)
    [example] = _reader(_frame(_entry(single)))
    assert as_numpy(example[0]).tolist() == [[1.5, 2.5]]
    [example] = _reader(_frame(_entry(b"\x08\x07\x08\x81\x01", kind=7)))
    assert as_numpy(example[0]).tolist() == [[7, 129]]


def test_parts_are_put_together() -> None:
    """C-25: a record may take several frames."""
    message = _entry(_floats(1, 2))
    parts = _frame(message[:5], 1) + _frame(message[5:8], 2) + _frame(message[8:], 3)
    [example] = _reader(parts + _row(3, 4))
    assert as_numpy(example[0]).tolist() == [[1, 2], [3, 4]]
    for broken in (_frame(message, 2), _frame(message, 1), _frame(message, 1) + _row(1), _frame(message, 5)):
        with pytest.raises(mlio.DataReaderError) as caught:
            _reader(broken).read_example()
        assert isinstance(caught.value.__cause__, mlio.CorruptRecordError)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"1,2,3,4,5\n", mlio.CorruptHeaderError),
        (_row(1, 2)[:-2], mlio.CorruptRecordError),
        (_row(1, 2) + b"\n", mlio.CorruptRecordError),
    ],
)
def test_damaged_frames_are_refused(data: bytes, error: type[Exception]) -> None:
    """C-25: DataReaderError with the cause; 400 when it came from memory."""
    reader = _reader(_row(0, 0) + data, batch_size=1)
    with pytest.raises(mlio.DataReaderError, match="record ") as caught:
        list(reader)
    assert isinstance(caught.value.__cause__, error)
    assert caught.value.request_status == 400


@pytest.mark.parametrize(
    "message",
    [
        b"\xff" * 11,
        b"\x0b",
        b"\x0a\x05ab",
        _entry(_floats(1, 2, 3)),
        _entry(_floats(1, 2), name=b"other"),
        _entry(_floats(1, 2), name=b"\xff"),
        _entry(_floats(1, 2)) + _entry(_floats(0), of=2),
        _entry(_field(1, struct.pack("<2d", 1, 2)), kind=3),
        _entry(_field(1, b"abc")),
        _entry(_field(1, b"\xff"), kind=7),
        _entry(_field(1, b"\xff" * 11 + b"\0"), kind=7),
        _entry(_floats(1, 2) + _field(2, b"\0\1") + _field(3, b"\2")),
        _entry(_floats(1, 2) + _field(3, b"\3")),
        _field(1, _field(1, b"values")),
        _field(1, b"\x0d1234"),
        _entry(b"image", kind=9),
    ],
)
def test_records_that_do_not_fit_the_first(message: bytes) -> None:
    """C-25: InvalidInstanceError, or skipped; SchemaError in front."""
    data = _row(1, 2) + _frame(message) + _row(3, 4)
    with pytest.raises(mlio.InvalidInstanceError, match="record 2: ") as caught:
        list(_reader(data, batch_size=1))
    assert caught.value.request_status == 400
    padded = _reader(data, bad_example_handling=BAD.PAD).read_example()
    assert padded is not None
    assert (as_numpy(padded[0]).tolist(), padded.padding) == ([[1, 2], [3, 4], [0, 0]], 1)
    skipping = _reader(data, batch_size=1, bad_example_handling=BAD.SKIP)
    assert [as_numpy(example[0]).tolist() for example in skipping] == [[[1, 2]], [[3, 4]]]


def _reader_of_one(message: bytes) -> mlio.RecordIOProtobufReader:
    return _reader(_frame(message))


@pytest.mark.parametrize(
    "message", [b"\x0b", _entry(b"image", kind=9), _entry(_floats(1) + _field(2, b"\0")), _entry(b"", kind=5)]
)
def test_a_first_record_that_says_nothing(message: bytes) -> None:
    """C-25."""
    with pytest.raises(mlio.SchemaError, match="record 1"):
        _reader_of_one(message).read_schema()


def test_sparse_records_are_checked() -> None:
    """C-25: as many keys as values, none beyond the shape."""
    first = _frame(_entry(_floats(1) + _field(2, b"\1") + _field(3, b"\2")))
    for tensor in (
        _floats(1, 2) + _field(2, b"\1") + _field(3, b"\2"),
        _floats(1) + _field(2, b"\2") + _field(3, b"\2"),
        _floats(1, 1),
    ):
        with pytest.raises(mlio.InvalidInstanceError):
            _reader(first + _frame(_entry(tensor))).read_example()
    options = {"last_example_handling": mlio.LastExampleHandling.PAD}
    example = _reader(first, batch_size=3, **options).read_example()
    assert example is not None
    assert (example[0].shape, example.padding) == ((3, 2), 2)


def test_sharding_and_shuffling_are_the_same_for_all_readers() -> None:
    """A-03."""
    data = b"".join(_row(number) for number in range(100))

    def read(**options: Any) -> list[float]:
        return [float(value) for example in _reader(data, **options) for value in as_numpy(example[0])[:, 0]]

    assert read(num_shards=2, shard_index=1, num_instances_to_skip=90) == [91, 93, 95, 97, 99]
    shuffled = read(shuffle_instances=True, shuffle_seed=1)
    assert shuffled != sorted(shuffled) == list(range(100))


def _parquet(rows: int) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"n": list(range(rows)), "s": ["PAR1"] * rows}), file)
    return file.getvalue()


@pytest.mark.parametrize("count", [1, 3])
def test_parquet_files_are_records(count: int) -> None:
    """A-03: one behind the other in a stream, though their mark may be among the values."""
    files = [_parquet(rows) for rows in range(1, count + 1)]
    reader = mlio.ParquetRecordReader(mlio.InMemoryStore(b"".join(files)).open_read())
    peeked = reader.peek_record()
    records = list(reader)
    assert records[0] is peeked
    assert [bytes(record) for record in records] == files
    assert [pq.read_table(as_arrow_file(record)).num_rows for record in records] == list(range(1, count + 1))
    assert {record.kind for record in records} == {mlio.RecordKind.COMPLETE}
    assert np.asarray(records[0])[:4].tobytes() == b"PAR1"
    assert len(records[0]) == len(files[0])
    assert reader.peek_record() is reader.read_record() is None


def test_what_is_no_parquet_is_refused() -> None:
    """A-03."""
    for data, error in ((b"a,b\n", mlio.CorruptHeaderError), (b"P", mlio.CorruptHeaderError)):
        with pytest.raises(error):
            mlio.ParquetRecordReader(mlio.InMemoryStore(data).open_read()).read_record()
    with pytest.raises(mlio.CorruptFooterError):
        mlio.ParquetRecordReader(mlio.InMemoryStore(_parquet(2)[:-1]).open_read()).read_record()
    assert list(mlio.ParquetRecordReader(mlio.InMemoryStore(b"").open_read())) == []


def _lines(*stores: bytes, **options: Any) -> Sequence[Any]:
    dataset = [mlio.InMemoryStore(store) for store in stores]
    return tables(mlio.TextLineReader(mlio.DataReaderParams(dataset, 3, **options)))


def test_lines_of_text() -> None:
    """A-03: one feature called value; blank lines count, quotes mean nothing."""
    reader = mlio.TextLineReader(mlio.DataReaderParams([mlio.InMemoryStore(b"")], 3))
    assert reader.read_schema() == mlio.Schema([mlio.Attribute("value", DT.STRING, (3, 1))])
    found = _lines(b'\xef\xbb\xbfa,"b\r\n\rc\n', "é".encode("utf-16"))
    assert found == [[['a,"b'], [""], ["c"]], [["é"]]]
    assert _lines(b"a\nb\nc\n", num_shards=2) == [[["a"], ["c"]]]
    with pytest.raises(UnicodeDecodeError, match="row 2, column 1 has the byte 0xff"):
        _lines(b"a\n\xff\n")


def test_sparse_and_dense_matrices_meet_scipy() -> None:
    """A-03: there and back; a copy of the values."""
    matrix = scipy.sparse.coo_matrix(np.array([[0, 1.5], [2.5, 0]]))
    tensor = mlio.integ.scipy.to_tensor(matrix)
    back = to_coo_matrix(tensor)
    assert np.array_equal(back.toarray(), matrix.toarray())
    assert not np.shares_memory(back.data, matrix.data)
    assert to_coo_matrix(mlio.CooTensor((3,), [7.0], [[1]])).toarray().tolist() == [[0, 7, 0]]
    with pytest.raises(ValueError, match="CooTensor"):
        to_coo_matrix(mlio.DenseTensor((1,), np.zeros(1)))
    with pytest.raises(ValueError, match="one axis or two"):
        to_coo_matrix(mlio.CooTensor((1, 1, 1), [1.0], [[0], [0], [0]]))
    with pytest.raises(ValueError, match="tocoo"):
        mlio.integ.scipy.to_tensor(matrix.tocsr())
