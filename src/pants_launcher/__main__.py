"""Runs the launcher. The interpreter that the `pants` script starts is isolated, so this finds the package itself."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from pants_launcher.main import main  # noqa: E402 (the line above makes the package importable)

sys.exit(main(sys.argv[1:], dict(os.environ)))
