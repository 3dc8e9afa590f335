"""The image's interpreter as a command of this machine, and programs that are asked again and again."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
from pathlib import Path
from typing import Iterator

from bench.serving_support.servers import Place

_TEXT = """\
#!/bin/sh
exec docker run --rm --interactive --network none --env PYTHONPATH --env OMP_NUM_THREADS \\
    --volume {folder}:{folder} --volume {repository}:{repository}:ro {image} python "$@"
"""


def of_image(place: Place, repository: Path) -> str:
    """A script that runs the image's `python` with the caller's PYTHONPATH; it sees the repository and the folder."""
    script = place.folder / "python-of-the-image"
    words = {"folder": place.folder, "repository": repository, "image": place.image}
    script.write_text(_TEXT.format(**{name: shlex.quote(str(word)) for name, word in words.items()}), encoding="utf-8")
    script.chmod(0o755)
    return str(script)


@contextlib.contextmanager
def kept(python: str, program: str, *arguments: str, path: str) -> Iterator[subprocess.Popen[str]]:
    """A process that runs `program`, to be talked to by its standard streams; it ends with the context.

    One thread, as each worker of a server has, and of the tree only what is on `path`.
    """
    process = subprocess.Popen(
        [python, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()
