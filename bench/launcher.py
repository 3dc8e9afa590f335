"""Measures what ./pants adds to a call of Pants' native client, once everything is set up.

    python3 bench/launcher.py [--repeat 20]

Runs the two in turn, on a goal that needs no engine and on one that does; takes about half a minute.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Mapping, Sequence

REPOSITORY = Path(__file__).resolve().parent.parent
# Neither does any work: what is left is the way there and back.
GOALS = {"list": ("list", "//:settings"), "package": ("package", "bench::", "--filter-target-type=file")}


def seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """How long a command takes that must succeed."""
    start = time.monotonic()
    subprocess.run(
        command, cwd=REPOSITORY, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    return time.monotonic() - start


def main() -> int:
    """0 when both were measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=20)
    repeat = parser.parse_args().repeat

    sys.path.insert(0, str(REPOSITORY / "src"))
    from pants_launcher import main as launcher
    from pants_launcher import settings

    chosen = settings.from_environment(os.environ)
    remembered = Path(chosen.launcher_dir, "python3.9")
    if sys.version_info[:2] != (3, 9):
        # The install belongs to the interpreter that the launcher chose.
        subprocess.run([str(REPOSITORY / "pants"), "--version"], cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)
        python = remembered.read_text(encoding="utf-8").strip()
        os.execv(python, [python, "-B", *sys.argv])

    print("| goal | native client | ./pants | added by the launcher |\n| --- | --- | --- | --- |")
    for goal, arguments in GOALS.items():
        install, environment = launcher.prepare(str(REPOSITORY), arguments, chosen, os.environ)
        commands = {
            "native": ([install.native_client, *arguments], environment),
            "launcher": ([str(REPOSITORY / "pants"), *arguments], os.environ),
        }
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(repeat + 1):
            for name, (command, env) in commands.items():
                measured = seconds(command, env)
                if number:  # the first of each warms up
                    taken[name].append(measured)
        native, ours = (statistics.median(taken[name]) * 1000 for name in ("native", "launcher"))
        print(f"| {goal} | {native:.0f} ms | {ours:.0f} ms | {ours - native:.0f} ms |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
