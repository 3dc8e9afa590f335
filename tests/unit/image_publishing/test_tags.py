"""Which texts are tags, and which are made tags."""

from __future__ import annotations

import pytest

from image_publishing.tags import TagError, check, made_of


@pytest.mark.parametrize("tag", ["1", "0.23-1-cpu-py3", "_", "V1.0", "a" * 128])
def test_every_tag_passes(tag: str) -> None:
    check(tag, "somewhere")


@pytest.mark.parametrize("tag", ["", ".1", "-1", "a/b", "a b", "a+b", "a:b", "ä", "a" * 129, "a\n"])
def test_no_other_text_does(tag: str) -> None:
    with pytest.raises(TagError, match="somewhere gives"):
        check(tag, "somewhere")


@pytest.mark.parametrize(
    ("text", "tag"),
    [("main", "main"), ("feature/x", "feature-x"), ("v1.0+build.5", "v1.0-build.5"), ("-.x", "x"), ("a//ü/b", "a-b")],
)
def test_names_of_gits_become_tags(text: str, tag: str) -> None:
    assert made_of(text) == tag
    check(tag, "here")
