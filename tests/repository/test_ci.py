"""What CI runs on a change: decided rightly, refused clearly, and the steps of its workflow done as GitHub does."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Callable, Iterator, Mapping

import pytest
import yaml

from tests.support.checkout import Checkout, Finished, checkout

# An answer to a pull request's run of .ci/changed.
EVERYTHING = "would run .ci/main"
WHAT_IT_REACHES = "would run ./pants --changed-since="
NOT_THE_COPIES = "--tag=-repository"
# Reaches its own target and the one that reads the text of all tests.
SMALL = "tests/unit/support/test_histories.py"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout whose `origin` is a bare clone of its first commit."""
    with checkout(tmp_path_factory.mktemp("ci") / "copy") as copy:
        origin = copy.folder.parent / "origin.git"
        copy.must("git", "clone", "--quiet", "--bare", str(copy.folder), str(origin))
        copy.must("git", "remote", "add", "origin", str(origin))
        copy.must("git", "fetch", "--quiet", "origin")
        yield copy


@pytest.fixture()
def topic(whole: Checkout) -> Iterator[Checkout]:
    """The checkout on a new branch, as a pull request starts."""
    whole.must("git", "checkout", "--quiet", "-B", "topic", "main")
    yield whole
    whole.must("git", "checkout", "--quiet", "--force", "main")
    whole.must("git", "clean", "--quiet", "--force", "-d")


def _write(copy: Checkout, path: str, text: str = "# A comment.\n") -> None:
    file = Path(copy.folder, path)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as lines:
        lines.write(text)


def _dry_run(copy: Checkout, environment: Mapping[str, str] | None = None) -> Finished:
    return copy.run(".ci/changed", "--dry-run", environment=environment)


def _decision(copy: Checkout) -> str:
    done = _dry_run(copy)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize(
    "path",
    [
        ".ci/changed",
        ".github/workflows/ci.yml",
        ".hadolint.yaml",
        "3rdparty/python/checks.lock",
        "3rdparty/python/pants.lock",
        "3rdparty/python/pytest.lock",
        "BUILD",
        "docker/macros.py",
        "mypy.ini",
        "pants",
        "pants-plugins/incremental_docker/ledger.py",
        "pants.toml",
        "pyproject.toml",
        "ruff.toml",
        "src/pants_launcher/main.py",
        "tests/image/BUILD",
    ],
)
def test_what_pants_sees_no_reach_of_runs_everything(path: str, topic: Checkout) -> None:
    _write(topic, path)
    topic.commit(path)

    said = _decision(topic)

    assert f"everything, because of {path}\n" in said
    assert EVERYTHING in said


def _deleted(copy: Checkout) -> str:
    copy.must("git", "rm", "--quiet", "src/mlio/text_checks.py")
    return "src/mlio/text_checks.py is gone, by that name"


def _renamed(copy: Checkout) -> str:
    """Git itself would name the new file only."""
    copy.must("git", "mv", "src/mlio/text_checks.py", "src/mlio/text_tests.py")
    return "src/mlio/text_checks.py is gone, by that name"


def _with_a_blank(copy: Checkout) -> str:
    _write(copy, "examples/iris/a file.csv")
    return "'examples/iris/a file.csv' has characters in its name"


@pytest.mark.parametrize("change", [_deleted, _renamed, _with_a_blank], ids=lambda change: str(change.__name__))
def test_a_name_that_pants_loses_runs_everything(change: Callable[[Checkout], str], topic: Checkout) -> None:
    reason = change(topic)
    topic.commit("A change")

    said = _decision(topic)

    assert f"everything, because of {reason}" in said
    assert EVERYTHING in said


@pytest.mark.parametrize(
    ("path", "copies"),
    [
        ("src/sagemaker_sklearn_container/log.py", False),
        ("tests/unit/mlio/test_pipes.py", False),
        ("examples/iris/train.py", False),
        ("README.md", False),
        ("docker/0.23-1/base/Dockerfile.cpu", True),
        ("3rdparty/python/base.lock", True),
        ("3rdparty/os/wanted.txt", True),
        ("src/image_layers/layer.py", True),
        ("tests/repository/test_ci.py", True),
        ("tests/support/checkout.py", True),
    ],
)
def test_all_else_runs_what_it_reaches(path: str, copies: bool, topic: Checkout) -> None:
    """Tests of copies of the checkout depend on every file; they run where a change is one of how it is built."""
    _write(topic, path)
    topic.commit(path)

    said = _decision(topic)

    assert WHAT_IT_REACHES in said
    assert "--changed-dependents=transitive" in said
    assert (NOT_THE_COPIES in said) != copies


def test_every_file_has_an_owner_or_runs_everything(topic: Checkout) -> None:
    """Else its change would run nothing, or only what looks at the whole checkout."""
    tracked = topic.must("git", "ls-files").split()
    for path in tracked:
        _write(topic, path)
    topic.commit("Every file")
    whole = set(re.findall(r"everything, because of (.*)", _decision(topic)))
    topic.must("git", "reset", "--quiet", "--hard", "HEAD~")

    answer = topic.must("./pants", "peek", "::")
    owned = {
        source
        for target in json.loads(answer[answer.index("[\n") :])
        if not target["address"].endswith("checkout")
        for source in target.get("sources", ())
    }

    documents = {path for path in tracked if path.endswith(".md") or path == ".gitignore"}
    assert set(tracked) - whole - owned - documents == set()


def test_changes_that_are_not_committed_count(topic: Checkout) -> None:
    _write(topic, "README.md")
    _write(topic, "notes.txt")

    said = _decision(topic)

    assert "changed: 2 files since" in said


def test_commits_of_the_base_do_not_count(topic: Checkout) -> None:
    """It has moved on since the branch left it."""
    _write(topic, "README.md")
    topic.commit("On the branch")
    topic.must("git", "checkout", "--quiet", "-B", "moved", "main")
    _write(topic, "pants.toml")
    topic.commit("On the base")
    topic.must("git", "checkout", "--quiet", "topic")

    done = _dry_run(topic, {"BASE": "moved"})

    assert "changed: 1 files since" in done.output
    assert WHAT_IT_REACHES in done.output


def test_no_change_runs_nothing(topic: Checkout) -> None:
    assert "would run" not in _decision(topic)


def test_a_detached_head_is_a_head(topic: Checkout) -> None:
    """GitHub checks out the merge of branch and base, which has no branch."""
    _write(topic, "README.md")
    topic.must("git", "checkout", "--quiet", topic.commit("On the branch"))

    assert WHAT_IT_REACHES in _decision(topic)


def test_a_base_that_is_not_there_is_refused(topic: Checkout) -> None:
    done = _dry_run(topic, {"BASE": "origin/release"})

    assert done.exit_code == 2
    assert "no commit is named origin/release here. Fetch it, for example git fetch origin" in done.output


def test_the_base_of_the_pull_request_is_taken(topic: Checkout) -> None:
    done = _dry_run(topic, {"GITHUB_BASE_REF": "release"})

    assert "no commit is named origin/release here" in done.output


def test_a_base_of_another_history_is_refused(topic: Checkout) -> None:
    topic.must("git", "checkout", "--quiet", "--orphan", "other")
    topic.commit("Another beginning")
    topic.must("git", "checkout", "--quiet", "topic")

    done = _dry_run(topic, {"BASE": "other"})

    assert done.exit_code == 2
    assert "other and HEAD have no commit in common" in done.output


def test_a_shallow_clone_is_refused(topic: Checkout, tmp_path: Path) -> None:
    _write(topic, "README.md")
    topic.commit("So that there is a commit to leave out")
    topic.must("git", "clone", "--quiet", "--depth=1", f"file://{topic.folder}", str(tmp_path / "shallow"))

    done = _dry_run(Checkout(tmp_path / "shallow", topic.environment))

    assert done.exit_code == 2
    assert "this clone is shallow" in done.output
    assert "git fetch --unshallow origin" in done.output
    assert "fetch-depth: 0" in done.output


def test_no_checkout_is_refused(topic: Checkout, tmp_path: Path) -> None:
    shutil.copytree(topic.folder / ".ci", tmp_path / "unpacked" / ".ci")

    done = _dry_run(Checkout(tmp_path / "unpacked", {"GIT_CEILING_DIRECTORIES": str(tmp_path)}))

    assert done.exit_code == 2
    assert "is not the top of a git checkout" in done.output
    assert ".ci/run" in done.output


def test_an_unknown_argument_is_refused(topic: Checkout) -> None:
    done = topic.run(".ci/changed", "--dry")

    assert done.exit_code == 2
    assert "unknown arguments: --dry" in done.output


def test_only_a_tag_is_published(topic: Checkout) -> None:
    done = topic.run(".ci/publish")

    assert done.exit_code == 2
    assert "no tag points at the commit that is checked out" in done.output


def test_only_what_was_committed_is_published(topic: Checkout) -> None:
    _write(topic, "README.md")
    topic.must("git", "tag", "--force", "v1")

    done = topic.run(".ci/publish")

    assert done.exit_code == 2
    assert "the checkout of v1 is not as it was committed" in done.output
    assert "README.md" in done.output


def test_settings_that_github_does_not_have_are_dropped(topic: Checkout) -> None:
    done = topic.run(
        "bash",
        "-c",
        "source .ci/environment && env",
        environment={"PANTS_REMOTE_STORE_ADDRESS": "", "PANTS_REMOTE_INSTANCE_NAME": "main"},
    )

    assert "PANTS_REMOTE_STORE_ADDRESS" not in done.output
    assert "PANTS_REMOTE_INSTANCE_NAME=main" in done.output


def test_the_steps_of_a_pull_request_run_what_it_reaches(topic: Checkout) -> None:
    """Each step that is not an action, in a checkout and an environment as GitHub makes them."""
    workflow = yaml.safe_load(Path(topic.folder, ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"]["changed"]
    # Two empty lines, as the formatter has it.
    _write(topic, SMALL, "\n\n# A comment.\n")
    topic.commit("A comment in a test")
    topic.must("git", "checkout", "--quiet", "--detach", "main")
    topic.must("git", "merge", "--quiet", "--no-ff", "--message", "Merge topic into main", "topic")
    environment = {
        # A repository without variables; an expression that has none is empty.
        **{name: "" if "${{" in value else value for name, value in workflow["env"].items()},
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_BASE_REF": "main",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_HEAD_REF": "topic",
        "GITHUB_REF": "refs/pull/1/merge",
        "GITHUB_SHA": topic.must("git", "rev-parse", "HEAD").strip(),
        "GITHUB_WORKSPACE": os.fspath(topic.folder),
    }

    # As GitHub runs a step where `shell` is not given.
    ended = [
        topic.run("bash", "-e", "-c", step["run"], environment=environment) for step in job["steps"] if "run" in step
    ]

    assert [done.exit_code for done in ended] == [0], ended
    output = re.sub(r"\x1b\[[0-9;]*m", "", ended[0].output)
    ran = re.findall(r"(?m)^\S (tests/\S+) succeeded", output)
    assert sorted(ran) == ["tests/graph/test_contract_ids.py:contract-tests", SMALL]
    assert not re.search(r"(?m)^\S (?:tests/\S+) failed", output)
    for checked in ("black succeeded", "ruff succeeded", "mypy succeeded"):
        assert checked in output
    assert "docker image" not in output
