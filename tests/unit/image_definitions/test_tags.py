from __future__ import annotations

from image_definitions.tags import Tag, shared

ONE = Tag("docker/one:image", "a:1", "docker/one/BUILD", 4)
TWO = Tag("docker/two:image", "a:1", "docker/two/BUILD", 9)
OTHER = Tag("docker/two:image", "a:2", "docker/two/BUILD", 10)


def test_a_tag_of_two_images_names_both_with_their_lines() -> None:
    (found,) = shared([TWO, OTHER, ONE], ["docker/one:image"])
    assert str(found) == (
        "docker/one/BUILD:4: shared-tag: a:1 is a tag of docker/one:image and of docker/two:image "
        "(docker/two/BUILD:9): it would name the one that was built last. Give one of them another `repository` or "
        "other `image_tags`."
    )


def test_each_image_that_is_looked_at_is_reported() -> None:
    found = shared([ONE, TWO, OTHER], ["docker/one:image", "docker/two:image"])
    assert [(each.path, each.line) for each in found] == [("docker/one/BUILD", 4), ("docker/two/BUILD", 9)]


def test_a_tag_of_one_image_is_no_fault() -> None:
    assert shared([ONE, OTHER], ["docker/one:image", "docker/two:image"]) == []
    assert shared([ONE, ONE], ["docker/one:image"]) == []
