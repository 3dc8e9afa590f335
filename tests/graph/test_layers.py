"""The layers that ship, as the images take them."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

IMAGES = {
    "foundation": ("operating-system-layer", "interpreter-layer"),
    "base": ("framework-layer",),
    "final": ("support-libraries-layer", "folders-layer", "support-layer"),
    "extension": ("parent-check-layer", "compiler-layer", "extension-layer", "mlio-layer"),
}
LAYERS = [layer for layers in IMAGES.values() for layer in layers]
# 2026-01-01; docker/macros.py sets it for every layer.
EPOCH = 1767225600
SITE_PACKAGES = "usr/local/lib/python3.8/site-packages/"


def _members(layer: str) -> list[tarfile.TarInfo]:
    with tarfile.open(Path(f"{layer}.tar")) as archive:
        return archive.getmembers()


@pytest.fixture(scope="session")
def members() -> dict[str, list[tarfile.TarInfo]]:
    """The members of every layer."""
    return {layer: _members(layer) for layer in LAYERS}


def test_no_file_is_in_two_layers(members: dict[str, list[tarfile.TarInfo]]) -> None:
    """L-16: a child's layer holds only what its parents lack."""
    owner: dict[str, str] = {}
    twice = [
        (member.name, layer, owner[member.name])
        for layer in LAYERS
        for member in members[layer]
        if not member.isdir() and owner.setdefault(member.name, layer) != layer
    ]
    assert twice == []


@pytest.mark.parametrize("library", ["numpy", "scipy", "sklearn", "pandas", "pyarrow"])
def test_the_framework_is_in_its_own_layer_alone(members: dict[str, list[tarfile.TarInfo]], library: str) -> None:
    """L-16."""
    folder = f"{SITE_PACKAGES}{library}/"
    assert [layer for layer in LAYERS if any(member.name.startswith(folder) for member in members[layer])] == [
        "framework-layer"
    ]


def test_directories_agree_across_layers(members: dict[str, list[tarfile.TarInfo]]) -> None:
    """A layer that brings a directory again must not change it; what is a link below is never a directory above."""
    seen: dict[str, tuple[bytes, int, int, int]] = {}
    for layer in LAYERS:
        for member in members[layer]:
            if member.isdir() or member.name in seen:
                facts = (member.type, member.mode, member.uid, member.gid)
                assert seen.setdefault(member.name, facts) == facts, f"{layer}: {member.name}"


def test_every_member_has_the_one_date(members: dict[str, list[tarfile.TarInfo]]) -> None:
    """The time of a build is in no layer."""
    assert {member.mtime for layer in LAYERS for member in members[layer]} == {EPOCH}


def test_members_are_in_order_and_without_names_of_users(members: dict[str, list[tarfile.TarInfo]]) -> None:
    """Two builds list them alike, whatever the machine's user data base says."""
    for layer in LAYERS:
        names = [Path(member.name).parts for member in members[layer]]
        assert names == sorted(names), layer
        assert {(member.uname, member.gname) for member in members[layer]} == {("", "")}, layer


def test_above_the_operating_system_everything_belongs_to_root(members: dict[str, list[tarfile.TarInfo]]) -> None:
    """L-05, L-08: but for the home of model-server."""
    owned = {member.name for layer in LAYERS[1:] for member in members[layer] if (member.uid, member.gid) != (0, 0)}
    assert owned == {"home/model-server", "home/model-server/tmp"}


def test_no_test_suites_headers_or_archives_ship(members: dict[str, list[tarfile.TarInfo]]) -> None:
    """L-16."""
    unwanted = [
        member.name
        for layer in LAYERS[1:]
        for member in members[layer]
        if member.name.endswith((".a", ".pyx", ".cpp")) or "/tests/" in member.name
    ]
    assert unwanted == []
