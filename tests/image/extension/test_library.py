"""What the extension library does in the extension image; `library.py` beside this file says what it must do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict, Optional

import pytest

from tests.image.extension import library
from tests.support.engine import Image, image_of

Outcomes = Dict[str, Optional[str]]


@pytest.fixture(scope="module")
def outcomes() -> Outcomes:
    """How each check ended; all run in one container."""
    image: Image = image_of("docker/0.23-1/extension:image")
    # As text: a folder of this machine's need not be one that the engine can mount.
    program = Path(library.__file__).read_text(encoding="utf-8")
    found: Outcomes = json.loads(image.python(program).splitlines()[-1])
    return found


@pytest.mark.parametrize("check", sorted(library.CHECKS))
def test_library(outcomes: Outcomes, check: str) -> None:
    """L-14, A-07: each estimator fits, transforms, and does so again as a clone and from a pickle; see the checks."""
    assert outcomes[check] is None, outcomes[check]
