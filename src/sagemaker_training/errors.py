"""Error classes under the names that scripts catch.

Source: contract U-40, U-42.
"""

from __future__ import annotations

from sagemaker_sklearn_container.errors import RequestError


class ClientError(Exception):
    """The user's code or data is at fault."""


class CalledProcessError(ClientError):
    """A command ended with an error.

    Attributes:
        cmd: The command, as text.
        return_code: Its exit code, None if it is not known.
        output: What it wrote, None if that was not kept.
    """

    def __init__(self, cmd: object, return_code: int | None = None, output: bytes | None = None) -> None:
        """An error for `cmd`; see the attributes."""
        self.cmd = cmd
        self.return_code = return_code
        self.output = output
        super().__init__()

    def __str__(self) -> str:
        output = (self.output or b"").decode("utf-8", errors="replace")
        return f'{type(self).__name__}:\nCommand "{self.cmd}"\n{output}'.strip()


class InstallModuleError(CalledProcessError):
    """Installing the user's module failed."""


class InstallRequirementsError(CalledProcessError):
    """Installing the user's requirements failed."""


class ExecuteUserScriptError(CalledProcessError):
    """The user's program failed."""


class ImportModuleError(ClientError):
    """Importing the user's module failed."""


class ChannelDoesNotExistError(Exception):
    """A channel was asked for that the job does not have."""

    def __init__(self, channel_name: str) -> None:
        """An error for the channel `channel_name`."""
        super().__init__(f"Channel {channel_name} is not a valid channel")


class UnsupportedFormatError(RequestError):
    """There is no encoder or decoder for a content type.

    Attributes:
        message: The text of the error.
        status: HTTP status that answers the request, if the error is raised while one is answered: 415 if the type is
            the request's, 406 if it is the answer's (S-40, S-41).
    """

    status = 415

    def __init__(self, content_type: str, status: int | None = None) -> None:
        """An error for `content_type`; without a status it is about the request's type."""
        self.message = (
            f"Content type {content_type} is not supported by this framework. Convert between bytes and arrays in the "
            "script's own input_fn and output_fn, or use application/json, text/csv or application/x-npy."
        )
        if status is not None:
            self.status = status
        super().__init__(self.message)
