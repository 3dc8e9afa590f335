"""With what a function of the script is called."""

from __future__ import annotations

import functools
import math
from typing import Any, Callable

import numpy as np
import pytest

from sagemaker_sklearn_container.errors import UserModuleError
from sagemaker_sklearn_container.user_code import signatures

ARGUMENTS = ("data", "model")


def _wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return ("wrapped", *function(*args, **kwargs))

    return wrapper


def _narrowed(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(data: Any, model: Any) -> Any:
        return function(data, model, "own")

    return wrapper


class Callable3:
    """An object with three parameters beside itself."""

    def __call__(self, data: Any, model: Any, context: Any) -> Any:
        return data, model, context

    def method(self, data: Any, model: Any) -> Any:
        """A method without context."""
        return data, model


def _keyword_only(data: Any, model: Any, *, context: Any) -> Any:
    return data, model, context


def _positional_only(data: Any, model: Any, other: Any, /) -> Any:
    return data, model, other


@pytest.mark.parametrize(
    ("function", "result"),
    [
        (lambda data, model: (data, model), (1, 2)),
        (lambda a, b, anything: (a, b, anything), (1, 2, "C")),
        (lambda data, model, context=None: (data, model, context), (1, 2, "C")),
        (lambda data, model, ctx=None: (data, model, ctx), (1, 2, "C")),
        (lambda data, model, device="cpu": (data, model, device), (1, 2, "cpu")),
        (lambda data, model, device="cpu", context=None: (data, model, device, context), (1, 2, "cpu", "C")),
        (lambda data, model=None: (data, model), (1, 2)),
        (lambda *args: args, (1, 2)),
        (lambda data, *rest: (data, rest), (1, (2,))),
        (lambda *args, **kwargs: (args, kwargs), ((1, 2), {})),
        (lambda *args, context: (args, context), ((1, 2), "C")),
        (lambda data, model, *, context=None, other=3: (data, model, context, other), (1, 2, "C", 3)),
        (_keyword_only, (1, 2, "C")),
        (_positional_only, (1, 2, "C")),
        (functools.partial(lambda a, data, model: (a, data, model), "a"), ("a", 1, 2)),
        (functools.partial(lambda a, data, model, context: (a, data, context), "a"), ("a", 1, "C")),
        (functools.partial(lambda data, model, context: (data, model, context), context="own"), (1, 2, "C")),
        (functools.partial(lambda data, model, device: (data, model, device), device="own"), (1, 2, "own")),
        (_wrapped(lambda data, model: (data, model)), ("wrapped", 1, 2)),
        (_wrapped(lambda data, model, context: (data, model, context)), ("wrapped", 1, 2, "C")),
        (_wrapped(lambda data, model, any_name: (data, model, any_name)), ("wrapped", 1, 2, "C")),
        (_narrowed(lambda data, model, context: (data, model, context)), (1, 2, "own")),
        (Callable3(), (1, 2, "C")),
        (Callable3().method, (1, 2)),
        (math.copysign, 1.0),
        (max, 2),  # tells no signature
        (np.add, 3),  # nor does this
    ],
)
def test_arguments_that_a_function_takes(function: Callable[..., Any], result: Any) -> None:
    """U-26: n arguments if it takes n, n + 1 if it takes n + 1."""
    assert signatures.adapt(function, "predict_fn", ARGUMENTS).run((1, 2), "C") == result


@pytest.mark.parametrize(
    ("function", "shown"),
    [
        (lambda data: None, r"predict_fn\(data\);"),
        (lambda: None, r"predict_fn\(\);"),
        (lambda a, b, c, d: None, r"predict_fn\(a, b, c, d\);"),
        (lambda data, model, *, device: None, r"predict_fn\(data, model, \*, device\);"),
        (math.sqrt, r"predict_fn\(x, /\);"),
    ],
)
def test_other_functions_are_refused_before_any_request(function: Callable[..., Any], shown: str) -> None:
    """U-26."""
    with pytest.raises(UserModuleError, match=rf"defines {shown} the container calls .*\(data, model, context\) if it"):
        signatures.adapt(function, "predict_fn", ARGUMENTS)


def test_errors_inside_the_function_are_its_own() -> None:
    """S-44: a TypeError of the script is not taken for a wrong signature."""

    def function(data: Any, model: Any) -> Any:
        raise TypeError("inside")

    with pytest.raises(TypeError, match="^inside$"):
        signatures.adapt(function, "predict_fn", ARGUMENTS).run((1, 2), "C")
