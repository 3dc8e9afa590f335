"""Measures builds of this commit beside the way without a graph: a wheel, then three `docker build`s with pip inside.

    python3 bench/build.py [--repeat 5] [--without-seed]

Ours run in clones with homes, caches and engines of their own; the second clone is a new machine that has nothing but
a shared cache, which the first has filled. The other way runs on the first machine's engine. Prints a table with the
goals, and whether two machines make the same images. Needs what ./pants needs, root, a CPython 3.11 for the cache's
server, and about six minutes. The exit code is 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from bench.build_support.engine import new_engine  # noqa: E402
from bench.build_support.ours import IMAGES, TARGET, Clone, clone  # noqa: E402
from bench.build_support.seed_way import prepare  # noqa: E402
from tests.support.remote_cache import INSTANCE, install_server, server  # noqa: E402

ALL = tuple(f"docker/0.23-1/{image}:image" for image in IMAGES)


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes:
        what: What was measured.
        ours: Seconds of each run.
        seed: The same for the way without a graph; empty where it has no such thing.
        within: Seconds that our median may take.
        times: How many times the other's median ours must be faster at least.
    """

    what: str
    ours: list[float]
    seed: list[float]
    within: float | None = None
    times: float | None = None

    @property
    def ratio(self) -> float | None:
        """The other's median to ours."""
        return statistics.median(self.seed) / statistics.median(self.ours) if self.seed else None

    @property
    def holds(self) -> bool:
        """Whether the goals are reached."""
        fast = self.within is None or statistics.median(self.ours) <= self.within
        return fast and (self.times is None or self.ratio is None or self.ratio >= self.times)

    def cells(self) -> list[str]:
        """For the table."""
        goals = [f"within {self.within:g} s"] if self.within else []
        goals += [f"{self.times:g} times faster"] if self.times else []
        goal = ", ".join(goals) + ("" if not goals else ": holds" if self.holds else ": MISSED")
        ratio = f"{self.ratio:.1f}" if self.ratio else ""
        return [self.what, spread(self.ours), spread(self.seed) if self.seed else "", ratio, goal]


def spread(seconds: list[float]) -> str:
    """Median and range."""
    median = f"{statistics.median(seconds):.2f} s"
    return median if len(seconds) == 1 else f"{median} ({min(seconds):.2f}-{max(seconds):.2f})"


def row(cells: list[str]) -> str:
    """A line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """0 when everything was measured and every goal holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5, help="runs where nothing, and where one line, changed")
    parser.add_argument("--without-seed", action="store_true", help="measure ours alone")
    options = parser.parse_args()
    client = shutil.which("docker", path="/usr/bin") or shutil.which("docker")
    if client is None:
        sys.exit("bench: no docker client on PATH to build the other way with")

    facts: list[tuple[str, bool]] = []
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        shared = stack.enter_context(server(install_server(work / "server"), work / "shared"))
        environment = {
            "PANTS_CONFIG_FILES": "pants.ci.toml",
            "PANTS_REMOTE_STORE_ADDRESS": f"grpc://127.0.0.1:{shared.port}",
            "PANTS_REMOTE_INSTANCE_NAME": INSTANCE,
            "PANTS_REMOTE_CACHE_READ": "true",
        }
        engine = {"DOCKER_HOST": stack.enter_context(new_engine(client))}
        first = clone("first", work, {**environment, **engine, "PANTS_REMOTE_CACHE_WRITE": "true"})
        stack.callback(first.end_daemon)
        cold = first.pants("package", *ALL)
        ids = first.image_ids()

        # The first machine is at home with the cache from here on.
        alone = Clone(first.folder, first.home, engine)
        alone.pants("package", TARGET)
        unchanged = [alone.pants("package", TARGET) for _ in range(options.repeat)]
        facts.append(("nothing changed: the same image", alone.image_ids()["extension"] == ids["extension"]))

        changed = []
        for _ in range(options.repeat):
            alone.add_line()
            changed.append(alone.pants("package", TARGET))
        alone.pants("package", *ALL)
        facts.append(("one line: base untouched", alone.image_ids()["base"] == ids["base"]))
        facts.append(("one line: another extension", alone.image_ids()["extension"] != ids["extension"]))

        before = alone.image_ids()
        alone.take_other_release()
        library = alone.pants("package", TARGET)
        alone.pants("package", *ALL)
        after = alone.image_ids()
        untouched = all(before[image] == after[image] for image in ("base", "final"))
        facts.append(("one library of the extension: base and final untouched", untouched))
        facts.append(("one library of the extension: another extension", before != after))

        with new_engine(client) as other:
            second = clone("second", work, {**environment, "DOCKER_HOST": other})
            warm = second.pants("package", *ALL)
            second.end_daemon()
        for image, image_id in second.image_ids().items():
            facts.append((f"{image}: id equal on two machines", image_id == ids[image]))

        seed_cold, seed_unchanged, seed_changed, seed_library = [], [], [], []
        if not options.without_seed:
            seed = prepare(_made(work / "seed"), client, engine["DOCKER_HOST"])
            seed_cold = [seed.build("--no-cache")]
            seed_unchanged = [seed.build() for _ in range(3)]
            for _ in range(2):
                seed.add_line()
                seed_changed.append(seed.build())
            seed.take_other_release()
            seed_library = [seed.build()]

    lines = [
        Line("new machine, empty caches, packages downloaded", [cold], seed_cold),
        Line("new machine, shared cache warm: three images", [warm], seed_cold, within=120),
        Line("nothing changed", unchanged, seed_unchanged, within=1),
        Line("one line of the support package: extension ready", changed, seed_changed, within=6, times=15),
        Line("one library that only the extension has", [library], seed_library, within=60),
    ]
    print(row(["what", "ours", "wheel and three `docker build`s", "times faster", "goal"]))
    print(row(["---"] * 5))
    for line in lines:
        print(row(line.cells()))
    print()
    for what, holds in facts:
        print(f"{what}: {'yes' if holds else 'NO'}")
    return 0 if all(line.holds for line in lines) and all(holds for _, holds in facts) else 1


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    sys.exit(main())
