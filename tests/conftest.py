"""What all suites share."""

from __future__ import annotations

import pytest

# Cases and checks are written once and imported by several test modules; their assertions explain themselves, too.
pytest.register_assert_rewrite("tests.contract", "tests.image", "tests.support")
