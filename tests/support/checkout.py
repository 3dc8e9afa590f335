"""A copy of this repository that a test may change, and Pants at work in it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Mapping

# What `//:checkout` brings into the sandbox; other files lie there, too.
_FOLDERS = (".ci", ".github", "3rdparty", "bench", "docker", "examples", "pants-plugins", "src", "tests")
_FILES = (
    ".gitignore",
    ".hadolint.yaml",
    "BUILD",
    "mypy.ini",
    "pants",
    "pants.ci.toml",
    "pants.toml",
    "pyproject.toml",
    "ruff.toml",
)
_ENDS_WITHIN_S = 20


@dataclass(frozen=True)
class Finished:
    """How a command ended: its exit code, and its two streams in one, as a terminal would show them."""

    exit_code: int
    output: str


@dataclass(frozen=True)
class Checkout:
    """A git checkout of its own, with one commit and a clean tree.

    Attributes:
        folder: Its top.
        environment: What its commands see beside the test's own environment.
    """

    folder: Path
    environment: Mapping[str, str]

    def run(self, *command: str, environment: Mapping[str, str] | None = None, timeout_s: float = 900) -> Finished:
        """Run a command at the top of the checkout to its end.

        Args:
            command: Words; none of them goes through a shell.
            environment: Further variables.
            timeout_s: The command's process group is ended after that many seconds.
        """
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env={**os.environ, **self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            raise AssertionError(f"{' '.join(command)} did not end within {timeout_s} s. It said:\n{output}") from None
        return Finished(process.returncode, output)

    def pants(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Finished:
        """Run `./pants`; it starts the checkout's Pants daemon unless `--no-pantsd` says not to."""
        return self.run("./pants", *arguments, environment=environment)

    def must(self, *command: str, environment: Mapping[str, str] | None = None) -> str:
        """The output of a command that has to succeed."""
        done = self.run(*command, environment=environment)
        assert done.exit_code == 0, f"{' '.join(command)} ended with {done.exit_code}:\n{done.output}"
        return done.output

    def commit(self, message: str) -> str:
        """Commit everything in the working tree; the new commit's id."""
        self.must("git", "add", "--all")
        self.must("git", "commit", "--quiet", "--message", message)
        return self.must("git", "rev-parse", "HEAD").strip()

    def end_daemon(self) -> None:
        """End the checkout's Pants daemon, by the pid that it noted, and wait until it is gone."""
        for note in self.folder.glob(".pids/*/pantsd/pid"):
            try:
                pid = int(note.read_text(encoding="utf-8"))
                os.kill(pid, signal.SIGTERM)
            except (FileNotFoundError, ProcessLookupError, ValueError):
                continue
            deadline = time.monotonic() + _ENDS_WITHIN_S
            while time.monotonic() < deadline and Path(f"/proc/{pid}").exists():
                time.sleep(0.1)


@contextmanager
def checkout(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Checkout]:
    """A checkout of the repository's files as they are in this sandbox; its daemon is ended with it.

    Args:
        folder: Where; must not exist.
        environment: What all of its commands see beside the test's own environment.
    """
    folder.mkdir(parents=True)
    for name in _FOLDERS:
        if Path(name).is_dir():
            shutil.copytree(name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _FILES:
        shutil.copy2(name, folder / name)
    # Documents are no part of `//:checkout`; one stands for them, for tests that change it.
    Path(folder, "README.md").write_text("# A copy\n", encoding="utf-8")
    git_settings = {
        "GIT_AUTHOR_NAME": "test",
        "GIT_AUTHOR_EMAIL": "test@localhost",
        "GIT_COMMITTER_NAME": "test",
        "GIT_COMMITTER_EMAIL": "test@localhost",
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    made = Checkout(folder, {**git_settings, **(environment or {})})
    made.must("git", "init", "--quiet", "--initial-branch=main")
    made.commit("The repository as it is")
    try:
        yield made
    finally:
        made.end_daemon()
