"""What cases of the contract share."""

from __future__ import annotations

from typing import Iterator

import pytest

from tests.support.loopback import Bucket, s3_bucket


@pytest.fixture()
def bucket() -> Iterator[Bucket]:
    """An empty bucket."""
    with s3_bucket() as bucket:
        yield bucket
