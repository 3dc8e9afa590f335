"""The headers of a request, as user code sees them."""

from __future__ import annotations

from typing import Iterator, Mapping, Sequence


class RequestHeaders(Mapping[str, str]):
    """The headers of one request: names are found in any case, and iterated as they were sent.

    Source: contract S-30, S-31.
    """

    __slots__ = ("_fields", "_values")

    def __init__(self, fields: Sequence[bytes]) -> None:
        """Headers out of names and values in turn, looked at when somebody first asks; repeated ones are joined."""
        self._fields = fields
        self._values: dict[str, tuple[str, str]] | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str] | None) -> RequestHeaders:
        """The headers in a mapping; none at all without one."""
        if isinstance(headers, cls):
            return headers
        found = cls(())
        found._values = {name.lower(): (name, value) for name, value in (headers or {}).items()}
        return found

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
        try:
            return self._read()[name.lower()][1]
        except KeyError:
            raise KeyError(name) from None

    def __contains__(self, name: object) -> bool:
        """Whether there is such a header."""
        return isinstance(name, str) and name.lower() in self._read()

    def __iter__(self) -> Iterator[str]:
        """The names, as they were sent."""
        return (name for name, _ in self._read().values())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._read())

    def __repr__(self) -> str:
        """As it is shown in logs of user code."""
        return f"RequestHeaders({dict(self)!r})"
