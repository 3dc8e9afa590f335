"""Stores, streams and the list of files."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import zlib
from array import array
from pathlib import Path

import pytest

import mlio
from mlio.files import natural_key
from tests.unit.mlio.readers import csv_reader, rows, tables


def _paths(stores: list[mlio.DataStore], below: Path) -> list[str]:
    return [os.path.relpath(store.id, below) for store in stores]


def _made(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"a,b\n")
    return folder


@pytest.mark.parametrize("buf", [b"a,b\n", bytearray(b"a,b\n"), memoryview(b"a,b\n"), array("B", b"a,b\n")])
def test_memory_takes_any_buffer(buf: object) -> None:
    """A-03."""
    store = mlio.InMemoryStore(buf)
    assert isinstance(store.id, str)
    assert rows(store) == [["a", "b"]]
    assert rows(mlio.InMemoryStore(memoryview(b"a?,?b?\n?")[::2])) == [["a", "b"]]
    with pytest.raises(TypeError):
        mlio.InMemoryStore("text")


def test_memory_cannot_guess_the_compression() -> None:
    """A-03."""
    with pytest.raises(mlio.NotSupportedError, match="INFER"):
        mlio.InMemoryStore(b"", compression=mlio.Compression.INFER)
    packed = gzip.compress(b"a,b\n")
    assert rows(mlio.InMemoryStore(packed, compression=mlio.Compression.GZIP)) == [["a", "b"]]
    assert rows(mlio.InMemoryStore(zlib.compress(b"a,b\n"), mlio.Compression.GZIP)) == [["a", "b"]]


@pytest.mark.parametrize("path", ["", "folder/", "folder\\"])
def test_a_file_needs_a_name(path: str) -> None:
    """A-03."""
    with pytest.raises(ValueError, match="must not be empty"):
        mlio.File(path)
    with pytest.raises(ValueError, match="must not be empty"):
        mlio.SageMakerPipe(path)


def test_a_file_is_not_looked_for_before_it_is_opened(tmp_path: Path) -> None:
    """A-03: opening raises OSError, reading DataReaderError with it as the cause; no request is to blame."""
    store = mlio.File(str(tmp_path / "none.csv"))
    assert store.id == str(tmp_path / "none.csv")
    assert store == mlio.File(store.id)
    assert hash(store) == hash(mlio.File(store.id))
    assert store != mlio.File("other")
    with pytest.raises(FileNotFoundError):
        store.open_read()
    with pytest.raises(mlio.DataReaderError, match="does not exist") as caught:
        rows(store)
    assert isinstance(caught.value.__cause__, FileNotFoundError)
    assert caught.value.request_status is None


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """A-03."""
    with pytest.raises(mlio.DataReaderError) as caught:
        rows(mlio.File(str(tmp_path)))
    assert isinstance(caught.value.__cause__, IsADirectoryError)


# Root may read everything, so the process that is refused has given that up.
_REFUSED = """
import os, sys
sys.path[:0] = {path!r}
import mlio
os.setgid(65534)
os.setuid(65534)
reader = mlio.CsvReader(mlio.DataReaderParams([mlio.File({file!r})], 1))
try:
    reader.read_example()
except mlio.DataReaderError as exc:
    print(type(exc.__cause__).__name__, "denied" in str(exc))
try:
    mlio.list_files({folder!r})
except PermissionError as exc:
    print(type(exc).__name__)
"""


def test_what_may_not_be_read_is_refused(tmp_path: Path) -> None:
    """A-03: PermissionError from the list of files, as the cause of a DataReaderError from a reader."""
    _made(tmp_path, "locked/a.csv", "file.csv")
    (tmp_path / "locked").chmod(0)
    (tmp_path / "file.csv").chmod(0)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    names = {"path": sys.path, "file": str(tmp_path / "file.csv"), "folder": str(tmp_path)}
    program = _REFUSED.format(**names)
    if os.getuid():
        program = program.replace("os.setgid(65534)\nos.setuid(65534)\n", "")
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, timeout=60, check=True)
    (tmp_path / "locked").chmod(0o755)
    assert done.stdout.split() == [b"PermissionError", b"True", b"PermissionError"]


@pytest.mark.parametrize("memory_map", [True, False])
def test_gzip_is_told_by_the_name(tmp_path: Path, memory_map: bool) -> None:
    """A-03: several members are one stream."""
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n") + gzip.compress(b"c,d\n") + bytes(16))
    store = mlio.File(str(path), memory_map=memory_map)
    assert rows(store) == [["a", "b"], ["c", "d"]]
    with store.open_read() as stream:
        assert b"".join(iter(lambda: bytes(stream.read(3)), b"")) == b"a,b\nc,d\n"
    raw = mlio.File(str(path), compression=mlio.Compression.NONE).open_read()
    with raw:
        assert bytes(raw.read(2)) == b"\x1f\x8b"


@pytest.mark.parametrize("damage", ["cut", "bent", "tail", "empty"])
def test_damaged_gzip_is_refused(tmp_path: Path, damage: str) -> None:
    """A-03: DataReaderError, caused by InflateError."""
    packed = gzip.compress(os.urandom(5000).hex().encode())
    data = {
        "cut": packed[:-20],
        "bent": packed[:3000] + bytes([packed[3000] ^ 255]) + packed[3001:],
        "tail": packed + b"rubbish",
        "empty": b"",
    }[damage]
    (tmp_path / "a.gz").write_bytes(data)
    with pytest.raises(mlio.DataReaderError) as caught:
        rows(mlio.File(str(tmp_path / "a.gz")))
    assert isinstance(caught.value.__cause__, mlio.InflateError)


@pytest.mark.parametrize("ending", ["bz2", "zip"])
def test_other_compression_is_refused_when_it_is_opened(tmp_path: Path, ending: str) -> None:
    """A-03."""
    store = mlio.File(str(tmp_path / f"a.{ending}"))
    with pytest.raises(mlio.NotSupportedError, match="only gzip and zlib"):
        store.open_read()
    with pytest.raises(mlio.DataReaderError) as caught:
        rows(store)
    assert isinstance(caught.value.__cause__, mlio.NotSupportedError)


@pytest.mark.parametrize("memory_map", [True, False])
def test_streams_of_files(tmp_path: Path, memory_map: bool) -> None:
    """A-03."""
    _made(tmp_path, "a.csv")
    with mlio.File(str(tmp_path / "a.csv"), memory_map=memory_map).open_read() as stream:
        assert (stream.size, stream.position, stream.seekable, stream.closed) == (4, 0, True, False)
        assert stream.supports_zero_copy is memory_map
        assert bytes(stream.read(2)) == b"a,"
        stream.seek(1)
        buffer = bytearray(10)
        assert stream.read(buffer) == 3
        assert buffer[:3] == b",b\n"
        assert len(stream.read(1)) == 0
    assert stream.closed
    with pytest.raises(mlio.StreamError, match="closed"):
        stream.read(1)
    (tmp_path / "empty").touch()
    with mlio.File(str(tmp_path / "empty"), memory_map).open_read() as stream:
        assert len(stream.read(1)) == 0


def test_a_stream_that_only_goes_forward_says_so() -> None:
    """A-03."""
    stream = mlio.InMemoryStore(gzip.compress(b"a"), mlio.Compression.GZIP).open_read()
    assert not stream.seekable
    for use in (lambda: stream.seek(0), lambda: stream.size, lambda: stream.position):
        with pytest.raises(mlio.StreamError):
            use()


def test_stores_of_ones_own_can_be_read() -> None:
    """A-03: a subclass of DataStore needs `open_read` and `id`."""

    class Own(mlio.DataStore):
        id = "own"

        def open_read(self) -> mlio.InputStream:
            return mlio.InMemoryStore(b"a,b\n").open_read()

    assert rows(Own()) == [["a", "b"]]


def test_files_come_in_natural_order(tmp_path: Path) -> None:
    """A-03: by value of numbers, folder by folder, hidden files too."""
    _made(tmp_path, "part-10.csv", "part-2.csv", "part-1/b.csv", "part-1/a.csv", ".hidden", "Part-3.csv")
    found = _paths(mlio.list_files(str(tmp_path)), tmp_path)
    assert found == [".hidden", "Part-3.csv", "part-1/a.csv", "part-1/b.csv", "part-2.csv", "part-10.csv"]
    assert all(isinstance(store, mlio.File) for store in mlio.list_files(str(tmp_path)))


@pytest.mark.parametrize(
    "names",
    [
        ["a1", "a2", "a10"],
        ["a-1", "a1"],
        ["a 1", "a2", "a 10"],
        ["1.002", "1.010", "1.02", "1.1", "1.3"],
        ["A1", "a0"],
        ["a", "a1", "a1b", "a2"],
        ["x2-g8", "x2-y08", "x2-y7", "x8-y8"],
        ["a01", "a1"],
    ],
)
def test_natural_order(names: list[str]) -> None:
    """A-03: digits behind a zero are a fraction; blanks do not count; case does."""
    shuffled = names[1:] + names[:1]
    assert sorted(shuffled, key=natural_key) == names


def test_links_are_followed(tmp_path: Path) -> None:
    """A-03: to files and folders; those to nothing and back up are left out."""
    _made(tmp_path, "real/a.csv")
    root = tmp_path / "root"
    root.mkdir()
    (root / "folder").symlink_to(tmp_path / "real")
    (root / "file.csv").symlink_to(tmp_path / "real/a.csv")
    (root / "dangling").symlink_to(tmp_path / "nothing")
    (root / "loop").symlink_to(root)
    os.mkfifo(root / "fifo")
    assert _paths(mlio.list_files(str(root)), root) == ["file.csv", "folder/a.csv"]


def test_patterns_match_the_whole_path(tmp_path: Path) -> None:
    """A-03: `*` matches slashes and hidden files."""
    _made(tmp_path, "x/a.csv", "x/b.txt", ".c.csv", "[1].csv")
    root = str(tmp_path)
    assert _paths(mlio.list_files(root, "*.csv"), tmp_path) == [".c.csv", "[1].csv", "x/a.csv"]
    assert _paths(mlio.list_files(root, pattern="*x*b.t?t"), tmp_path) == ["x/b.txt"]
    assert mlio.list_files(root, "a.csv") == []
    assert _paths(mlio.list_files(root, "*/\\[1\\].csv"), tmp_path) == ["[1].csv"]
    assert len(mlio.list_files(root, "*")) == 4


def test_several_paths_and_a_predicate(tmp_path: Path) -> None:
    """A-03."""
    _made(tmp_path, "10/a.csv", "2/b.csv", "c.csv")
    roots = [str(tmp_path / name) for name in ("10", "2", "c.csv")]
    assert _paths(mlio.list_files(roots), tmp_path) == ["2/b.csv", "10/a.csv", "c.csv"]
    found = mlio.list_files(roots, predicate=lambda path: not path.endswith("b.csv"), memory_map=False)
    assert _paths(found, tmp_path) == ["10/a.csv", "c.csv"]
    assert mlio.list_files(pathnames=roots, mmap=True) == mlio.list_files(roots)
    assert mlio.list_files(pathname=roots[0] + "/") == [mlio.File(roots[0] + "/a.csv")]


def test_missing_and_empty_folders(tmp_path: Path) -> None:
    """A-03."""
    assert mlio.list_files(str(tmp_path)) == []
    for path in (str(tmp_path / "none"), ""):
        with pytest.raises(FileNotFoundError) as caught:
            mlio.list_files(path)
        assert caught.value.errno == 2


def test_reading_counts_bytes(tmp_path: Path) -> None:
    """A-03."""
    _made(tmp_path, "a.csv", "b.csv")
    reader = csv_reader(*mlio.list_files(str(tmp_path)))
    assert reader.num_bytes_read == 0
    assert tables(reader) == [[["a", "b"], ["a", "b"]]]
    assert reader.num_bytes_read == 8
    reader.reset()
    assert reader.num_bytes_read == 0
