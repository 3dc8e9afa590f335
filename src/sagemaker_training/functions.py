"""Calling functions with the arguments they name, and naming the errors they raise.

Source: contract U-40.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any, Callable, Mapping, NamedTuple, TypeVar

from sagemaker_training.mapping import split_by_criteria

_Result = TypeVar("_Result")


class ArgSpec(NamedTuple):
    """Names and defaults of a function's arguments, keyword-only ones left out."""

    args: list[str]
    varargs: str | None
    keywords: str | None
    defaults: tuple[Any, ...] | None


def getargspec(fn: Callable[..., Any]) -> ArgSpec:
    """The arguments of `fn`."""
    spec = inspect.getfullargspec(fn)
    return ArgSpec(spec.args, spec.varargs, spec.varkw, spec.defaults)


def matching_args(fn: Callable[..., Any], dictionary: Mapping[str, Any]) -> Mapping[str, Any]:
    """The entries of `dictionary` that `fn` names as arguments; all of them if it takes any keyword."""
    spec = getargspec(fn)
    return dictionary if spec.keywords else split_by_criteria(dictionary, spec.args).included


def error_wrapper(fn: Callable[..., _Result], error_class: Callable[[Exception], Exception]) -> Callable[..., _Result]:
    """`fn`, with every exception it raises turned into an `error_class` made from that exception."""

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> _Result:
        try:
            return fn(*args, **kwargs)
        except Exception as exc:
            raise error_class(exc) from exc

    return wrapper
