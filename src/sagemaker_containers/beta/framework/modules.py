"""Importing the user's code from an address.

Source: contract U-40.
"""

from __future__ import annotations

from sagemaker_training.modules import (
    DEFAULT_MODULE_NAME,
    download_and_install,
    exists,
    has_requirements,
    import_module,
    install,
    prepare,
    run,
    run_module,
    s3_download,
)

__all__ = [
    "DEFAULT_MODULE_NAME",
    "download_and_install",
    "exists",
    "has_requirements",
    "import_module",
    "install",
    "prepare",
    "run",
    "run_module",
    "s3_download",
]
