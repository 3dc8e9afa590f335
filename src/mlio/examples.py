"""A batch: one tensor for each feature."""

from __future__ import annotations

from typing import Iterator, Sequence

from mlio.schema import Schema
from mlio.tensors import Tensor


class Example:
    """A batch of rows.

    Attributes:
        schema: Names and types of the features.
        padding: How many of the last rows are filling; 0 if none.
    """

    __slots__ = ("schema", "padding", "_features")

    def __init__(self, schema: Schema, features: Sequence[Tensor]) -> None:
        """A batch of `features`, one for each attribute of `schema`.

        Raises:
            ValueError: there are more or fewer features than attributes.
        """
        if len(features) != len(schema.attributes):
            raise ValueError(
                f"Making an Example: it has {len(features)} features, its schema {len(schema.attributes)} attributes; "
                "give one feature for each."
            )
        self.schema = schema
        self._features = features
        self.padding = 0

    def __len__(self) -> int:
        return len(self._features)

    def __getitem__(self, key: int | str) -> Tensor:
        """The feature at a position from 0, or of a name.

        Raises:
            KeyError: there is none.
        """
        if isinstance(key, str):
            at = self.schema.get_index(key)
            if at is None:
                raise KeyError(f"The Example has no feature called {key!r}.")
            return self._features[at]
        if not 0 <= key < len(self._features):
            raise KeyError(f"The Example has {len(self._features)} features; there is no number {key}, from 0.")
        return self._features[key]

    def __contains__(self, key: object) -> bool:
        if isinstance(key, str):
            return self.schema.get_index(key) is not None
        return isinstance(key, int) and 0 <= key < len(self._features)

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self._features)

    def __repr__(self) -> str:
        return f"<Example features={list(self._features)!r} padding={self.padding}>"
