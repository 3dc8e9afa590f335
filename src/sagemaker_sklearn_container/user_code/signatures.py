"""How a function of the script is called: with the container's arguments alone, or with the context as well."""

from __future__ import annotations

import inspect
from typing import Any, Callable, NamedTuple, Sequence

from sagemaker_sklearn_container.errors import UserModuleError


class Call(NamedTuple):
    """A way to call a function.

    Attributes:
        run: Takes the arguments and the context, and passes on what the function takes.
        takes_context: Whether that includes the context.
    """

    run: Callable[[Sequence[Any], Any], Any]
    takes_context: bool


# What scripts call the parameter, where its name decides.
_CONTEXT_NAMES = ("context", "ctx")


def adapt(function: Callable[..., Any], name: str, arguments: Sequence[str]) -> Call:
    """The way to call `function`.

    The context is passed to a parameter of the name `context` or `ctx`, else to one more required positional parameter.
    A parameter of another name that has a default keeps it, and `*args` gets no context. A function that does not tell
    its parameters, as some written in C, is called with the arguments alone.

    Args:
        function: Any callable.
        name: Of the function in the script, for errors.
        arguments: Names of the arguments that the container has for it.

    Raises:
        UserModuleError: the function takes neither the arguments nor the arguments and a context.

    Source: contract U-26.
    """
    try:
        # What a decorator wraps says what is wanted; the decorator itself says what can be passed.
        wanted = inspect.signature(function)
        accepted = inspect.signature(function, follow_wrapped=False)
    except (ValueError, TypeError):
        return _plain(function)
    count = len(arguments)
    for keyword in _CONTEXT_NAMES:
        if _names(wanted, count, keyword) and _binds(accepted, count, keyword):
            return _by_keyword(function, keyword)
    if not _binds(wanted, count) and _binds(wanted, count + 1) and _binds(accepted, count + 1):
        return Call(lambda values, context: function(*values, context), takes_context=True)
    if _binds(accepted, count):
        return _plain(function)
    raise UserModuleError(
        f"The script defines {name}{wanted}; the container calls {name}({', '.join(arguments)}), or "
        f"{name}({', '.join([*arguments, 'context'])}) if it takes one more. Give it these parameters, and any others "
        "a default."
    )


def _plain(function: Callable[..., Any]) -> Call:
    return Call(lambda values, context: function(*values), takes_context=False)


def _by_keyword(function: Callable[..., Any], keyword: str) -> Call:
    return Call(lambda values, context: function(*values, **{keyword: context}), takes_context=True)


def _names(signature: inspect.Signature, count: int, keyword: str) -> bool:
    """Whether a parameter after the first `count` has the name `keyword` and can be given by it."""
    return keyword in signature.parameters and _binds(signature, count, keyword)


def _binds(signature: inspect.Signature, count: int, *keywords: str) -> bool:
    try:
        signature.bind(*[None] * count, **dict.fromkeys(keywords))
    except TypeError:
        return False
    return True
