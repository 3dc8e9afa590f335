"""The file that says what was published: which digest each name has, for what deploys by digest."""

from __future__ import annotations

import json
import os
from pathlib import Path

from image_push.reference import Reference


def note(path: Path, target: str, image_id: str, reference: Reference, digest: str) -> None:
    """Add a name and its digest to the record of an image; the file is replaced at once or not at all.

    Names of another image, from an earlier run, are dropped.

    Args:
        path: The record; made where there is none.
        target: Address of the image's target.
        image_id: `sha256:...`.
        reference: Where it was published.
        digest: Of the manifest that the registry serves there.

    Raises:
        OSError: the file cannot be written.
    """
    published = {**_published(path, image_id), str(reference): f"{reference.repository}@{digest}"}
    content = {"target": target, "image_id": image_id, "published": published}
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    new.replace(path)


def _published(path: Path, image_id: str) -> dict[str, str]:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        return dict(held["published"]) if held["image_id"] == image_id else {}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}
