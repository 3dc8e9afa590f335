"""The workflows of GitHub Actions: valid, safe, and without any work of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

WORKFLOWS = sorted(Path(".github/workflows").glob("*.yml"))
# Left in the sandbox by their targets; run by this interpreter, which is the one they are for.
ZIZMOR = (sys.executable, "3rdparty.python/zizmor.pex", "--offline", "--persona=pedantic")
SCHEMA = (sys.executable, "3rdparty.python/check-jsonschema.pex", "--builtin-schema", "vendor.github-workflows")


def _ended(*command: str) -> tuple[int, str]:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    return done.returncode, done.stdout


def _steps(workflow: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


def test_there_are_workflows() -> None:
    assert [workflow.name for workflow in WORKFLOWS] == ["ci.yml", "publish.yml"]


def test_they_follow_the_schema() -> None:
    exit_code, output = _ended(*SCHEMA, *map(str, WORKFLOWS))
    assert exit_code == 0, output


def test_a_fault_in_a_workflow_is_seen(tmp_path: Path) -> None:
    faulty = tmp_path / "ci.yml"
    text = WORKFLOWS[0].read_text(encoding="utf-8")
    faulty.write_text(text.replace("timeout-minutes", "timeout-minuets"), encoding="utf-8")

    exit_code, output = _ended(*SCHEMA, str(faulty))

    assert exit_code == 1
    assert "timeout-minuets" in output


def test_nothing_in_them_is_unsafe() -> None:
    exit_code, output = _ended(*ZIZMOR, *map(str, WORKFLOWS))
    assert exit_code == 0, output


@pytest.mark.parametrize(
    ("safe", "unsafe", "finding"),
    [
        ("persist-credentials: false", "clean: true", "artipacked"),
        ("permissions: {}", "permissions: write-all", "excessive-permissions"),
        ("run: .ci/changed", "run: .ci/changed ${{ github.head_ref }}", "template-injection"),
        ("  pull_request:", "  pull_request_target:", "dangerous-triggers"),
    ],
)
def test_what_is_unsafe_is_seen(safe: str, unsafe: str, finding: str, tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    text = Path(".github/workflows/ci.yml").read_text(encoding="utf-8")
    assert safe in text
    Path(folder, "ci.yml").write_text(text.replace(safe, unsafe), encoding="utf-8")

    exit_code, output = _ended(*ZIZMOR, str(folder / "ci.yml"))

    assert exit_code != 0
    assert f"[{finding}]" in output


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: str(path.name))
def test_actions_are_named_by_commit(workflow: Path) -> None:
    """A tag may move; beside the commit stands the release that it is of."""
    for line in workflow.read_text(encoding="utf-8").splitlines():
        before, uses, action = line.partition("uses: ")
        if uses:
            name, _, rest = action.partition("@")
            commit, _, release = rest.partition(" # v")
            assert name in ("actions/cache", "actions/cache/restore", "actions/checkout")
            assert len(commit) == 40
            assert int(commit, 16)
            assert release


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: str(path.name))
def test_each_step_is_an_action_or_one_script(workflow: Path) -> None:
    for step in _steps(workflow):
        assert ("uses" in step) != ("run" in step)
        if "run" in step:
            folder, _, name = step["run"].partition("/")
            assert folder == ".ci"
            assert os.access(Path(".ci", name), os.X_OK), step


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: str(path.name))
def test_every_job_is_bounded(workflow: Path) -> None:
    for job in yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].values():
        assert 0 < job["timeout-minutes"] <= 120
        assert job["permissions"] == {"contents": "read"}
