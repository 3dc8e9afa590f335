"""Reading, writing and fetching files.

Source: contract U-40.
"""

from __future__ import annotations

from sagemaker_training.files import (
    download_and_extract,
    read_file,
    read_json,
    s3_download,
    tmpdir,
    write_failure_file,
    write_file,
    write_success_file,
)

__all__ = [
    "download_and_extract",
    "read_file",
    "read_json",
    "s3_download",
    "tmpdir",
    "write_failure_file",
    "write_file",
    "write_success_file",
]
