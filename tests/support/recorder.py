"""A user program that tells what it was given."""

from __future__ import annotations

import json
from typing import Any

from tests.support.platform import TrainingResult

# Writes what it was given to the model directory.
RECORDER = """
import json, os, sys
with open(os.path.join(os.environ["SM_MODEL_DIR"], "seen.json"), "w") as f:
    json.dump({"argv": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd(), "path": sys.path}, f)
"""


def seen_by(result: TrainingResult) -> Any:
    """What `RECORDER` wrote: an object with argv, env, cwd and path."""
    assert result.exit_code == 0, f"{result.failure}\n{result.stderr.decode(errors='replace')}"
    return json.loads((result.model_dir / "seen.json").read_text())
