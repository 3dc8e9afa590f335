"""The labels of an image, from what is known of its build."""

from __future__ import annotations

import pytest

from incremental_docker.labels import base_of, labels_of

DIGEST = "sha256:0123"


@pytest.mark.parametrize(
    ("dockerfile", "base"),
    [
        ("FROM scratch\n", "scratch"),
        ("ARG BASE=some:1\nFROM ${BASE}\nENV A=b\n", "built/parent:1"),
        ("ARG BASE\nFROM $BASE AS checked\nRUN true\nFROM --platform=linux/amd64 ${BASE}\n", "built/parent:1"),
        ("FROM first:1 AS one\n  from second:2@sha256:ab\nCOPY --from=one / /\n", "second:2@sha256:ab"),
        ("# FROM other:1\nFROM ${UNKNOWN}\n", "${UNKNOWN}"),
        ("", ""),
    ],
)
def test_the_base_is_what_the_last_stage_starts_from(dockerfile: str, base: str) -> None:
    assert base_of(dockerfile, {"BASE": "built/parent:1"}) == base


def test_an_image_on_one_that_was_built_names_it_and_its_id() -> None:
    labels = labels_of("lib/child", ("1.0", "latest"), "c0ffee", "MIT AND PSF-2.0", "parent:1", {"parent:1": DIGEST})
    assert labels == {
        "org.opencontainers.image.title": "lib/child",
        "org.opencontainers.image.version": "1.0",
        "org.opencontainers.image.revision": "c0ffee",
        "org.opencontainers.image.licenses": "MIT AND PSF-2.0",
        "org.opencontainers.image.base.name": "parent:1",
        "org.opencontainers.image.base.digest": DIGEST,
    }


def test_a_stock_base_is_named_with_its_digest() -> None:
    labels = labels_of("child", ("1",), "c0ffee", None, f"stock:3@{DIGEST}", {"parent:1": "sha256:other"})
    assert labels["org.opencontainers.image.base.name"] == "stock:3"
    assert labels["org.opencontainers.image.base.digest"] == DIGEST


@pytest.mark.parametrize("base", ["scratch", "stage", ""])
def test_what_is_not_known_has_no_label(base: str) -> None:
    labels = labels_of("child", ("1",), None, None, base, {"parent:1": DIGEST})
    assert labels == {"org.opencontainers.image.title": "child", "org.opencontainers.image.version": "1"}
