"""Measures builds of this commit, each in a clone of its own with a home and caches of its own.

    python3 bench/build.py [--repeat 3]

Prints the time of the first build, of one where nothing changed, and of one after a changed line in the support
package, and whether two clones give the same layers. Needs what ./pants needs and takes about ten minutes; the engine
is the one that ./pants uses, and keeps the images of the last build.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

TARGET = "docker/0.23-1/extension:image"
IMAGES = {
    "base": "sklearn-base:0.23-1-cpu-py3",
    "final": "preprod-sklearn:0.23-1-cpu-py3",
    "extension": "preprod-sklearn-extension:0.2-1-cpu-py3",
}
CHANGED = "src/sagemaker_sklearn_container/log.py"
REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Clone:
    """A clone of this commit, and the home directory that its builds see."""

    folder: Path
    home: Path

    def pants(self, *arguments: str) -> float:
        """Run ./pants to its end; seconds it took.

        Raises:
            SystemExit: it failed; its output is printed.
        """
        environment = {**os.environ, "HOME": str(self.home), "PYENV_ROOT": pyenv_root()}
        for name in ("XDG_CACHE_HOME", "SKLEARN_IMAGES_CACHE"):
            environment.pop(name, None)
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

    def image_id(self, image: str) -> str:
        """Id that the last build of an image noted."""
        info = Path(self.folder, "dist", f"docker.0.23-1.{image}", "image.docker-info.json")
        return str(json.loads(info.read_text(encoding="utf-8"))["image_id"])


def pyenv_root() -> str:
    """Where pyenv keeps its interpreters, which the homes made here do not hold."""
    return os.environ.get("PYENV_ROOT") or str(Path.home() / ".pyenv")


def clone(name: str, work: Path) -> Clone:
    """A new clone of the commit that is checked out."""
    made = Clone(work / name, work / f"{name}-home")
    made.home.mkdir()
    subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(made.folder)], check=True)
    return made


def layers(image: str) -> list[str]:
    """Layer digests of an image in the engine."""
    client = shutil.which("docker", path="/usr/bin") or shutil.which("docker")
    if client is None:
        sys.exit("bench: no docker client on PATH to ask for the layers with")
    command = [client, "image", "inspect", "--format", "{{json .RootFS.Layers}}", image]
    digests: list[str] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return digests


def median(seconds: list[float]) -> str:
    """Median and range, for a table."""
    return f"{statistics.median(seconds):.2f} s ({min(seconds):.2f}-{max(seconds):.2f})"


def main() -> int:
    """0 when everything was measured and the two clones agree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each repeated measurement")
    repeat = parser.parse_args().repeat

    with tempfile.TemporaryDirectory() as folder:
        one, two = clone("one", Path(folder)), clone("two", Path(folder))
        try:
            first = one.pants("package", TARGET, "--incremental-docker-rebuild")
            layers_one = {name: layers(tag) for name, tag in IMAGES.items()}
            one.pants("package", TARGET)
            before = one.image_id("extension")
            unchanged = [one.pants("package", TARGET) for _ in range(repeat)]
            assert one.image_id("extension") == before, "an unchanged build made another image"

            base_before = layers(IMAGES["base"])
            changed = []
            for number in range(repeat):
                with Path(one.folder, CHANGED).open("a", encoding="utf-8") as stream:
                    stream.write(f"MEASURED = {number}\n")
                changed.append(one.pants("package", TARGET))
                assert one.image_id("extension") != before, "a changed line did not reach the extension image"
            base_untouched = layers(IMAGES["base"]) == base_before == layers(IMAGES["extension"])[: len(base_before)]

            two.pants("package", TARGET, "--incremental-docker-rebuild")
            layers_two = {name: layers(tag) for name, tag in IMAGES.items()}
        finally:
            for each in (one, two):
                stop_daemon(each)

    same = {name: layers_one[name] == layers_two[name] for name in IMAGES}
    print("| what | measured |\n| --- | --- |")
    print(f"| first build: empty caches, packages downloaded | {first:.0f} s |")
    print(f"| nothing changed | {median(unchanged)} |")
    print(f"| one line of the support package changed, extension ready | {median(changed)} |")
    print(f"| base image and its layers untouched by that | {'yes' if base_untouched else 'NO'} |")
    for name, equal in same.items():
        count = len(layers_one[name])
        print(f"| {name}: layers equal in two clones with nothing cached | {'all' if equal else 'NOT all'} {count} |")
    return 0 if base_untouched and all(same.values()) else 1


def stop_daemon(each: Clone) -> None:
    """End the Pants daemon of a clone by the pid it noted."""
    for note in each.folder.glob(".pids/*/pantsd/pid"):
        try:
            os.kill(int(note.read_text(encoding="utf-8")), 15)
        except (ProcessLookupError, ValueError):
            continue


if __name__ == "__main__":
    sys.exit(main())
