"""Prints how large the images are: by layer, and by library.

    ./pants run bench:sizes
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from docker.client import DockerClient
from docker.errors import ImageNotFound

# The chain's last image holds the layers of all; each image is measured at its own tag.
IMAGES = (
    "sklearn-foundation:0.23-1-cpu-py3",
    "sklearn-base:0.23-1-cpu-py3",
    "preprod-sklearn:0.23-1-cpu-py3",
    "preprod-sklearn-extension:0.2-1-cpu-py3",
)
MB = 1_000_000
SMALLEST_LIBRARY = 5 * MB

# Runs in the image: sizes of the files that each distribution recorded, bytecode included.
_LIBRARIES = """
import importlib.metadata, json
from pathlib import Path
sizes = {}
for found in importlib.metadata.distributions():
    files = [Path(found.locate_file(path)) for path in found.files or ()]
    files += [Path(path.parent, "__pycache__", path.stem + ".cpython-38.pyc") for path in files if path.suffix == ".py"]
    sizes[found.metadata["Name"]] = sum(path.stat().st_size for path in files if path.is_file())
print(json.dumps(sizes))
"""


def layers(client: DockerClient, image: str) -> list[tuple[str, int]]:
    """Layers from the lowest up: name of the added archive, and bytes on disk."""
    found = []
    for step in reversed(client.api.history(image)):
        added = re.search(r"ADD (\S+)\.tar", step["CreatedBy"])
        if added:
            found.append((added.group(1), int(step["Size"])))
    return found


def libraries(client: DockerClient, image: str) -> dict[str, int]:
    """Bytes on disk of each distribution in an image."""
    output = client.containers.run(image, ["python", "-c", _LIBRARIES], remove=True, network_mode="none")
    sizes: dict[str, int] = json.loads(output)
    return sizes


def table(heads: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    """A Markdown table; sizes are in MB of a million bytes."""
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def main() -> int:
    """0 when every image was measured, 1 when one is missing."""
    client = DockerClient.from_env()
    rows: list[tuple[Any, ...]] = []
    below: list[tuple[str, int]] = []
    try:
        for image in IMAGES:
            description = client.api.inspect_image(image)
            own = layers(client, image)
            for name, size in own[len(below) :]:
                rows.append((image.partition(":")[0], name, f"{size / MB:.1f}", f"{description['Size'] / MB:.0f}"))
            below = own
    except ImageNotFound as error:
        print(f"sizes: {error}. Build it first: ./pants package docker/0.23-1/extension:image", file=sys.stderr)
        return 1
    print(table(("image", "layer", "MB", "image in all, MB"), rows))
    sizes = sorted(libraries(client, IMAGES[-1]).items(), key=lambda item: -item[1])
    large = [(name, f"{size / MB:.1f}") for name, size in sizes if size >= SMALLEST_LIBRARY]
    rest = sum(size for _, size in sizes if size < SMALLEST_LIBRARY)
    rest_row = (f"{len(sizes) - len(large)} smaller ones", f"{rest / MB:.1f}")
    print("\n" + table(("library", "MB"), [*large, rest_row]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
