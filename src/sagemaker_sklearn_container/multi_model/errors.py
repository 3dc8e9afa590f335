"""What can be wrong with a request about models; each class has its status."""

from __future__ import annotations

from sagemaker_sklearn_container.errors import RequestError, StatedError


class BadRequestError(RequestError):
    """The request lacks something, or something in it is not allowed (M-10, M-11, M-19)."""

    status = 400


class ModelNotFoundError(RequestError):
    """No such model is loaded (M-14 to M-16)."""

    status = 404


class ModelDirectoryError(RequestError):
    """The directory of the model is not there (M-09)."""

    status = 404


class ModelConflictError(RequestError):
    """The name is taken (M-06)."""

    status = 409


class ModelUnavailableError(RequestError):
    """The model has no worker, or is being unloaded (M-18)."""

    status = 503


class LoadTimeoutError(RequestError):
    """The model was not loaded in time."""

    status = 504


class OutOfMemoryError(RequestError):
    """There is no memory for the model; the platform unloads another one and asks again (M-07)."""

    status = 507


class ServerFaultError(RequestError):
    """Something that the server did not think of; the log says what (M-30)."""


class LoadFailedError(StatedError):
    """The user's code could not load the model: what a worker has reported (M-08)."""
