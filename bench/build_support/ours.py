"""Builds of this commit, each in a clone of its own with a home and caches of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Mapping

TARGET = "docker/0.23-1/extension:image"
IMAGES = ("base", "final", "extension")
REPOSITORY = Path(__file__).resolve().parent.parent.parent
SUPPORT_FILE = "src/sagemaker_sklearn_container/log.py"
EXTENSION_LOCK = "3rdparty/python/extension.lock"
# A library that only the extension image has, and another release of it.
LIBRARY, RELEASE = "patsy", "1.0.2"
RELEASE_SHA256 = "37bfddbc58fcf0362febb5f54f10743f8b21dd2aa73dec7e7ef59d1b02ae668a"


@dataclass(frozen=True)
class Clone:
    """A clone of the commit that is checked out, as another machine would have it.

    Attributes:
        folder: Its top.
        home: The home that its builds see, empty at first.
        environment: What they see besides.
    """

    folder: Path
    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def pants(self, *arguments: str) -> float:
        """Run ./pants to its end; seconds it took.

        Raises:
            SystemExit: it failed; its output is printed.
        """
        environment = {**os.environ, "HOME": str(self.home), "PYENV_ROOT": pyenv_root(), **self.environment}
        for name in ("XDG_CACHE_HOME", "SKLEARN_IMAGES_CACHE"):
            environment.pop(name, None)
        # What earlier builds wrote is theirs to pay for.
        os.sync()
        start = time.monotonic()
        done = subprocess.run(
            ["./pants", *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        seconds = time.monotonic() - start
        if done.returncode:
            sys.exit(f"./pants {' '.join(arguments)} failed in {self.folder}:\n{done.stdout}")
        return seconds

    def image_ids(self) -> dict[str, str]:
        """Id of each image that the last build noted, by its name; those that it packaged."""
        infos = {image: self.folder / "dist" / f"docker.0.23-1.{image}" / "image.docker-info.json" for image in IMAGES}
        return {
            image: str(json.loads(info.read_text(encoding="utf-8"))["image_id"])
            for image, info in infos.items()
            if info.exists()
        }

    def add_line(self) -> None:
        """Change the support package, as nobody has before: the engine keeps what it built in earlier runs."""
        with Path(self.folder, SUPPORT_FILE).open("a", encoding="utf-8") as stream:
            stream.write(f"MEASURED = {time.time_ns()}\n")

    def take_other_release(self) -> None:
        """Change one library that only the extension image has."""
        lock = Path(self.folder, EXTENSION_LOCK)
        text, count = re.subn(
            rf"(?m)^{LIBRARY}==(?!{re.escape(RELEASE)} )\S+ \\\n(?: +--hash=\S+(?: \\)?\n)+",
            rf"{LIBRARY}=={RELEASE} \\\n    --hash=sha256:{RELEASE_SHA256}\n",
            lock.read_text(encoding="utf-8"),
        )
        if count != 1:
            sys.exit(f"{EXTENSION_LOCK} has no {LIBRARY} of another release than {RELEASE}; name one here")
        lock.write_text(text, encoding="utf-8")

    def end_daemon(self) -> None:
        """End the Pants daemon by the pid it noted."""
        for note in self.folder.glob(".pids/*/pantsd/pid"):
            try:
                os.kill(int(note.read_text(encoding="utf-8")), 15)
            except (ProcessLookupError, ValueError):
                continue


def clone(name: str, work: Path, environment: Mapping[str, str]) -> Clone:
    """A new clone with an empty home."""
    made = Clone(work / name, work / f"{name}-home", environment)
    made.home.mkdir()
    subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(made.folder)], check=True)
    return made


def pyenv_root() -> str:
    """Where pyenv keeps its interpreters, which the homes made here do not hold."""
    return os.environ.get("PYENV_ROOT") or str(Path.home() / ".pyenv")
