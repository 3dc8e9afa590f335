"""What ends the command, with its exit code."""

from __future__ import annotations

from pathlib import Path

from sagemaker_sklearn_container.errors import ContainerError


class InputError(ContainerError):
    """The package or the data cannot be used; nothing was run."""

    exit_code = 2


class StepError(ContainerError):
    """A step of the candidate failed.

    Attributes:
        step: Its name in the table.
        log: Where its processes wrote to; None if it has none.
    """

    exit_code = 1

    def __init__(self, step: str, reason: str, log: Path | None = None) -> None:
        """What failed, why, and where more is said."""
        super().__init__(reason)
        self.step = step
        self.log = log


class Interrupted(BaseException):
    """A signal asked the command to end; what it started is ended on the way out.

    Attributes:
        number: Of the signal.
    """

    def __init__(self, number: int) -> None:
        """By which signal."""
        super().__init__(number)
        self.number = number
