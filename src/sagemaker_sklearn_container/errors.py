"""Error classes of the container.

Start-up errors carry an exit code, request errors an HTTP status; both are set once, on the class. The text of an error
is written for the user: what was being done, the value seen, what is allowed, the next step.
"""

from __future__ import annotations


class ContainerError(Exception):
    """Any failure that the container itself detects.

    Attributes:
        exit_code: Exit status of `train` or `serve` when the error ends the command.
    """

    exit_code = 1


class ConfigurationError(ContainerError):
    """A variable or configuration file has a value the container cannot work with."""


class CodeSourceError(ContainerError):
    """The user's code could not be fetched, unpacked or found."""


class InstallError(ContainerError):
    """The packages that the user's code asks for could not be installed (T-47, U-05)."""


class HostsError(ContainerError):
    """Another host of the job did not come up in time (T-29)."""


class UserModuleError(ContainerError):
    """The user's module lacks something the container needs from it."""


class ModelLoadError(ContainerError, NotImplementedError):
    """There is no model that the default model_fn could load (U-20).

    A NotImplementedError too, since scripts and tests know the default model_fn to raise that (U-45).
    """


class ListenError(ContainerError):
    """The server's port cannot be opened (S-01)."""


class RequestError(ContainerError):
    """A request that cannot be answered with a prediction.

    Attributes:
        status: HTTP status code of the answer.
        has_frames: Whether the log is to show where it was raised even if the status says that the client is at fault.
    """

    status = 500
    has_frames = False

    @property
    def kind(self) -> str:
        """What the client is told it is."""
        return type(self).__name__


class DecodeError(RequestError):
    """The request body is not what its content type promises (S-42)."""

    status = 400


class MalformedRequestError(RequestError):
    """What came in is not HTTP as RFC 9112 has it."""

    status = 400


class NotFoundError(RequestError):
    """No such path (S-21)."""

    status = 404


class MethodNotAllowedError(RequestError):
    """The path exists, the method does not (S-21)."""

    status = 405


class UnsupportedAcceptError(RequestError):
    """The default output_fn cannot produce any accepted media type (S-41)."""

    status = 406


class PayloadTooLargeError(RequestError):
    """The request body is longer than the configured limit (S-47)."""

    status = 413


class UnsupportedContentTypeError(RequestError):
    """The default input_fn cannot read the content type (S-40)."""

    status = 415


class HeadersTooLargeError(RequestError):
    """The request line and headers are longer, or more, than the server takes."""

    status = 431


class WorkerLostError(RequestError):
    """The worker process ended in the middle of the request (S-46)."""

    status = 502


class OverloadedError(RequestError):
    """Too many requests wait for a worker (S-48)."""

    status = 503


class RequestTimeoutError(RequestError):
    """The request has used up its time (S-10, S-45)."""

    status = 504


class EncodeError(RequestError):
    """A prediction has no representation in the accepted media type."""


class ResultError(RequestError):
    """A user function returned something that is not an answer (U-28, U-31)."""


class StatedError(RequestError):
    """What a function of the script raised, which says its status itself."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        """An error of a class called `kind`."""
        super().__init__(message)
        self.status = status
        self._kind = kind

    @property
    def kind(self) -> str:
        return self._kind


class RefusedDataError(RequestError):
    """A function of the script raised an exception over the request's data (S-42)."""

    status = 400
    has_frames = True


class RefusedResultError(RequestError):
    """A function of the script cannot write its result in the accepted type (S-41)."""

    status = 406
    has_frames = True
