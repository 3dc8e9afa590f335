"""The headers of a request, as user code sees them."""

from __future__ import annotations

from typing import Iterator, Mapping, Sequence


class Headers(Mapping[str, str]):
    """The headers of a request: names compare without case, values of repeated names are joined by commas."""

    __slots__ = ("_fields", "_values")

    def __init__(self, fields: Sequence[bytes]) -> None:
        """Headers out of names and values in turn, which are looked at when somebody first asks."""
        self._fields = fields
        self._values: dict[str, tuple[str, str]] | None = None

    def _read(self) -> dict[str, tuple[str, str]]:
        """Name and value as they came, by the name in lower case."""
        if self._values is None:
            self._values = {}
            for raw_name, raw_value in zip(self._fields[::2], self._fields[1::2]):
                name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
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
