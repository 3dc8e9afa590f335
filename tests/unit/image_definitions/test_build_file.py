from __future__ import annotations

import pytest

from image_definitions.build_file import BuildFile

TEXT = """\
# About this file.

layer(
    name="a-layer",
    inputs=[":b"],
)

libraries_layer(name="b", requirements="x.in")

# Above the image.
docker_image(
    name="image",
    image_tags=[
        "1",
        # Above the second.
        "2",  # Beside it.
    ],
    dependencies=[":a-layer"],
)

docker_image(repository="unnamed")
"""
FILE = BuildFile.parse("docker/folder/BUILD", TEXT)


@pytest.mark.parametrize(
    ("name", "line"),
    [("a-layer", 3), ("image", 11), ("b", 8), ("b-wheels", 8), ("folder", 21), ("nothing", 0), ("", 0)],
)
def test_the_line_of_a_target(name: str, line: int) -> None:
    assert FILE.line_of_target(name) == line


def test_the_line_of_a_text_in_a_target() -> None:
    assert FILE.line_of_text("image", "2") == 16
    assert FILE.line_of_text("image", "docker/folder:a-layer", ":a-layer") == 18
    assert FILE.line_of_text("image", ":b") == 11, "is another target's"
    assert FILE.names("a-layer", ":b")
    assert not FILE.names("image", ":b")
    assert FILE.line_of_text("nothing", "2") == 0


def test_a_comment_speaks_of_its_line_or_the_next() -> None:
    assert [(comment.line, line) for comment, line in FILE.comments_of("image")] == [(10, 11), (15, 16), (16, 16)]
    assert FILE.comments_of("nothing") == []


@pytest.mark.parametrize("text", ["layer(", "\0", "x = 'é", "", "layer\n  (", "(" * 2000])
def test_a_file_that_is_no_python_is_known_nothing_of(text: str) -> None:
    assert BuildFile.parse("BUILD", text).line_of_target("x") == 0
