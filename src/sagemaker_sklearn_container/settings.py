"""Reading single values out of the environment: unset and empty are the same, bad values name the variable."""

from __future__ import annotations

from pathlib import Path
from typing import Mapping

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.errors import ConfigurationError

TRUE_WORDS = frozenset({"1", "true", "t", "yes", "y", "on"})
FALSE_WORDS = frozenset({"0", "false", "f", "no", "n", "off"})


def text(environ: Mapping[str, str], *names: str) -> str | None:
    """The first non-empty value among the variables `names`, or None.

    Source: contract K-07 (empty strings mean unset).
    """
    return next((environ[name] for name in names if environ.get(name)), None)


def integer(environ: Mapping[str, str], name: str, default: int, lowest: int = 0, highest: int | None = None) -> int:
    """The whole number in variable `name`.

    Raises:
        ConfigurationError: the value is no whole number between `lowest` and `highest`, both included.
    """
    value = text(environ, name)
    if value is None:
        return default
    return whole_number(value, f"The environment variable {name}", lowest, highest)


def whole_number(value: object, what: str, lowest: int = 0, highest: int | None = None) -> int:
    """`value` as a whole number.

    Args:
        value: Text or number, as it came in.
        what: Begins the error message: where the value came from.

    Raises:
        ConfigurationError: the value is no whole number between `lowest` and `highest`, both included.
    """
    allowed = f"a whole number of at least {lowest}" + ("" if highest is None else f" and at most {highest}")
    try:
        number = int(str(value))
    except ValueError:
        number = lowest - 1
    if number < lowest or (highest is not None and number > highest):
        raise ConfigurationError(f"{what} is {value!r}; it must be {allowed}. Correct or unset it.")
    return number


def boolean(environ: Mapping[str, str], name: str) -> bool:
    """Whether variable `name` says yes; unset says no.

    Raises:
        ConfigurationError: the value is none of the words for yes and no.

    Source: contract S-02.
    """
    value = text(environ, name)
    if value is None or value.strip().lower() in FALSE_WORDS:
        return False
    if value.strip().lower() in TRUE_WORDS:
        return True
    words = ", ".join(sorted(TRUE_WORDS | FALSE_WORDS))
    raise ConfigurationError(f"The environment variable {name} is {value!r}; it must be one of: {words}.")


def paths(environ: Mapping[str, str]) -> contract.Paths:
    """The platform's paths below the configured base directory.

    Source: contract T-30.
    """
    return contract.Paths(Path(text(environ, contract.BASE_DIR) or contract.DEFAULT_BASE_DIR))
