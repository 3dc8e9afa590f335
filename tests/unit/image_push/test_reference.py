"""Names of images at registries."""

from __future__ import annotations

import pytest

from image_push.reference import Reference


@pytest.mark.parametrize(
    ("text", "registry", "path", "tag"),
    [
        ("127.0.0.1:5000/some/where:1", "127.0.0.1:5000", "some/where", "1"),
        (
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sklearn-base:0.23-1-cpu-py3",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
            "sklearn-base",
            "0.23-1-cpu-py3",
        ),
        ("public.ecr.aws/alias/x:v1.0_a", "public.ecr.aws", "alias/x", "v1.0_a"),
    ],
)
def test_a_name_has_three_parts(text: str, registry: str, path: str, tag: str) -> None:
    reference = Reference.parse(text)
    assert (reference.registry, reference.path, reference.tag) == (registry, path, tag)
    assert str(reference) == text


@pytest.mark.parametrize("text", ["", "image:1", "127.0.0.1:5000/untagged", "host/image:", "host/image"])
def test_a_name_that_lacks_one_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="REGISTRY/REPOSITORY:TAG"):
        Reference.parse(text)
