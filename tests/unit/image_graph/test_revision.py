"""What git says of real repositories."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from image_graph.errors import GraphError
from image_graph.revision import NoGitError, compare


def _git(folder: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "protocol.file.allow=always"]
    done = subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _commit(folder: Path, name: str) -> str:
    Path(folder, name).write_text(name, encoding="utf-8")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", name)
    return _git(folder, "rev-parse", "HEAD")


@pytest.fixture()
def origin(tmp_path: Path) -> Path:
    folder = tmp_path / "origin"
    folder.mkdir()
    _git(folder, "init", "--quiet", "--initial-branch=main")
    _commit(folder, "a")
    _commit(folder, "b")
    return folder


def _clone(origin: Path, *options: str) -> Path:
    folder = origin.parent / "clone"
    _git(origin.parent, "clone", "--quiet", *options, f"file://{origin}", str(folder))
    return folder


def test_a_branch_is_compared_with_where_it_left_main(origin: Path) -> None:
    clone = _clone(origin)
    base = _git(clone, "rev-parse", "HEAD")
    _git(clone, "checkout", "--quiet", "-b", "topic")
    _commit(clone, "committed")
    Path(clone, "a").write_text("changed", encoding="utf-8")
    Path(clone, "b").unlink()
    Path(clone, "name with spaces and ü").write_text("new", encoding="utf-8")
    Path(clone, ".gitignore").write_text("ignored\n", encoding="utf-8")
    Path(clone, "ignored").write_text("new", encoding="utf-8")

    found = compare(clone, None)

    assert found.since == base
    assert found.described == f"where this branch left origin/main ({base[:12]})"
    assert found.files == (".gitignore", "a", "b", "committed", "name with spaces and ü")
    assert found.remark == ""


def test_without_an_origin_it_is_head(origin: Path) -> None:
    Path(origin, "a").write_text("changed", encoding="utf-8")
    found = compare(origin, None)
    assert found.described.startswith("HEAD (")
    assert found.files == ("a",)


def test_a_named_revision_counts(origin: Path) -> None:
    _git(origin, "checkout", "--quiet", "--detach")
    found = compare(origin, "HEAD~1")
    assert found.files == ("b",)
    assert found.since == _git(origin, "rev-parse", "HEAD~1")


@pytest.mark.parametrize("name", ["v9", "--output=x", "HEAD:a"])
def test_an_unknown_revision_is_named(origin: Path, name: str) -> None:
    with pytest.raises(GraphError, match=f"comparing with `--since={name}` failed: git knows no such revision"):
        compare(origin, name)


def test_a_shallow_clone_says_what_it_lacks(origin: Path) -> None:
    clone = _clone(origin, "--depth=1", "--no-single-branch")
    tip = _git(clone, "rev-parse", "HEAD")
    _git(origin, "checkout", "--quiet", "--orphan", "other")
    other = _commit(origin, "c")
    _git(clone, "fetch", "--quiet", "--depth=1", "origin", other)
    _git(clone, "checkout", "--quiet", "--detach", other)

    found = compare(clone, None)
    assert found.since == other
    assert "this clone is shallow; `git fetch --unshallow` brings the rest" in found.remark
    with pytest.raises(GraphError, match="It and HEAD need a common commit"):
        compare(clone, tip)


def test_no_repository_is_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(NoGitError, match="this is no git repository"):
        compare(tmp_path, None)


def test_no_commit_is_no_git(tmp_path: Path) -> None:
    _git(tmp_path, "init", "--quiet")
    with pytest.raises(NoGitError, match="git has no commit to compare with"):
        compare(tmp_path, None)


def test_no_program_is_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(NoGitError, match="there is no `git` on PATH"):
        compare(tmp_path, None)
