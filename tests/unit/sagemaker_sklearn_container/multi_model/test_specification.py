"""What a worker must know, on its way."""

from __future__ import annotations

import pytest

from sagemaker_sklearn_container.multi_model.specification import ModelSpecification
from sagemaker_sklearn_container.processes.channel import MAX_PACKET_BYTES


@pytest.mark.parametrize("name", ["one", "a/b", "\u00fc\u6a21\U0001f600", "\ud800", "\0\n", "x" * 10_000])
def test_it_arrives_as_it_was_sent(name: str) -> None:
    """M-04, M-05: whatever the text."""
    specification = ModelSpecification(name, f"/opt/ml/models/{name}/model", 2**34)
    assert ModelSpecification.unpacked(specification.packed()) == specification


@pytest.mark.parametrize("character", ["x", '"', "\x7f", "\u00e9", "\u6a21", "\U0001f600"])
def test_the_longest_fits_into_a_packet(character: str) -> None:
    """M-04, M-30: a request to load may have 64 KiB."""
    name = character * (64 * 1024 // len(character.encode("utf-8")) - 40)
    assert len(ModelSpecification(name, "/opt/ml/models/x", 2**40).packed()) + 64 < MAX_PACKET_BYTES
