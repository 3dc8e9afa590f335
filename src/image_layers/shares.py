"""Splits one resolve into a lock for each image: what the image adds to those below it.

One resolve, so that images cannot disagree; a lock each, so that a changed pin reaches the images that have it and no
others. Following the `# via` comments from an image's list gives its share.
"""

from __future__ import annotations

from pathlib import Path
from typing import Iterable, Mapping, Sequence

from packaging.utils import NormalizedName

from image_layers.lock import Pin, blocks, read_lock


def share_of(pins: Mapping[NormalizedName, Pin], lists: Iterable[Path]) -> set[NormalizedName]:
    """The distributions that the given image lists need, their dependencies included."""
    reached: set[str] = {_asker(path) for path in lists}
    share: set[NormalizedName] = set()
    while True:
        further = {pin.name for pin in pins.values() if pin.via & reached} - share
        if not further:
            return share
        share |= further
        reached |= further


def split(resolved: Path, lists: Sequence[Path]) -> list[str]:
    """The text of each image's lock.

    Args:
        resolved: Lock of all images together.
        lists: Requirements list of each image, the lowest first.

    Returns:
        A lock for each list, without what those before it have. Of who asked for a pin it names this image and those
        below: what a later image asks for is no matter of this one's.
    """
    pins = read_lock(resolved)
    text_of = dict(zip(pins, blocks(resolved.read_text(encoding="utf-8"))))
    texts = []
    below: set[NormalizedName] = set()
    for count in range(1, len(lists) + 1):
        here = share_of(pins, lists[:count])
        askers = {*here, *(_asker(path) for path in lists[:count])}
        texts.append("".join(_written(text_of[name], pins[name].via & askers) for name in pins if name in here - below))
        below = here
    return texts


def _written(block: Iterable[str], askers: Iterable[str]) -> str:
    lines = [line for line in block if not line.lstrip().startswith("#")]
    return "".join(f"{line}\n" for line in [*lines, "    # via", *(f"    #   {asker}" for asker in sorted(askers))])


def _asker(path: Path) -> str:
    return f"-r {path.name}"
