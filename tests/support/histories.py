"""Whether what clients saw of one name at the same time can be explained by some order of their operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence


@dataclass(frozen=True)
class Operation:
    """What a client did, and what it was answered.

    Attributes:
        name: Of the model.
        what: load, unload, invoke or describe.
        value: The url that was to be loaded, or that was seen.
        status: Of the answer.
        started: When, seconds.
        ended: When, seconds.
    """

    name: str
    what: str
    value: str
    status: int
    started: float
    ended: float


def explained(history: Sequence[Operation], left: str | None) -> bool:
    """Whether there is an order of operations on one name that leaves `left` loaded, and nothing if it is None.

    One that had ended before another began comes before it. A name is free at the beginning.
    """
    dead_ends: set[tuple[frozenset[int], str | None]] = set()

    def found(rest: frozenset[int], loaded: str | None) -> bool:
        if not rest:
            return loaded == left
        if (rest, loaded) in dead_ends:
            return False
        earliest_end = min(history[index].ended for index in rest)
        for index in rest:
            operation = history[index]
            if operation.started > earliest_end:
                continue
            possible, after = _apply(operation, loaded)
            if possible and found(rest - {index}, after):
                return True
        dead_ends.add((rest, loaded))
        return False

    return found(frozenset(range(len(history))), None)


def _apply(operation: Operation, loaded: str | None) -> tuple[bool, str | None]:
    """Whether the operation can have had its answer, and what is loaded after it."""
    what, status = operation.what, operation.status
    if what == "load":
        return (status == 200) == (loaded is None), loaded if status == 409 else operation.value
    if status == 503:  # it is on its way out
        return loaded is not None, loaded
    if status == 404:
        return loaded is None, loaded
    if what == "unload":
        return loaded is not None, None
    return loaded == operation.value, loaded
