"""The headers of a request, as user code sees them."""

from __future__ import annotations

from typing import Iterator, Mapping


class Headers(Mapping[str, str]):
    """The headers of a request: names compare without case, values of repeated names are joined by commas."""

    __slots__ = ("_fields", "_values")

    def __init__(self, fields: str) -> None:
        """Headers out of names and values in turn, each with a NUL behind it; looked at when first asked for."""
        self._fields = fields
        self._values: dict[str, tuple[str, str]] | None = None

    def _read(self) -> dict[str, tuple[str, str]]:
        """Name and value as they came, by the name in lower case."""
        if self._values is None:
            self._values = {}
            fields = iter(self._fields.split("\0"))
            for name, value in zip(fields, fields):
                key = name.lower()
                earlier = self._values.get(key)
                self._values[key] = (name, value) if earlier is None else (earlier[0], f"{earlier[1]}, {value}")
        return self._values

    def __getitem__(self, name: str) -> str:
        """The value of a header; KeyError if there is none."""
        return self._read()[name.lower()][1]

    def __contains__(self, name: object) -> bool:
        """Whether there is such a header."""
        return isinstance(name, str) and name.lower() in self._read()

    def __iter__(self) -> Iterator[str]:
        """The names, as they were sent."""
        return (original for original, _ in self._read().values())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._read())
