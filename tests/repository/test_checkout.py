"""What the other tests here stand on: a copy of the repository in which Pants works."""

from __future__ import annotations

from pathlib import Path

from tests.support.checkout import checkout


def test_pants_knows_the_same_targets_in_a_copy(tmp_path: Path) -> None:
    with checkout(tmp_path / "copy") as copy:
        listed = copy.must("./pants", "--no-pantsd", "list", "docker::")
        assert copy.must("git", "status", "--porcelain") == ""

    assert "docker/0.23-1/extension:image" in listed.split()
    assert not list(copy.folder.glob(".pids/*/pantsd/pid"))
