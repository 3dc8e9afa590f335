"""What `CsvParams` and `DataReaderParams` can ask for."""

from __future__ import annotations

import logging
from typing import Any, Sequence

import numpy as np
import pytest

import mlio
from mlio.integ.numpy import as_numpy
from tests.unit.mlio.readers import csv_reader, rows, table, tables

DT = mlio.DataType
LAST, BAD = mlio.LastExampleHandling, mlio.BadExampleHandling
NUMBERS = b"".join(b"%d\n" % number for number in range(250))
# Both ways to read: in Python, by pyarrow.
SIZES = pytest.mark.parametrize("small_bytes", [0, 10**6])


def _default(*stores: bytes, **options: Any) -> mlio.CsvReader:
    """A reader with the default parameters of CSV."""
    defaults = {"default_data_type": None, "header_row_index": 0, "allow_quoted_new_lines": False}
    return csv_reader(*stores, **{**defaults, **options})


def _names(reader: mlio.DataReader) -> list[str]:
    schema = reader.read_schema()
    assert schema is not None
    return [attribute.name for attribute in schema.attributes]


def _types(reader: mlio.DataReader) -> list[mlio.DataType]:
    schema = reader.read_schema()
    assert schema is not None
    return [attribute.data_type for attribute in schema.attributes]


def _column(reader: mlio.DataReader) -> list[list[Any]]:
    """The first column of each batch that is left."""
    return [[row[0] for row in batch] for batch in tables(reader)]


@SIZES
def test_defaults_take_a_header_and_look_at_the_first_row(small_bytes: int) -> None:
    """A-03: names from the first row; INT64, UINT64, FLOAT64, STRING by the second."""
    data = b"i,u,f,s,e\n1,18446744073709551615,1.5,x,\n-2,0, 2e3 ,7,y\n"
    reader = _default(data, _small_bytes=small_bytes)
    assert _names(reader) == ["i", "u", "f", "s", "e"]
    assert _types(reader) == [DT.INT64, DT.UINT64, DT.FLOAT64, DT.STRING, DT.STRING]
    example = reader.read_example()
    assert example is not None
    assert table(example) == [[1, 2**64 - 1, 1.5, "x", ""], [-2, 0, 2000.0, "7", "y"]]
    assert [as_numpy(feature).dtype.name for feature in example] == ["int64", "uint64", "float64", "object", "object"]


def test_what_is_no_number_makes_a_column_of_text() -> None:
    """A-03: infinity, underscores, hexadecimal digits and digits of other scripts are text; NaN is a number."""
    assert _types(_default("inf,1_0,0x1F,٣,1e999,1e5,nan,+7, 8 \n".encode(), header_row_index=None)) == [
        *[DT.STRING] * 5,
        *[DT.FLOAT64] * 2,
        *[DT.INT64] * 2,
    ]


def test_an_example_holds_columns() -> None:
    """A-03: by position and name; rows by one; KeyError beyond."""
    reader = _default(b"a,b\n1,x\n2,y\n")
    example = reader.read_example()
    assert example is not None
    assert (len(example), example.padding) == (2, 0)
    assert as_numpy(example[1]).tolist() == [["x"], ["y"]]
    assert example["b"] is example[1]
    assert list(example) == [example[0], example[1]]
    assert "a" in example
    assert 1 in example
    assert "c" not in example
    assert 2 not in example
    assert example.schema.attributes[0].name == "a"
    for key in (2, -1, "c"):
        with pytest.raises(KeyError):
            example[key]
    assert "padding=0" in repr(example)


def test_the_schema_describes_full_batches() -> None:
    """A-03: known without reading a batch, kept by `reset`."""
    reader = csv_reader(b"x,y\n", batch_size=7)
    schema = reader.read_schema()
    assert schema == mlio.Schema([mlio.Attribute(name, DT.STRING, (7, 1)) for name in ("1", "2")])
    assert schema is not None
    assert schema.attributes[0].strides == (1, 1)
    assert not schema.attributes[0].sparse
    assert (schema.get_index("2"), schema.get_index("3")) == (1, None)
    assert hash(schema) == hash(mlio.Schema(list(schema.attributes)))
    assert tables(reader) == [[["x", "y"]]]
    reader.reset()
    assert reader.read_schema() is schema


def test_peeking_does_not_consume() -> None:
    """A-03."""
    reader = csv_reader(b"a\nb\n", batch_size=1)
    peeked = reader.peek_example()
    assert peeked is reader.peek_example()
    assert reader.read_example() is peeked
    assert _column(reader) == [["b"]]
    assert reader.peek_example() is None
    assert reader.read_example() is None
    reader.reset()
    assert _column(reader) == [["a"], ["b"]]


def test_iterating_ends_with_the_epoch() -> None:
    """A-03: a second loop finds nothing before `reset`."""
    reader = csv_reader(b"a\nb\n", batch_size=1)
    assert _column(reader) == [["a"], ["b"]]
    assert _column(reader) == []
    reader.reset()
    assert _column(reader) == [["a"], ["b"]]


@SIZES
def test_headers(small_bytes: int) -> None:
    """A-03: of each store at the same row; those above are left out."""
    sizes = {"_small_bytes": small_bytes}
    assert tables(_default(b"title\na,b\n1,2\n", b"title\na,b\n3,4\n", header_row_index=1, **sizes)) == [
        [[1, 2], [3, 4]]
    ]
    reader = _default(b"a,b\n1,2\n", b"3,4\n", has_single_header=True, **sizes)
    for _ in range(2):
        assert tables(reader) == [[[1, 2], [3, 4]]]
        reader.reset()
    named = _default(b"a,b\n1,2\n", column_names=["x", "y"], **sizes)
    assert (_names(named), tables(named)) == (["x", "y"], [[[1, 2]]])
    numbered = csv_reader(b"1,2\n", name_prefix="c", **sizes)
    assert _names(numbered) == ["c1", "c2"]
    assert _names(_default(b'"a\n1\n', b"", header_row_index=None, quote_char="'")) == ["1"]
    assert _names(_default(b"a,b\n", name_prefix="p_")) == ["p_a", "p_b"]


@pytest.mark.parametrize("block_bytes", [1, 3, 1000])
def test_headers_are_found_wherever_blocks_end(block_bytes: int) -> None:
    """A-03."""
    data = b'\xef\xbb\xbf\nskipped,"line\n"\n"a","b ""x"""\n1,2\n'
    reader = _default(data, header_row_index=1, allow_quoted_new_lines=True, _block_bytes=block_bytes)
    assert (_names(reader), tables(reader)) == (["a", 'b "x"'], [[[1, 2]]])


def test_a_data_set_without_rows() -> None:
    """A-03: a header gives a schema of text, nothing gives none."""
    reader = _default(b"a,b\n")
    assert (_types(reader), reader.read_example()) == ([DT.STRING, DT.STRING], None)
    empty = csv_reader(b"")
    assert (empty.read_schema(), empty.read_example()) == (None, None)
    assert csv_reader().read_example() is None


def test_headers_that_do_not_fit_are_refused() -> None:
    """A-03: SchemaError, a DataReaderError."""
    with pytest.raises(mlio.SchemaError, match="row 1 has 3 columns, but there are 2 column names"):
        _default(b"a,b\n1,2,3\n").read_schema()
    with pytest.raises(mlio.SchemaError, match="more than one attribute is called 'a'"):
        _default(b"a,a\n", dedupe_column_names=False).read_schema()
    for broken in (b'"a\n', b"\xff,a\n"):
        with pytest.raises(mlio.SchemaError, match="header") as caught:
            _default(broken).read_schema()
        assert caught.value.request_status == 400
        assert caught.value.__cause__ is not None
    with pytest.raises(mlio.SchemaError) as caught:
        _default(b'"a\n', header_row_index=None).read_schema()
    assert isinstance(caught.value.__cause__, mlio.CorruptRecordError)


def test_names_that_repeat_get_numbers() -> None:
    """A-03."""
    assert _names(_default(b"X,X,Y,X,X_1\n")) == ["X", "X_1", "Y", "X_2", "X_1_1"]


@SIZES
def test_columns_are_chosen_by_name_and_position(small_bytes: int) -> None:
    """A-03."""
    data = b"a,b,c\n1,x,2\n3,y,4\n"
    by_name = _default(data, use_columns={"a", "c"}, _small_bytes=small_bytes)
    assert (_names(by_name), tables(by_name)) == (["a", "c"], [[[1, 2], [3, 4]]])
    assert tables(_default(data, use_columns_by_index=[1], _small_bytes=small_bytes)) == [[["x"], ["y"]]]
    text = csv_reader(data, use_columns_by_index={2}, _small_bytes=small_bytes)
    assert tables(text) == [[["c"], ["2"], ["4"]]]
    assert tables(_default(b"a,b\n1,no number\n", use_columns={"a"}, default_data_type=DT.INT8)) == [[[1]]]


def test_types_are_set_by_name_and_position() -> None:
    """A-03."""
    reader = _default(b"a,b,c\n1,2,3\n", column_types={"a": DT.FLOAT32}, column_types_by_index={1: DT.STRING})
    assert _types(reader) == [DT.FLOAT32, DT.STRING, DT.INT64]
    assert tables(reader) == [[[1.0, "2", 3]]]
    with pytest.raises(ValueError, match="no column is called 'x'"):
        _default(b"a\n1\n", column_types={"x": DT.STRING}).read_schema()
    with pytest.raises(ValueError, match="there is no column 1"):
        _default(b"a\n1\n", column_types_by_index={1: DT.STRING}).read_schema()


@pytest.mark.parametrize("data_type", [kind for kind in DT if kind is not DT.STRING])
def test_numbers_of_every_type(data_type: mlio.DataType) -> None:
    """A-03."""
    [example] = csv_reader(b"1\n+7\n 3 \n", default_data_type=data_type)
    values = as_numpy(example[0])
    assert values.dtype.name == data_type.value.replace("size", "uint64")
    assert values[:, 0].tolist() == [1, 7, 3]


@pytest.mark.parametrize(
    ("data_type", "cell"),
    [
        (DT.INT8, "128"),
        (DT.INT8, "-129"),
        (DT.UINT64, "-1"),
        (DT.UINT64, str(2**64)),
        (DT.INT64, "1.0"),
        (DT.INT64, "1_0"),
        (DT.INT64, "٣"),
        (DT.INT64, ""),
        (DT.FLOAT64, "x"),
        (DT.FLOAT64, ""),
        (DT.FLOAT64, "inf"),
        (DT.FLOAT64, "1_0"),
        (DT.FLOAT64, "٣"),
        (DT.FLOAT32, "1e39"),
        (DT.FLOAT16, "70000"),
    ],
)
def test_what_is_no_number_is_named(data_type: mlio.DataType, cell: str) -> None:
    """A-03: row, column, value and type."""
    reader = csv_reader(f"a,1\nb,{cell}\n".encode(), column_types={"2": data_type})
    with pytest.raises(mlio.InvalidInstanceError) as caught:
        reader.read_example()
    assert f"row 2, column 2 ('2') is {cell!r}, which is no {data_type.name}" in str(caught.value)
    assert caught.value.request_status == 400


def test_parser_params() -> None:
    """A-03: texts that are NaN, and the base of integers."""
    parser = mlio.ParserParams(nan_values={"NA", ""}, number_base=16)
    [example] = csv_reader(
        b"NA,ff\n,1F\n2, a \n", column_types_by_index={0: DT.FLOAT64, 1: DT.INT32}, parser_params=parser
    )
    assert np.array_equal(as_numpy(example[0])[:, 0], [np.nan, np.nan, 2], equal_nan=True)
    assert as_numpy(example[1])[:, 0].tolist() == [255, 31, 10]


@SIZES
def test_other_characters(small_bytes: int) -> None:
    """A-03: delimiter, quote and comment."""
    data = b"a;'b;''c'\n# no row, with 'a quote\nd;#e\n"
    found = rows(data, delimiter=";", quote_char="'", comment_char="#", _small_bytes=small_bytes, _block_bytes=8)
    assert found == [["a", "b;'c"], ["d", "#e"]]
    assert rows(b"a\tb\n'\t\"\n", delimiter="\t", quote_char="|", _small_bytes=small_bytes) == [["a", "b"], ["'", '"']]
    assert rows(b'#x\n"#y"\n', comment_char="#", allow_quoted_new_lines=False) == [["#y"]]


@pytest.mark.parametrize(
    "characters", [{"delimiter": ";;"}, {"delimiter": "\n"}, {"quote_char": "é"}, {"delimiter": '"'}]
)
def test_characters_that_cannot_be(characters: dict[str, Any]) -> None:
    """A-03."""
    with pytest.raises(ValueError, match="Reading CSV"):
        csv_reader(b"", **characters)


@SIZES
def test_blank_lines_can_be_rows(small_bytes: int) -> None:
    """A-03."""
    assert rows(b"a\n\nb\n", skip_blank_lines=False, _small_bytes=small_bytes) == [["a"], [""], ["b"]]
    with pytest.raises(mlio.InvalidInstanceError, match="row 2 has 1 columns"):
        rows(b"a,b\n\nc,d\n", skip_blank_lines=False, _small_bytes=small_bytes)


@SIZES
def test_line_ends_in_quotes_end_rows_unless_allowed(small_bytes: int) -> None:
    """A-03: the default."""
    reader = csv_reader(b'a\n"b\n"c"\n', allow_quoted_new_lines=False, batch_size=1, _small_bytes=small_bytes)
    assert reader.read_example() is not None
    with pytest.raises(mlio.InvalidInstanceError, match="row 2: a quote is opened") as caught:
        reader.read_example()
    assert isinstance(caught.value.__cause__, mlio.CorruptRecordError)
    assert rows(b'"a,"\n"b"\n', allow_quoted_new_lines=False, _small_bytes=small_bytes) == [["a,"], ["b"]]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16-le", "utf-8"])
def test_encodings_can_be_given(encoding: str) -> None:
    """A-03."""
    assert rows("é,ü\n".encode(encoding), encoding=encoding, _block_bytes=1) == [["é", "ü"]]


def test_encodings_that_do_not_fit() -> None:
    """A-03: DataReaderError with its cause."""
    with pytest.raises(mlio.DataReaderError, match="not in the encoding") as caught:
        rows("a,b\n".encode("utf-16")[:-1])
    assert isinstance(caught.value.__cause__, mlio.StreamError)
    with pytest.raises(mlio.DataReaderError, match="unknown") as caught:
        rows(b"a", encoding="none such")
    assert isinstance(caught.value.__cause__, mlio.NotSupportedError)


def test_long_cells(caplog: pytest.LogCaptureFixture) -> None:
    """A-03: refused, or cut."""
    handling = mlio.MaxFieldLengthHandling
    with pytest.raises(mlio.InvalidInstanceError, match="row 2, column 1 has 4 characters"):
        rows(b"abc,d\nabcd,d\n", max_field_length=3)
    cut = {"max_field_length": 3, "max_field_length_handling": handling.TRUNCATE}
    assert rows(b"abc,d\nabcd,d\n", **cut) == [["abc", "d"], ["abc", "d"]]
    assert not caplog.records
    cut["max_field_length_handling"] = handling.TRUNCATE_WARN
    assert rows(b"abc,d\nabcd,d\n", **cut) == [["abc", "d"], ["abc", "d"]]
    assert "row 2, column 1" in caplog.text
    assert rows(b"abc,d\nabcd,d\n", max_field_length=3, use_columns_by_index={1}) == [["d"], ["d"]]


@pytest.mark.parametrize("multiline", [True, False])
def test_long_rows_are_refused(multiline: bool) -> None:
    """A-03: DataReaderError, caused by RecordTooLargeError."""
    options = {"max_line_length": 5, "allow_quoted_new_lines": multiline}
    assert rows(b"abcd\nab\n", **options) == [["abcd"], ["ab"]]
    for data in (b'a\n"b"\nabcdef\n', b"a\nabcdef\n"):
        with pytest.raises(mlio.DataReaderError, match="max_line_length") as caught:
            rows(data, **options)
        assert isinstance(caught.value.__cause__, mlio.RecordTooLargeError)


@SIZES
@pytest.mark.parametrize("block_bytes", [5, 100, 10**6])
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"num_instances_to_skip": 245}, range(245, 250)),
        ({"num_instances_to_skip": 300}, range(0)),
        ({"num_instances_to_read": 3}, range(3)),
        ({"num_instances_to_read": 0}, range(0)),
        ({"num_instances_to_skip": 2, "num_instances_to_read": 3}, range(2, 5)),
        ({"num_shards": 3, "shard_index": 1}, range(1, 250, 3)),
        ({"num_shards": 1}, range(250)),
        ({"num_shards": 2, "shard_index": 1, "num_instances_to_skip": 1}, range(2, 250, 2)),
        ({"sample_ratio": 0.25}, [*range(25), *range(100, 125), *range(200, 212)]),
        ({"sample_ratio": 0.5, "num_shards": 2, "num_instances_to_read": 100}, range(0, 50, 2)),
    ],
)
def test_which_rows_are_read(
    options: dict[str, Any], expected: Sequence[int], block_bytes: int, small_bytes: int
) -> None:
    """A-03: a range, of it a shard, of that a sample; every epoch the same."""
    reader = csv_reader(
        NUMBERS[:77], NUMBERS[77:], batch_size=7, _block_bytes=block_bytes, _small_bytes=small_bytes, **options
    )
    for _ in range(2):
        batches = _column(reader)
        assert [int(cell) for batch in batches for cell in batch] == list(expected)
        assert [len(batch) for batch in batches[:-1]] == [7] * (len(batches) - 1)
        reader.reset()


def test_rows_that_are_skipped_need_not_fit() -> None:
    """A-03: the first row that is read says how many columns there are; bad rows elsewhere do not matter."""
    assert rows(b'title\n"x,\n",y,z\na,b\nc,d\n', num_instances_to_skip=2) == [["a", "b"], ["c", "d"]]
    assert rows(b"a,b\nx\nc,d\n", num_shards=2) == [["a", "b"], ["c", "d"]]
    assert rows(b'a,b\nc,d\nx\n"open', num_instances_to_read=2, batch_size=2) == [["a", "b"], ["c", "d"]]


@pytest.mark.parametrize("window", [0, 1, 2, 10, 1000])
def test_shuffling(window: int) -> None:
    """A-03: all rows, once each; a window only moves rows forward by less than its size."""
    options = {"shuffle_instances": True, "shuffle_window": window, "shuffle_seed": 3, "batch_size": 16}
    reader = csv_reader(NUMBERS, **options)
    first = [int(cell) for batch in _column(reader) for cell in batch]
    assert sorted(first) == list(range(250))
    assert (first == sorted(first)) is (window == 1)
    if window:
        assert all(number - at < window for at, number in enumerate(first))
    assert [int(cell) for batch in _column(csv_reader(NUMBERS, **options)) for cell in batch] == first
    reader.reset()
    second = [int(cell) for batch in _column(reader) for cell in batch]
    assert (second == first) is (window == 1)
    fixed = csv_reader(NUMBERS, **options, reshuffle_each_epoch=False)
    for _ in range(2):
        assert [int(cell) for batch in _column(fixed) for cell in batch] == first
        fixed.reset()


def test_shuffling_without_a_seed_differs_each_time() -> None:
    """A-03: but not between epochs that shall be alike."""
    options = {"shuffle_instances": True, "batch_size": 250}
    assert _column(csv_reader(NUMBERS, **options)) != _column(csv_reader(NUMBERS, **options))
    reader = csv_reader(NUMBERS, **options, reshuffle_each_epoch=False)
    first = _column(reader)
    reader.reset()
    assert _column(reader) == first


def test_the_last_batch(caplog: pytest.LogCaptureFixture) -> None:
    """A-03: short, dropped or filled up, with a warning where asked for."""
    data = b"1,a\n2,b\n3,c\n"

    def read(handling: mlio.LastExampleHandling) -> list[tuple[list[list[Any]], int]]:
        reader = csv_reader(data, batch_size=2, column_types_by_index={0: DT.INT8}, last_example_handling=handling)
        return [(table(example), example.padding) for example in reader]

    full = ([[1, "a"], [2, "b"]], 0)
    assert read(LAST.NONE) == [full, ([[3, "c"]], 0)]
    assert read(LAST.DROP) == [full]
    assert read(LAST.PAD) == [full, ([[3, "c"], [0, ""]], 1)]
    assert not caplog.records
    assert read(LAST.DROP_WARN) == [full]
    assert "it is dropped" in caplog.text
    assert read(LAST.PAD_WARN) == [full, ([[3, "c"], [0, ""]], 1)]
    assert "it is padded" in caplog.text


@SIZES
def test_bad_rows(caplog: pytest.LogCaptureFixture, small_bytes: int) -> None:
    """A-03: an error, the batch skipped, or the row replaced by filling at the end of its batch."""
    data = b"1,a\n2\n3,c\nx,d\n5,e\n6,f\n7,g\n"

    def read(handling: mlio.BadExampleHandling, **options: Any) -> list[tuple[list[list[Any]], int]]:
        reader = csv_reader(
            data,
            batch_size=3,
            column_types_by_index={0: DT.INT8},
            bad_example_handling=handling,
            _small_bytes=small_bytes,
            **options,
        )
        return [(table(example), example.padding) for example in reader]

    with pytest.raises(mlio.InvalidInstanceError, match="row 2 has 1 columns"):
        read(BAD.ERROR)
    assert read(BAD.SKIP) == [([[7, "g"]], 0)]
    padded = [([[1, "a"], [3, "c"], [0, ""]], 1), ([[5, "e"], [6, "f"], [0, ""]], 1), ([[7, "g"]], 0)]
    assert read(BAD.PAD) == padded
    assert not caplog.records
    assert read(BAD.PAD_WARN) == padded
    assert "1 bad instances; they are replaced by padding" in caplog.text
    caplog.clear()
    assert read(BAD.SKIP_WARN, warn_bad_instances=True) == [([[7, "g"]], 0)]
    assert "row 4, column 1 ('1') is 'x', which is no INT8" in caplog.text
    assert "it is skipped" in caplog.text


def test_logging_can_be_turned_off(caplog: pytest.LogCaptureFixture) -> None:
    """A-03."""
    mlio.set_log_level(mlio.LogLevel.OFF)
    try:
        with pytest.raises(mlio.InvalidInstanceError):
            rows(b"a,b\nc\n", warn_bad_instances=True)
        assert not caplog.records
    finally:
        logging.getLogger("mlio").setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 0},
        {"batch_size": -1},
        {"num_shards": 2, "shard_index": 2},
        {"sample_ratio": 0.0},
        {"sample_ratio": 1.0},
        {"num_instances_to_skip": -1},
        {"num_instances_to_read": -1},
        {"shuffle_window": -1},
    ],
)
def test_parameters_that_cannot_be(options: dict[str, Any]) -> None:
    """A-03: ValueError where they are given, and from the reader when they were set later."""
    with pytest.raises(ValueError, match=next(iter(options))):
        mlio.DataReaderParams(**{"dataset": [], "batch_size": 1, **options})
    params = mlio.DataReaderParams([], 1)
    vars(params).update(options)
    with pytest.raises(ValueError, match=next(iter(options))):
        mlio.CsvReader(params)


def test_a_data_set_has_stores_only() -> None:
    """A-03."""
    with pytest.raises(TypeError, match="data stores"):
        mlio.DataReaderParams(["a.csv"], 1)  # type: ignore[list-item]


def test_parameters_can_be_used_again_and_changed() -> None:
    """A-03: a reader keeps what it was given."""
    params = mlio.DataReaderParams([mlio.InMemoryStore(b"a\nb\n")], batch_size=1)
    csv = mlio.CsvParams(header_row_index=None)
    reader = mlio.CsvReader(params, csv)
    params.batch_size, csv.header_row_index = 2, 0
    assert (params.batch_size, params.num_shards, params.sample_ratio, params.shuffle_seed) == (2, 0, None, None)
    assert len(_column(reader)) == 2
    assert _column(mlio.CsvReader(params, csv)) == [["b"]]
    assert "batch_size=2" in repr(params)
    assert "header_row_index=0" in repr(csv)


def test_defaults_are_upstreams() -> None:
    """A-03."""
    assert {name: value for name, value in vars(mlio.CsvParams()).items() if name != "parser_params"} == {
        "column_names": [],
        "name_prefix": "",
        "use_columns": set(),
        "use_columns_by_index": set(),
        "default_data_type": None,
        "column_types": {},
        "column_types_by_index": {},
        "header_row_index": 0,
        "has_single_header": False,
        "dedupe_column_names": True,
        "delimiter": ",",
        "quote_char": '"',
        "comment_char": None,
        "allow_quoted_new_lines": False,
        "skip_blank_lines": True,
        "encoding": None,
        "max_field_length": None,
        "max_field_length_handling": mlio.MaxFieldLengthHandling.TREAT_AS_BAD,
        "max_line_length": None,
    }
    assert vars(mlio.CsvParams().parser_params) == {"nan_values": set(), "number_base": 10}
    assert vars(mlio.DataReaderParams([], 1)) == {
        "dataset": [],
        "batch_size": 1,
        "num_prefetched_examples": 0,
        "num_parallel_reads": 0,
        "last_example_handling": LAST.NONE,
        "bad_example_handling": BAD.ERROR,
        "warn_bad_instances": True,
        "num_instances_to_skip": 0,
        "num_instances_to_read": None,
        "shard_index": 0,
        "num_shards": 0,
        "sample_ratio": None,
        "shuffle_instances": False,
        "shuffle_window": 0,
        "shuffle_seed": None,
        "reshuffle_each_epoch": True,
    }
