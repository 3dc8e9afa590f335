"""The image's interpreter as a command of this machine."""

from __future__ import annotations

import shlex
from pathlib import Path

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
