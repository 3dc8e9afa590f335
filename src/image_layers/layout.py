"""Where things live in the images: as in the stock Python images, so that either can be the foundation."""

from __future__ import annotations

import sys
from pathlib import PurePosixPath

PREFIX = PurePosixPath("/usr/local")

# The tool runs on the interpreter that the images ship, so the directory names follow from it.
PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"
STDLIB = PREFIX / "lib" / PYTHON
SITE_PACKAGES = STDLIB / "site-packages"
INTERPRETER = PREFIX / "bin" / PYTHON
