"""Error classes under the names that scripts raise and catch.

Source: contract U-44.
"""

from __future__ import annotations

from sagemaker_sklearn_container.errors import RequestError
from sagemaker_training.errors import UnsupportedFormatError

__all__ = ["BaseInferenceToolkitError", "GenericInferenceToolkitError", "UnsupportedFormatError"]


class BaseInferenceToolkitError(RequestError):
    """A request that a function of the script refuses with a status of its choice.

    Attributes:
        status_code, status: HTTP status code of the answer.
        message: Text of the answer.
        phrase: Has no meaning here: the reason phrase is always HTTP's own.

    Source: contract U-44, S-44.
    """

    def __init__(self, status_code: int, message: str | None, phrase: str | None) -> None:
        """An error; see the attributes."""
        self.status_code = self.status = int(status_code)
        self.message = message
        self.phrase = phrase
        super().__init__(status_code, message, phrase)

    def __str__(self) -> str:
        return str(self.message)


class GenericInferenceToolkitError(BaseInferenceToolkitError):
    """The same with a default text."""

    def __init__(self, status_code: int, message: str | None = None, phrase: str | None = None) -> None:
        """An error with the given status."""
        text = message or "Invalid Request"
        super().__init__(status_code, text, phrase or text)
