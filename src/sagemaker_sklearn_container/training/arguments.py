"""Hyperparameters as the command line of the user's program."""

from __future__ import annotations

from typing import Any, Mapping


def command_line(hyperparameters: Mapping[str, Any]) -> list[str]:
    """Two arguments per hyperparameter, option and value, sorted by name.

    Args:
        hyperparameters: Decoded values.

    Returns:
        Options are `--name`, or `-n` for one-letter names, or empty for the empty name. Values are strings as they are,
        other scalars and lists as Python's str() gives them, dicts as `k=v,k=v` sorted by key, null as empty string.

    Source: contract T-50.
    """
    return [item for name in sorted(hyperparameters) for item in (_option(name), _value(hyperparameters[name]))]


def _option(name: str) -> str:
    return ("--" if len(name) > 1 else "-" if name else "") + name


def _value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return ",".join(f"{key}={value[key]}" for key in sorted(value))
    return str(value)
