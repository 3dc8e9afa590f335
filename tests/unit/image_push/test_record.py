"""The record of what was published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from image_push.record import note
from image_push.reference import Reference

FIRST, SECOND = Reference("host:5000/x", "1"), Reference("host:5000/x", "2")


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_names_of_one_image_are_gathered(tmp_path: Path) -> None:
    path = tmp_path / "dist" / "x.json"
    note(path, "some:image", "sha256:a", FIRST, "sha256:m")
    note(path, "some:image", "sha256:a", SECOND, "sha256:m")
    assert read(path)["published"] == {"host:5000/x:1": "host:5000/x@sha256:m", "host:5000/x:2": "host:5000/x@sha256:m"}
    assert list(path.parent.iterdir()) == [path]


def test_another_image_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    note(path, "some:image", "sha256:a", FIRST, "sha256:m")
    note(path, "some:image", "sha256:b", SECOND, "sha256:n")
    assert read(path) == {
        "target": "some:image",
        "image_id": "sha256:b",
        "published": {"host:5000/x:2": "host:5000/x@sha256:n"},
    }


@pytest.mark.parametrize(
    "damaged", ["", "{", "[]", '{"image_id": "sha256:a"}', '{"image_id": "sha256:a", "published": 1}']
)
def test_a_damaged_record_is_replaced(tmp_path: Path, damaged: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(damaged, encoding="utf-8")
    note(path, "some:image", "sha256:a", FIRST, "sha256:m")
    assert read(path)["published"] == {"host:5000/x:1": "host:5000/x@sha256:m"}
