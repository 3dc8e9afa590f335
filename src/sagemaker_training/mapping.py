"""Dictionaries as environment variables and command lines, and objects as dictionaries.

Source: contract U-40, T-50, T-70 to T-86.
"""

from __future__ import annotations

import json
from typing import Any, Collection, Iterator, Mapping, NamedTuple

from sagemaker_sklearn_container.training.arguments import command_line


class SplitResultSpec(NamedTuple):
    """A dictionary in two parts: what a criterion includes, and the rest."""

    included: dict[str, Any]
    excluded: dict[str, Any]


def to_env_vars(mapping: Mapping[Any, Any]) -> dict[str, str]:
    """One environment variable per entry: `SM_` and the key in upper case.

    Args:
        mapping: Bytes in it are read as Latin-1.

    Returns:
        Strings are raw, None is empty, everything else compact JSON with sorted keys in ASCII. An empty key stays
        empty.
    """
    return {f"SM_{str(key).upper()}" if key else "": _variable(value) for key, value in mapping.items()}


def to_cmd_args(mapping: Mapping[Any, Any]) -> list[str]:
    """Option and value per entry, sorted by key, in the way hyperparameters reach a program.

    Args:
        mapping: Bytes in it are read as Latin-1.

    Source: contract T-50.
    """
    return command_line({str(_text(key)): _text(value) for key, value in mapping.items()})


def split_by_criteria(
    dictionary: Mapping[str, Any], keys: Collection[str] | None = None, prefix: str | None = None
) -> SplitResultSpec:
    """The entries of `dictionary` whose key is one of `keys` or starts with `prefix`, and the others."""
    wanted = {key for key in dictionary if key in (keys or ()) or (prefix and key.startswith(prefix))}
    return SplitResultSpec(
        included={key: value for key, value in dictionary.items() if key in wanted},
        excluded={key: value for key, value in dictionary.items() if key not in wanted},
    )


class MappingMixin(Mapping[str, Any]):
    """An object whose public properties can also be read as the entries of a dictionary."""

    def properties(self) -> list[str]:
        """Names of the entries, sorted."""
        return sorted(name for name in dir(type(self)) if isinstance(getattr(type(self), name), property))

    def __getitem__(self, name: str) -> Any:
        if name not in self.properties():
            raise KeyError(f"There is no entry {name!r}; there are: {', '.join(self.properties())}.")
        return getattr(self, name)

    def __len__(self) -> int:
        return len(self.properties())

    def __iter__(self) -> Iterator[str]:
        return iter(self.properties())

    def __str__(self) -> str:
        return str(dict(self))


def _text(value: Any) -> Any:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _variable(value: Any) -> str:
    text = _text(value)
    if text is None:
        return ""
    return text if isinstance(text, str) else json.dumps(text, sort_keys=True, separators=(",", ":"))
