"""Trees and archives as entries of a layer."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path, PurePosixPath

import pytest

from image_layers.entries import Entry, directory, entries_of_tar, entries_of_tree
from image_layers.errors import LayerError


def _by_path(entries: list[Entry]) -> dict[str, Entry]:
    return {str(entry.path): entry for entry in entries}


def _member(
    name: str, kind: bytes = tarfile.REGTYPE, mode: int = 0o644, link: str = "", uid: int = 0, gid: int = 0
) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.linkname, member.uid, member.gid = kind, mode, link, uid, gid
    return member


def _tar(*members: tuple[tarfile.TarInfo, bytes]) -> tarfile.TarFile:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    stream.seek(0)
    return tarfile.open(fileobj=stream)


def test_a_directory_of_its_own_making_belongs_to_root_unless_told_otherwise() -> None:
    assert directory(PurePosixPath("/a")) == Entry(PurePosixPath("/a"), tarfile.DIRTYPE, 0o755, origin="layout")
    assert directory(PurePosixPath("/a"), 0o1777, 1, 2) == Entry(
        PurePosixPath("/a"), tarfile.DIRTYPE, 0o1777, uid=1, gid=2, origin="layout"
    )


def test_a_tree_has_canonical_modes_and_owners_whatever_the_machine_gave_it(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    for name, mode in (("data", 0o600), ("program", 0o711), ("group-only", 0o670)):
        (folder / name).write_bytes(b"x")
        (folder / name).chmod(mode)
    (tmp_path / "to-folder").symlink_to("folder")
    (tmp_path / "to-nothing").symlink_to("/no/where")
    entries = sorted(entries_of_tree(tmp_path, PurePosixPath("/opt")), key=lambda entry: entry.path)
    data, group_only, program = folder / "data", folder / "group-only", folder / "program"
    assert entries == [
        Entry(PurePosixPath("/opt/folder"), tarfile.DIRTYPE, 0o755, origin=str(folder)),
        Entry(PurePosixPath("/opt/folder/data"), tarfile.REGTYPE, 0o644, content=data, origin=str(data)),
        Entry(
            PurePosixPath("/opt/folder/group-only"), tarfile.REGTYPE, 0o755, content=group_only, origin=str(group_only)
        ),
        Entry(PurePosixPath("/opt/folder/program"), tarfile.REGTYPE, 0o755, content=program, origin=str(program)),
        Entry(
            PurePosixPath("/opt/to-folder"), tarfile.SYMTYPE, 0o777, target="folder", origin=str(tmp_path / "to-folder")
        ),
        Entry(
            PurePosixPath("/opt/to-nothing"),
            tarfile.SYMTYPE,
            0o777,
            target="/no/where",
            origin=str(tmp_path / "to-nothing"),
        ),
    ]


def test_a_tree_is_not_read_into_memory(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x")
    (entry,) = entries_of_tree(tmp_path, PurePosixPath("/"))
    assert entry.content == tmp_path / "large"


def test_what_is_neither_file_directory_nor_symbolic_link_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LayerError) as caught:
        list(entries_of_tree(tmp_path, PurePosixPath("/")))
    assert str(caught.value) == f"{tmp_path}/pipe: only files, directories and symbolic links can go into a layer."


def test_an_archive_keeps_owners_modes_and_links() -> None:
    archive = _tar(
        (_member(".", tarfile.DIRTYPE, 0o755), b""),
        (_member("./var/mail", tarfile.DIRTYPE, 0o2775, gid=8), b""),
        (_member("./etc/shadow", mode=0o640, gid=42), b"root:*"),
        (_member("./bin", tarfile.SYMTYPE, 0o777, "usr/bin"), b""),
        (_member("./home/ä", uid=1000, gid=1000), b"x"),
    )
    assert entries_of_tar(archive) == [
        Entry(PurePosixPath("/var/mail"), tarfile.DIRTYPE, 0o2775, gid=8, origin="./var/mail"),
        Entry(PurePosixPath("/etc/shadow"), tarfile.REGTYPE, 0o640, content=b"root:*", gid=42, origin="./etc/shadow"),
        Entry(PurePosixPath("/bin"), tarfile.SYMTYPE, 0o777, target="usr/bin", origin="./bin"),
        Entry(PurePosixPath("/home/ä"), tarfile.REGTYPE, 0o644, content=b"x", uid=1000, gid=1000, origin="./home/ä"),
    ]


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_device_nodes_of_an_archive_are_left_out(kind: bytes) -> None:
    assert entries_of_tar(_tar((_member("dev/thing", kind), b""))) == []


@pytest.mark.parametrize(
    "names", [["bin/perl", "bin/perl5", "bin/perl5.40"], ["bin/perl5.40", "bin/perl", "bin/perl5"]]
)
def test_the_first_hard_linked_name_by_path_holds_the_content_whichever_the_archive_chose(names: list[str]) -> None:
    first, *others = names
    members = [(_member(first, mode=0o4755, uid=1, gid=2), b"content")]
    members += [(_member(name, tarfile.LNKTYPE, 0o4755, first, 1, 2), b"") for name in others]
    entries = _by_path(entries_of_tar(_tar(*members)))
    holder = entries.pop("/bin/perl")
    assert (holder.kind, holder.content, holder.mode, holder.uid, holder.gid) == (
        tarfile.REGTYPE,
        b"content",
        0o4755,
        1,
        2,
    )
    for name in ("/bin/perl5", "/bin/perl5.40"):
        link = entries.pop(name)
        assert (link.kind, link.content, link.target, link.mode, link.uid, link.gid) == (
            tarfile.LNKTYPE,
            None,
            "/bin/perl",
            0o4755,
            1,
            2,
        )
    assert entries == {}


def test_leaving_out_the_hard_linked_name_that_holds_the_content_keeps_the_content() -> None:
    members = [(_member("a/dropped"), b"content"), (_member("b/one", tarfile.LNKTYPE, link="a/dropped"), b"")]
    members += [(_member("b/two", tarfile.LNKTYPE, link="a/dropped"), b"")]
    entries = _by_path(entries_of_tar(_tar(*members), lambda path: path.name != "dropped"))
    assert list(entries) == ["/b/one", "/b/two"]
    assert (entries["/b/one"].kind, entries["/b/one"].content) == (tarfile.REGTYPE, b"content")
    assert (entries["/b/two"].kind, entries["/b/two"].target) == (tarfile.LNKTYPE, "/b/one")


def test_leaving_out_every_name_of_a_file_leaves_nothing() -> None:
    members = [(_member("one"), b"content"), (_member("two", tarfile.LNKTYPE, link="one"), b"")]
    assert entries_of_tar(_tar(*members), lambda path: False) == []
