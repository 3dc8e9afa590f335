"""The tar format of a layer, member by member."""

from __future__ import annotations

import io
import random
import tarfile
import tracemalloc
from pathlib import Path, PurePosixPath

import pytest

from image_layers.entries import Entry, directory, entries_of_tree
from image_layers.errors import LayerError
from image_layers.layer import write_layer

MTIME = 1767225600


def _file(path: str, content: bytes | Path = b"x", mode: int = 0o644, origin: str = "") -> Entry:
    return Entry(PurePosixPath(path), tarfile.REGTYPE, mode, content=content, origin=origin)


def _layer(*entries: Entry) -> bytes:
    out = io.BytesIO()
    write_layer(entries, out, MTIME)
    return out.getvalue()


def _members(layer: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
        return archive.getmembers()


def test_the_order_of_entries_does_not_matter() -> None:
    entries = [_file(f"/{folder}/{name}") for folder in "cab" for name in ("z", "a-b", "a")]
    layers = set()
    for seed in range(5):
        random.Random(seed).shuffle(entries)
        layers.add(_layer(*entries))
    assert len(layers) == 1


def test_a_folder_comes_before_what_is_in_it_even_where_text_sorts_otherwise() -> None:
    layer = _layer(_file("/a/b"), _file("/a-b"), _file("/a.c"))
    assert [member.name for member in _members(layer)] == ["a", "a/b", "a-b", "a.c"]


def test_missing_parents_are_roots_folders() -> None:
    layer = _layer(_file("/usr/local/x"), directory(PurePosixPath("/usr"), 0o700, 5, 6))
    shown = [(member.name, member.type, member.mode, member.uid, member.gid) for member in _members(layer)]
    assert shown == [
        ("usr", tarfile.DIRTYPE, 0o700, 5, 6),
        ("usr/local", tarfile.DIRTYPE, 0o755, 0, 0),
        ("usr/local/x", tarfile.REGTYPE, 0o644, 0, 0),
    ]


def test_every_member_has_the_one_time_and_no_names_of_owners() -> None:
    layer = _layer(_file("/a/b"), Entry(PurePosixPath("/l"), tarfile.SYMTYPE, 0o777, target="a"))
    assert {(member.mtime, member.uname, member.gname) for member in _members(layer)} == {(MTIME, "", "")}


def test_links_keep_their_targets() -> None:
    layer = _layer(
        Entry(PurePosixPath("/s"), tarfile.SYMTYPE, 0o777, target="/etc/../x"),
        Entry(PurePosixPath("/h"), tarfile.LNKTYPE, 0o644, target="/a/file"),
        _file("/a/file"),
    )
    links = {member.name: (member.type, member.linkname) for member in _members(layer) if member.linkname}
    assert links == {"h": (tarfile.LNKTYPE, "a/file"), "s": (tarfile.SYMTYPE, "/etc/../x")}


@pytest.mark.parametrize(
    "path",
    [
        "/" + "a" * 99,
        "/" + "a" * 101,
        "/" + "a" * 60 + "/" + "b" * 60,
        "/" + "/".join("c" * 60 for _ in range(5)),
        "/" + "d" * 300,
        "/f\u0151tan\u00fas\u00edtv\u00e1ny.crt",
        "/undecodable-\udcff",
    ],
)
def test_long_and_foreign_names_come_back_whole_and_hold_no_time(path: str) -> None:
    layer = _layer(_file(path), Entry(PurePosixPath("/z"), tarfile.SYMTYPE, 0o777, target=path))
    assert [member.name for member in _members(layer)][-2:] == [path[1:], "z"]
    assert _members(layer)[-1].linkname == path
    assert not [key for member in _members(layer) for key in member.pax_headers if key.endswith("time")]


def test_plain_names_have_plain_headers() -> None:
    assert all(member.pax_headers == {} for member in _members(_layer(_file("/usr/lib/a"))))
    assert b"PaxHeader" not in _layer(_file("/" + "a" * 100))


def test_one_directory_from_two_sources_is_one_member() -> None:
    entries = [directory(PurePosixPath("/a")), Entry(PurePosixPath("/a"), tarfile.DIRTYPE, 0o755, origin="tree")]
    assert [member.name for member in _members(_layer(*entries))] == ["a"]


@pytest.mark.parametrize(
    "second",
    [
        _file("/a", origin="tree"),
        Entry(PurePosixPath("/a"), tarfile.DIRTYPE, 0o700, origin="tree"),
        Entry(PurePosixPath("/a"), tarfile.DIRTYPE, 0o755, uid=1000, origin="tree"),
        Entry(PurePosixPath("/a"), tarfile.DIRTYPE, 0o755, gid=1000, origin="tree"),
    ],
    ids=["kind", "mode", "owner", "group"],
)
def test_two_claims_to_one_path_are_both_named(second: Entry) -> None:
    with pytest.raises(LayerError) as caught:
        _layer(directory(PurePosixPath("/a")), second)
    assert str(caught.value) == "two things want to be /a in one layer: layout and tree. Leave one out."


def test_two_equal_files_at_one_path_are_two_claims_too() -> None:
    with pytest.raises(LayerError) as caught:
        _layer(_file("/a", origin="first.whl"), _file("/a", origin="second.whl"))
    assert str(caught.value) == "two things want to be /a in one layer: first.whl and second.whl. Leave one out."


def test_contents_on_disk_are_copied_without_being_held_in_memory(tmp_path: Path) -> None:
    size_bytes = 64 * 1024 * 1024
    with (tmp_path / "large").open("wb") as stream:
        stream.truncate(size_bytes)
    tracemalloc.start()
    try:
        with open("/dev/null", "wb") as out:
            write_layer(entries_of_tree(tmp_path, PurePosixPath("/")), out, MTIME)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < size_bytes / 16


def test_the_sink_stays_open() -> None:
    out = io.BytesIO()
    write_layer([], out, MTIME)
    assert not out.closed
