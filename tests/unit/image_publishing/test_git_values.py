"""What real checkouts of git's give for tags."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from image_publishing.git_values import Checkout, GitValueError, asked_for, script

GIT = shutil.which("git", path="/usr/local/bin:/usr/bin:/bin")
ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "test",
    "GIT_AUTHOR_EMAIL": "test@localhost",
    "GIT_COMMITTER_NAME": "test",
    "GIT_COMMITTER_EMAIL": "test@localhost",
    "GIT_CONFIG_NOSYSTEM": "1",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
}


def git(folder: Path, *words: str) -> str:
    assert GIT, "these tests make checkouts: apt-get install git"
    environment = {**ENVIRONMENT, "HOME": str(folder.parent)}
    done = subprocess.run([GIT, *words], cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def ask(folder: Path) -> subprocess.CompletedProcess[str]:
    assert GIT
    environment = {**ENVIRONMENT, "HOME": str(folder.parent)}
    return subprocess.run(
        ["/bin/bash", "-c", script(GIT, str(folder))],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read(folder: Path) -> Checkout:
    answer = ask(folder)
    assert answer.returncode == 0, answer.stderr
    return Checkout.parse(answer.stdout)


@pytest.fixture()
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "a checkout's folder"
    made.mkdir()
    git(made, "init", "--quiet", "--initial-branch=feature/x")
    (made / "file").write_text("1")
    (made / ".gitignore").write_text("/dist/\n")
    commit(made)
    return made


def commit(folder: Path) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Change")
    return git(folder, "rev-parse", "HEAD")


def test_a_clean_checkout_gives_every_value(folder: Path) -> None:
    git(folder, "tag", "v1.0+5")
    head = git(folder, "rev-parse", "HEAD")
    checkout = read(folder)
    assert {name: checkout.value(name) for name in ("commit", "short_commit", "branch", "tag")} == {
        "commit": head,
        "short_commit": head[:12],
        "branch": "feature-x",
        "tag": "v1.0-5",
    }


def test_what_git_ignores_is_no_change(folder: Path) -> None:
    (folder / "dist").mkdir()
    (folder / "dist" / "file").touch()
    assert read(folder).changes == ()


@pytest.mark.parametrize("name", ["commit", "short_commit", "tag"])
def test_a_dirty_checkout_has_no_commit_to_name(folder: Path, name: str) -> None:
    git(folder, "tag", "v1")
    (folder / "file").write_text("2")
    for number in range(12):
        (folder / f"new {number}").touch()
    with pytest.raises(GitValueError, match="is not what commit [0-9a-f]{40} holds") as refused:
        read(folder).value(name)
    lines = str(refused.value).splitlines()
    assert lines[1] == "   M file"
    assert lines[-2:] == [
        "  and 3 more",
        "Commit or stash that, or list it in .gitignore, and publish then.",
    ]


def test_a_dirty_checkout_is_on_its_branch_all_the_same(folder: Path) -> None:
    (folder / "file").write_text("2")
    assert read(folder).value("branch") == "feature-x"


def test_a_commit_checked_out_by_itself_has_no_branch(folder: Path) -> None:
    git(folder, "checkout", "--quiet", "--detach")
    with pytest.raises(GitValueError, match="checked out by itself"):
        read(folder).value("branch")


def test_a_commit_without_a_tag_has_none(folder: Path) -> None:
    git(folder, "tag", "v1")
    (folder / "file").write_text("2")
    commit(folder)
    with pytest.raises(GitValueError, match="no tag points at commit .* Publish from a tagged commit"):
        read(folder).value("tag")


def test_a_commit_with_two_tags_has_none_that_is_meant(folder: Path) -> None:
    git(folder, "tag", "v1")
    git(folder, "tag", "--annotate", "--message", "Release", "v2")
    with pytest.raises(GitValueError, match="2 tags point at commit .*: v1, v2"):
        read(folder).value("tag")


def test_a_shallow_checkout_knows_its_commit_but_may_lack_the_tag(folder: Path, tmp_path: Path) -> None:
    (folder / "file").write_text("2")
    head = commit(folder)
    git(folder, "tag", "v1")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", "--no-tags", f"file://{folder}", str(shallow))
    checkout = read(shallow)
    assert checkout.value("commit") == head
    with pytest.raises(GitValueError, match="shallow and may lack it: `git fetch --tags --depth=1`"):
        checkout.value("tag")
    git(shallow, "fetch", "--quiet", "--tags", "--depth=1")
    assert read(shallow).value("tag") == "v1"


def test_only_changes_below_the_folder_count(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (inner / "file").touch()
    commit(folder)
    (folder / "outside").touch()
    assert read(inner).changes == ()


@pytest.mark.parametrize("commits", [False, True])
def test_no_checkout_or_none_with_a_commit_is_no_answer(tmp_path: Path, commits: bool) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    if commits:
        git(folder, "init", "--quiet")
    answer = ask(folder)
    assert answer.returncode != 0
    assert "fatal: " in answer.stderr


def test_placeholders_are_found_and_unknown_ones_refused() -> None:
    assert asked_for("{git.branch}-{git.short_commit}-{pants.hash}") == ("branch", "short_commit")
    assert asked_for("1") == ()
    for template in ("{git.sha}", "{git}"):
        with pytest.raises(GitValueError, match="There are {git.branch}, {git.commit}, {git.short_commit}, {git.tag}"):
            asked_for(template)
