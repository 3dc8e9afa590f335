"""CSV files row by row, and the checks before anything is trained."""

from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_sklearn_container.autopilot import csv_rows
from sagemaker_sklearn_container.autopilot.candidate import Problem, Processor
from sagemaker_sklearn_container.autopilot.errors import InputError
from sagemaker_sklearn_container.autopilot.table import SAMPLE_ROWS, Table, prepare

KINDS = Processor("dpp0", ("a", "b", "kind"), "kind", True, (), False)
LISTED = Processor("dpp0", ("a", "b", "kind"), "kind", True, ("x", "y"), False)
PRICES = Processor("dpp1", ("a", "price", "c"), "price", False, (), False)


def _written(tmp_path: Path, content: bytes | str) -> Path:
    path = tmp_path / "data.csv"
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


def _prepared(tmp_path: Path, content: bytes | str, processor: Processor = KINDS, **options: object) -> Table:
    return prepare(_written(tmp_path, content), processor, tmp_path / "channel", **options)  # type: ignore[arg-type]


def _channel(table: Table) -> list[bytes]:
    return [path.read_bytes() for path in sorted(table.channel.iterdir())]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"1,2\n3,4\n", [(1, ["1", "2"]), (2, ["3", "4"])]),
        (b"1,2\r\n\r\n3,4", [(1, ["1", "2"]), (3, ["3", "4"])]),
        (b"1,2\r3,4\r", [(1, ["1", "2"]), (2, ["3", "4"])]),
        (b'"a\nb",2\n3,4\n', [(1, ["a\nb", "2"]), (3, ["3", "4"])]),
        (b'"a\r\nb ""c""",2\n', [(1, ['a\r\nb "c"', "2"])]),
        (b'a"b,2\n', [(1, ['a"b', "2"])]),
        ("\ufeff\u00e9,2\n".encode(), [(1, ["\u00e9", "2"])]),
        (b" , \n", [(1, [" ", " "])]),
        (b'""\n', [(1, [""])]),
        (b"", []),
    ],
)
def test_rows(tmp_path: Path, content: bytes, expected: list[tuple[int, list[str]]]) -> None:
    """As the reader of the generated code has them."""
    assert [(row.line, row.cells) for row in csv_rows.rows(_written(tmp_path, content))] == expected


_CELLS = st.text(st.sampled_from("ab,\"' \r\n\t\u00e9\U0001f600\u2028\x1c\ufeff"), max_size=6)


@given(st.lists(st.lists(_CELLS, min_size=2, max_size=4), max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_rows_are_what_was_written(tmp_path_factory: pytest.TempPathFactory, table: list[list[str]], end: str) -> None:
    """Every cell, and every byte."""
    text = io.StringIO()
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(table)
    content = text.getvalue().encode("utf-8")
    found = list(csv_rows.rows(_written(tmp_path_factory.mktemp("rows"), content)))
    assert [row.cells for row in found] == table
    assert b"".join(row.raw for row in found) == content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\nc,caf\xe9\n", "data.csv:2:2: byte 0xe9 is no UTF-8"),
        (b"a,b\nc,d\0e\n", "data.csv:2:2: not readable as CSV"),
        (b'a,b\n"c,d\n', "data.csv:2:1: the quote that opens this cell is never closed"),
        (b'a,b\nc,"d', "data.csv:2:2: the quote that opens this cell is never closed"),
        (b'a,b\nc,"d\ne,f\n', "data.csv:2:2: the quote that opens this cell is never closed"),
        ("a,b\n".encode("utf-16"), "data.csv: this is UTF-16 text, not CSV"),
        (b"PK\x03\x04rest", "data.csv: this is a ZIP archive or a spreadsheet"),
        (b"\x1f\x8brest", "data.csv: this is compressed with gzip"),
    ],
)
def test_what_is_no_csv(tmp_path: Path, content: bytes, said: str) -> None:
    """File, line and column."""
    with pytest.raises(InputError) as caught:
        list(csv_rows.rows(_written(tmp_path, content)))
    assert said in str(caught.value)


def test_files_of_a_directory(tmp_path: Path) -> None:
    """Those that are CSV by name; none is an error."""
    for name in ("b.CSV", "a.csv", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in csv_rows.files(tmp_path)] == ["a.csv", "b.CSV"]
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="has no file that ends with .csv"):
        csv_rows.files(tmp_path / "none")
    with pytest.raises(InputError, match="does not exist"):
        csv_rows.files(tmp_path / "gone")


def test_rows_are_copied_byte_for_byte(tmp_path: Path) -> None:
    """Quotes and line ends stay; blank lines, the byte order mark and the names go."""
    table = _prepared(tmp_path, '\ufeffA, b ,KIND\r\n"1,5",2,x\r\n\r\n3,4,y')
    assert _channel(table) == [b'"1,5",2,x\r\n3,4,y\n']
    assert (table.rows, table.bytes, table.classes, table.problem) == (2, 17, 2, Problem.BINARY)
    assert table.notes == [f"{tmp_path}/data.csv:1: the column names are left out; the platform has none"]


def test_every_file_may_have_names(tmp_path: Path) -> None:
    """Files of the same stem stay apart, and places are found again."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.csv").write_text("a,b,kind\n1,2,x\n\n3,4,y\n")
    (folder / "a.CSV").write_text('"5\n",6,z\n7,8,x\n')
    table = prepare(folder, KINDS, tmp_path / "channel")
    assert _channel(table) == [b'"5\n",6,z\n7,8,x\n', b"1,2,x\n3,4,y\n"]
    assert table.problem is Problem.MULTICLASS
    upper, lower = table.sources
    assert [upper.line(number) for number in (1, 2, 3)] == [1, 1, 3]
    assert [lower.line(number) for number in (1, 2)] == [2, 4]


def test_fewer_rows(tmp_path: Path) -> None:
    """The first ones, and what comes after is not looked at."""
    table = _prepared(tmp_path, "1,2,x\n3,4,y\n5,6,\n", limit=2)
    assert (table.rows, _channel(table)) == (2, [b"1,2,x\n3,4,y\n"])


def test_samples(tmp_path: Path) -> None:
    """Features without the target, label and place; so many rows, each at most once, from everywhere."""
    count = 10 * SAMPLE_ROWS
    table = _prepared(tmp_path, "".join(f'"{n},",{n},{n % 3}\n' for n in range(count)))
    assert len(table.sample) == len({sample.where for sample in table.sample}) == SAMPLE_ROWS
    lines = sorted(int(sample.where.rpartition(":")[2]) for sample in table.sample)
    assert lines[-1] > count * 0.9
    for sample in table.sample:
        number = int(sample.where.rpartition(":")[2]) - 1
        assert sample.features == f'"{number},",{number}\n'.encode()
        assert sample.label == str(number % 3)


@pytest.mark.parametrize(
    ("content", "processor", "said"),
    [
        ("", KINDS, "there are no rows of data. Give a CSV with 3 columns, 'kind' as number 3"),
        ("a,b,kind\n", KINDS, "there are no rows of data"),
        ("a,b\n1,2\n", KINDS, "data.csv:1: the target column 'kind' is missing"),
        ("a,kind,b\n1,x,2\n", KINDS, "data.csv:1:2: this column is 'kind', and the data processor dpp0 takes"),
        ("a,b,c,kind\n1,2,3,x\n", KINDS, "(not known to it: 'c')"),
        ("a,kind\n1,x\n", KINDS, "(missing: 'b')"),
        ("a,b,kind,a\n1,2,x,1\n", KINDS, "data.csv:1:4: 'a' is there once more"),
        ("1,2\n", KINDS, "data.csv:1: the row has 2 columns; the data processor dpp0 expects 3. Perhaps the target"),
        ("1;2;x\n", KINDS, "Separate the columns by commas"),
        ("1,2,3,x\n", KINDS, "data.csv:1: the row has 4 columns; the data processor dpp0 expects 3. The last 1 have"),
        ("1,2,x\n1,2,3,y\n", KINDS, "data.csv:2:4: the row has 4 columns; expected are 3, as in other rows. A cell"),
        ("1,2,x\n\n1,y\n", KINDS, "data.csv:3:2: the row has 2 columns; expected are 3, as in other rows. Missing"),
        ("1,2,x\n1,2,\n", KINDS, "data.csv:2:3: the label is missing (column 'kind')"),
        ("1,2,x\n1,2,x\n", KINDS, "every row has the same label, 'x' (column 'kind')"),
        ("1,2, x\n1,2, y\n", LISTED, "data.csv:1:3: ' x' is none of the labels that the package was generated for"),
        ("1,2.5,3\n1,cheap,3\n", PRICES, "data.csv:2:2: the label is 'cheap' (column 'price'); a regression"),
        ("1,nan,3\n", PRICES, "data.csv:1:2: the label is 'nan'"),
    ],
)
def test_data_that_does_not_fit(tmp_path: Path, content: str, processor: Processor, said: str) -> None:
    """File, row and column as far as there are any, and what to do."""
    with pytest.raises(InputError) as caught:
        _prepared(tmp_path, content, processor)
    assert said in str(caught.value)


def test_labels_that_the_processor_leaves_out(tmp_path: Path) -> None:
    """A note, rows of the channel, none for the endpoint; nothing but such rows is an error."""
    table = _prepared(tmp_path, "1,2.5,3\n1,NA,3\n1,,3\n", dataclasses.replace(PRICES, drops_labels=True))
    (note,) = table.notes
    assert note.startswith(f"{tmp_path}/data.csv:2:2: the label 'NA' is no finite number")
    assert "leaves out 2 such row(s)" in note
    assert (table.rows, [sample.label for sample in table.sample]) == (3, ["2.5"])
    with pytest.raises(InputError, match="nor is that of any other row"):
        prepare(
            _written(tmp_path, "1,x,3\n"), dataclasses.replace(PRICES, drops_labels=True), tmp_path / "another channel"
        )


def test_unseen_labels_are_a_note(tmp_path: Path) -> None:
    """The data processor has a class for them; how many, and where the first is."""
    table = _prepared(tmp_path, "1,2,x\n1,2,z\n1,2,y\n1,2,w\n", LISTED)
    (note,) = table.notes
    assert f"{tmp_path}/data.csv:2:3: 'z' is none of the labels" in note
    assert "2 row(s) count as its unseen label" in note
    assert (table.problem, table.classes) == (Problem.BINARY, 4)


@pytest.mark.parametrize(
    ("content", "processor", "asked", "problem", "classes"),
    [
        ("1,2,0\n1,2,1\n", KINDS, None, Problem.BINARY, 2),
        ("1,2,0\n1,2,1\n1,2,2\n", KINDS, None, Problem.MULTICLASS, 3),
        ("1,2,0\n1,2,1\n", KINDS, Problem.MULTICLASS, Problem.MULTICLASS, 2),
        ("1,2,0\n1,2,1\n1,2,2\n", KINDS, Problem.REGRESSION, Problem.REGRESSION, 0),
        ("1,2,3\n", PRICES, None, Problem.REGRESSION, 0),
        ("1,2,3\n1,4,3\n", PRICES, Problem.BINARY, Problem.BINARY, 2),
    ],
)
def test_problems(
    tmp_path: Path, content: str, processor: Processor, asked: Problem | None, problem: Problem, classes: int
) -> None:
    """From the module and the number of classes, unless the user says."""
    table = _prepared(tmp_path, content, processor, problem=asked)
    assert (table.problem, table.classes) == (problem, classes)


def test_too_many_classes_for_two(tmp_path: Path) -> None:
    """What the user says cannot be."""
    with pytest.raises(InputError, match="has 3 different labels; a binary problem has two"):
        _prepared(tmp_path, "1,2,0\n1,2,1\n1,2,2\n", problem=Problem.BINARY)
