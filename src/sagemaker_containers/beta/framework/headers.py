"""The headers of an answer.

Source: contract U-41.
"""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Mapping


class Headers:
    """Names and values in order; names are found in any case, and may occur more than once.

    Iteration gives (name, value) pairs, as scripts know it from Flask.
    """

    def __init__(self, defaults: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        """Headers from a dictionary or from pairs."""
        self._pairs: list[tuple[str, str]] = []
        self.extend(defaults or ())

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(list(self._pairs))

    def __len__(self) -> int:
        return len(self._pairs)

    def __contains__(self, name: str) -> bool:
        return bool(self.getlist(name))

    def __getitem__(self, name: str) -> str:
        values = self.getlist(name)
        if not values:
            raise KeyError(name)
        return values[0]

    def __setitem__(self, name: str, value: Any) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        self._pairs = [pair for pair in self._pairs if not _same(name, pair[0])]

    def __repr__(self) -> str:
        return f"Headers({self._pairs!r})"

    def get(self, name: str, default: Any = None) -> Any:
        """The first value of `name`, or `default`."""
        return next(iter(self.getlist(name)), default)

    def getlist(self, name: str) -> list[str]:
        """All values of `name`."""
        return [value for known, value in self._pairs if _same(name, known)]

    def add(self, name: str, value: Any) -> None:
        """Append a header; others of the same name stay."""
        self._pairs.append(_checked(name, value))

    def set(self, name: str, value: Any) -> None:
        """Put a header in the place of the first of the same name, and drop the others."""
        new = _checked(name, value)
        place = next((index for index, pair in enumerate(self._pairs) if _same(name, pair[0])), len(self._pairs))
        after = [pair for pair in self._pairs[place + 1 :] if not _same(name, pair[0])]
        self._pairs = [*self._pairs[:place], new, *after]

    def extend(self, more: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Append the headers in a dictionary or in pairs."""
        for name, value in more.items() if isinstance(more, Mapping) else more:
            self.add(name, value)

    def items(self) -> Iterator[tuple[str, str]]:
        """The (name, value) pairs."""
        return iter(self)

    def keys(self) -> Iterator[str]:
        """The names."""
        return (name for name, _ in self)

    def values(self) -> Iterator[str]:
        """The values."""
        return (value for _, value in self)


def _same(name: str, other: str) -> bool:
    return name.lower() == other.lower()


def _checked(name: str, value: Any) -> tuple[str, str]:
    text = str(value)
    if "\n" in text or "\r" in text:
        # A line break would begin another header.
        raise ValueError(f"Setting the header {name}: its value {text!r} has a line break; it must be one line.")
    return name, text
