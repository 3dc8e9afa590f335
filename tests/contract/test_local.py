"""The contract on this machine: every case, run with the package as it is in the tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.cases import *  # noqa: F403
from tests.support.local_platform import LocalPlatform
from tests.support.platform import Platform


@pytest.fixture()
def platform(tmp_path: Path) -> Platform:
    """The commands as processes of this interpreter."""
    return LocalPlatform(tmp_path)
