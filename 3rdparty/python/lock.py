"""Locks everything under 3rdparty/ again: every requirements file, and the list of Debian packages.

    ./pants run 3rdparty/python:lock                  keep what still satisfies the lists
    ./pants run 3rdparty/python:lock -- --upgrade     take the newest that does
    ./pants run 3rdparty/python:lock -- --upgrade-package boto3

Locks hold names, versions and hashes, and no address. Mirrors are the machine's own: UV_INDEX_URL or uv's
configuration for Python, OS_MIRROR for Debian.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Sequence

from uv import find_uv_bin

from image_layers.shares import split

PYTHON = Path("3rdparty/python")
DEBIAN = Path("3rdparty/os")

# What ships runs on this; so does all code that is tested with it.
SHIPPED_PYTHON = "3.8"
# The only interpreter that both Pants 2.17 and this repository's machines have.
PANTS_PYTHON = "3.9"
# The oldest that BuildGrid runs on.
BUILDGRID_PYTHON = "3.11"


@dataclass(frozen=True)
class Lock:
    """One lock and what it is made from.

    Attributes:
        name: The lock's file name without its ending, below 3rdparty/python where it is relative.
        lists: Requirements files below 3rdparty/python that it satisfies together.
        options: Further options of the resolver.
        python: Interpreter version it is for.
    """

    name: str
    lists: tuple[str, ...]
    options: tuple[str, ...] = ()
    python: str = SHIPPED_PYTHON


# The images, each with the lock of what it adds to those before it. All are one resolve.
IMAGES = ("base", "final", "extension")

# In this order: the later ones are held to the versions of the earlier.
LOCKS: Sequence[Lock] = (
    Lock(
        "workspace",
        ("workspace.in", "base.in", "final.in"),
        tuple(word for image in IMAGES for word in ("--constraints", f"{image}.lock")),
    ),
    Lock("pytest", ("pytest.in",), ("--constraints", "workspace.lock")),
    Lock("setuptools", ("setuptools.in",), ("--constraints", "workspace.lock")),
    Lock("checks", ("checks.in",)),
    Lock("compose", ("compose.in",)),
    Lock("replaced", ("replaced.in",)),
    Lock("workflows", ("workflows.in",)),
    Lock("compiler", ("compiler.in",)),
    Lock("buildgrid", ("buildgrid.in",), python=BUILDGRID_PYTHON),
    Lock("pants", ("pants.in",), python=PANTS_PYTHON),
    Lock("external-tools", ("external-tools.in",), python=PANTS_PYTHON),
)


def lock_images(further: list[str]) -> None:
    """Resolve what ships anew, and write each image's lock.

    Raises:
        subprocess.CalledProcessError: as `lock_python`.
    """
    lists = tuple(f"{image}.in" for image in IMAGES)
    locks = [PYTHON / f"{image}.lock" for image in IMAGES]
    with tempfile.TemporaryDirectory() as work:
        # The resolver keeps what it finds in its output file, where that still satisfies the lists.
        resolved = Path(work, "images.lock")
        resolved.write_text("".join(lock.read_text(encoding="utf-8") for lock in locks), encoding="utf-8")
        options = ("--overrides", "overrides.txt", "--excludes", "excludes.txt")
        lock_python(Lock(str(resolved.with_suffix("")), lists, options), further)
        for lock, text in zip(locks, split(resolved, [Path(name) for name in lists])):
            lock.write_text(text, encoding="utf-8")


def lock_python(lock: Lock, further: list[str]) -> None:
    """Resolve one lock anew, in place.

    Raises:
        subprocess.CalledProcessError: there is no solution, or the registry does not answer; uv has said which.
    """
    command = [find_uv_bin(), "pip", "compile", *lock.lists, *lock.options, *further]
    command += ["--output-file", f"{lock.name}.lock", "--python-version", lock.python]
    # The oldest C library that the images and the machines that build them have.
    command += ["--python-platform", "x86_64-manylinux_2_28"]
    command += ["--generate-hashes", "--no-header", "--no-emit-index-url", "--no-emit-find-links", "--quiet"]
    print(f"locking {', '.join(lock.lists)} for Python {lock.python}", flush=True)
    subprocess.run(command, cwd=PYTHON, check=True)


def record_debian_packages() -> None:
    """Bootstrap the operating system once and write down what it was made of.

    Raises:
        subprocess.CalledProcessError: the bootstrap failed; the layer tool has said why.
    """
    recorded = DEBIAN / "packages.lock"
    print(f"recording {recorded}", flush=True)
    with tempfile.TemporaryDirectory() as work:
        packages = Path(work, "packages.txt")
        command = [sys.executable, "-m", "image_layers", "operating-system", "--suite=trixie"]
        command += [f"--wanted={DEBIAN / 'wanted.txt'}", f"--recorded={recorded}"]
        command += [f"--out={Path(work, 'layer.tar')}", f"--packages-out={packages}"]
        # The layer itself is thrown away, so its date is of no account.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "SOURCE_DATE_EPOCH": "0"}
        subprocess.run(command, env=environment, check=True)
        lines = packages.read_text(encoding="utf-8")
    recorded.write_text(
        "# Debian packages of the operating system layer as last recorded: NAME VERSION ARCHITECTURE SHA256.\n"
        "# Written by `./pants run 3rdparty/python:lock`.\n" + lines,
        encoding="utf-8",
    )


def main() -> int:
    """0 when every lock was written; the first that cannot be ends the run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that the lists allow")
    parser.add_argument("--upgrade-package", action="append", default=[], metavar="NAME")
    options = parser.parse_args()
    further = ["--upgrade"] if options.upgrade else []
    for name in options.upgrade_package:
        further += ["--upgrade-package", name]
    try:
        lock_images(further)
        for lock in LOCKS:
            lock_python(lock, further)
        record_debian_packages()
    except subprocess.CalledProcessError as error:
        print(f"lock: {error.cmd[0]} ended with {error.returncode}; what it printed above says why.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
