"""The end of a request that takes too long."""

from __future__ import annotations


class InvocationTimeout(SystemExit):
    """Raised inside a request that has used up its time (status 504).

    A SystemExit, so that `except Exception` in user code does not swallow it, and a worker it is not raised for ends.

    Source: contract S-10, S-45.
    """

    status = 504
