"""Names of the retired packages that stay importable, though what they did is the container's own business now.

Source: contract U-40.
"""

from __future__ import annotations

from typing import Any, Callable, NoReturn


class NotAvailableError(NotImplementedError):
    """A function of the retired packages was called that this container does not offer (U-40)."""


def refusal(name: str, instead: str) -> NotAvailableError:
    """The error for a call of `name`.

    Args:
        name: Module and name, as scripts write them.
        instead: The next step for the caller, a sentence without its full stop.
    """
    return NotAvailableError(f"{name} was called. It can be imported, but this container does not offer it. {instead}.")


def function(name: str, instead: str) -> Callable[..., NoReturn]:
    """A function that takes whatever it is given and raises the error for a call of `name`.

    Args:
        name: Module and name, as scripts write them.
        instead: The next step for the caller, a sentence without its full stop.
    """

    def refuse(*_args: Any, **_kwargs: Any) -> NoReturn:
        raise refusal(name, instead)

    refuse.__doc__ = f"Raises NotAvailableError. {instead}."
    return refuse
