"""Refuses to build on a parent image whose libraries are not those that the extension's were resolved with."""

import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Optional

PINS = Path("/checked/usr/local/share/sklearn-extension/parent-pins.txt")


def fault(name: str, wanted: str) -> Optional[str]:
    """What is wrong with one distribution of the parent image, and where; None when it is the pinned one."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return f"{name}: needs {wanted}, the parent image has none on {sys.path}"
    if found.version == wanted:
        return None
    return f"{name}: needs {wanted}, the parent image has {found.version} in {found.locate_file('')}"


def main() -> int:
    """0 when every pin holds, 1 with a line for each that does not."""
    pins = PINS.read_text(encoding="utf-8").split()
    faults = [text for text in (fault(*pin.split("==")) for pin in pins) if text]
    if faults:
        print(
            "The extension image cannot be built on this parent image:",
            *faults,
            "Build it on the final image of the same commit (FINAL_IMAGE=docker/0.23-1/final:image), or lock again.",
            sep="\n  ",
            file=sys.stderr,
        )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
