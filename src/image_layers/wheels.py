"""Turns hashed pins into wheels: downloaded by pip, the few source-only ones built by it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from image_layers.errors import LayerError

# Characters of one line of pip's that are shown.
_LINE = 300


def collect_wheels(requirements: Path, wheels: Path) -> None:
    """Bring a wheel for every pin of `requirements` into `wheels`.

    Mirrors, proxies and certificates are pip's own settings on this machine (files or PIP_* variables).

    Args:
        requirements: Lines of `NAME==VERSION --hash=...`; hashes are of what the registry holds.
        wheels: Directory to fill; created.

    Raises:
        LayerError: a hash differs, a package is missing, the registry does not answer: with pip's own words.
    """
    wheels.mkdir(parents=True, exist_ok=True)
    if not requirements.read_text(encoding="utf-8").strip():
        return
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--require-hashes", "--no-deps", "--wheel-dir", str(wheels), "--requirement", str(requirements)]
    # What a source-only distribution is built with is locked too: this tool's own setuptools and wheel.
    command += ["--no-build-isolation"]
    # A constraint of the machine's can only make a locked set unsatisfiable.
    environment = {**os.environ, "PIP_CONSTRAINT": os.devnull, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise LayerError(
            f"fetching the wheels of {requirements} failed; pip said:\n{_essence(done.stdout)}\n"
            "A hash that differs means that the registry serves other bytes than were locked: do not use them. A "
            "version that is missing was withdrawn, or the mirror does not carry it: lock again "
            "(3rdparty/README.md). No answer: check pip's own settings (`pip config list`) and the network."
        )


def _essence(output: str) -> str:
    # Every other release there is, and each attempt of many, are no help.
    lines = [line for line in output.strip().splitlines() if "Ignored the following versions" not in line]
    retries = [line for line in lines if line.startswith("WARNING: Retrying")]
    kept = [line for line in lines if line not in retries[:-1]]
    return "\n".join(line if len(line) <= _LINE else f"{line[:_LINE]}..." for line in kept)
