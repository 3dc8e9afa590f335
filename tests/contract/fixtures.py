"""What cases of the contract share."""

from __future__ import annotations

from typing import Iterator

import pytest

from tests.support.loopback import Bucket, s3_bucket
from tests.support.many_models import Models, serve_many
from tests.support.platform import Platform


@pytest.fixture()
def bucket() -> Iterator[Bucket]:
    """An empty bucket."""
    with s3_bucket() as bucket:
        yield bucket


@pytest.fixture()
def many(platform: Platform) -> Iterator[Models]:
    """A server without models, whose script has models and bodies say what to do."""
    with serve_many(platform) as many:
        yield many
