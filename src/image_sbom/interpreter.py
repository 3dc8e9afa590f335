"""Tells which CPython an interpreter layer holds, by asking it."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from pathlib import Path

from image_layers import layout
from image_sbom.errors import BillError

_QUESTION = "import platform; print(platform.python_version())"


def interpreter_version(layer: Path) -> str:
    """The exact version, such as `3.8.18`, of the interpreter in a layer.

    Not that of the CPython this runs on: the layer may have come from another machine's cache.

    Raises:
        BillError: the layer's interpreter does not run.
    """
    inside = str(layout.PREFIX.relative_to("/"))
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as work:
        with tarfile.open(layer, encoding="utf-8") as archive:
            archive.extractall(work, [member for member in archive if f"{member.name}/".startswith(f"{inside}/")])
        # Whether started below /usr/local or here, it finds its library and its modules beside it.
        command = [str(Path(work, layout.INTERPRETER.relative_to("/"))), "-I", "-S", "-c", _QUESTION]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={})
        except OSError as error:
            raise BillError(f"asking the interpreter of {layer} for its version: {error}.") from error
    if done.returncode:
        raise BillError(f"asking the interpreter of {layer} for its version failed; it said:\n{done.stdout.strip()}")
    return done.stdout.strip()
