"""What the Autopilot cases share."""

from __future__ import annotations

import pytest

from tests.contract.fixtures import bucket
from tests.support.autopilot import Candidates

__all__ = ["bucket", "candidates"]


@pytest.fixture(scope="session")
def candidates() -> Candidates:
    """Trained processors, and what is right for them."""
    return Candidates()
