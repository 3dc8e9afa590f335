"""Pants' answers about the repository, asked of a second Pants while the first runs this program."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from image_graph import targets
from image_graph.errors import GraphError

# The first answer of a cold cache takes most of a minute.
_TIMEOUT_S = 600


@dataclass(frozen=True)
class Answers:
    """What Pants said.

    Attributes:
        targets: All targets.
        changed: Addresses of the targets that own what changed; None where that was not asked.
    """

    targets: targets.Targets
    changed: tuple[str, ...] | None


def ask(root: Path, since: str | None) -> Answers:
    """Ask for all targets, and for those that changed since a revision.

    Args:
        root: Top of the repository.
        since: Name or id of the revision, or None for all targets only.

    Raises:
        GraphError: Pants cannot be started or fails; the message has what it said.
    """
    # Two at once: each spends its time on starting, on one core.
    with ThreadPoolExecutor() as pool:
        everything = pool.submit(_pants, root, "peek", "::")
        changed = pool.submit(_pants, root, f"--changed-since={since}", "list") if since else None
        known = targets.parse(everything.result())
        circular = known.circle()
        if circular:
            # `peek` lists a circle as if it were none; this question makes Pants say what is wrong with it.
            _pants(root, "dependencies", "--transitive", circular)
        return Answers(known, tuple(changed.result().split()) if changed else None)


def _pants(root: Path, *arguments: str) -> str:
    launcher = root / "pants"
    command = [str(launcher) if launcher.is_file() else "pants", *arguments]
    shown = f"`pants {' '.join(arguments)}`"
    try:
        done = subprocess.run(
            command, cwd=root, env=_environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT_S
        )
    except OSError as error:
        raise GraphError(f"asking {shown} failed: {error}.\nRun it in {root} by hand.") from error
    except subprocess.TimeoutExpired as error:
        raise GraphError(
            f"asking {shown} failed: no answer within {_TIMEOUT_S} s.\nRun it in {root} by hand."
        ) from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip() or f"nothing, and ended with {done.returncode}"
        raise GraphError(f"asking {shown} failed. Pants said:\n{said}\nCorrect that and draw again.")
    return done.stdout.decode()


def _environment() -> dict[str, str]:
    # What this program's own start has set is not for another Python.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PEX", "__PEX", "PYTHON"))}
    # The daemon answers one caller at a time and is busy with the one that runs this program.
    return {**kept, "PANTS_CONCURRENT": "true", "PANTS_DYNAMIC_UI": "false", "PANTS_LEVEL": "warn"}
