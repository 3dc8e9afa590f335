"""Error classes under the names that scripts catch.

Source: contract U-40, U-42.
"""

from __future__ import annotations

from sagemaker_training.errors import (
    ChannelDoesNotExistError,
    ClientError,
    ExecuteUserScriptError,
    ImportModuleError,
    InstallModuleError,
    UnsupportedFormatError,
)

# The name this error has in the older package.
ChannelDoesNotExistException = ChannelDoesNotExistError

__all__ = [
    "ChannelDoesNotExistException",
    "ClientError",
    "ExecuteUserScriptError",
    "ImportModuleError",
    "InstallModuleError",
    "UnsupportedFormatError",
]
