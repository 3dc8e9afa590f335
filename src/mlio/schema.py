"""What is known of a data set before its rows: names, types and shapes of its features."""

from __future__ import annotations

from typing import Sequence

from mlio.data_types import DataType
from mlio.tensors import c_strides


class Attribute:
    """One feature.

    Attributes:
        name: Of the feature.
        data_type, dtype: Type of its values.
        shape: Of its tensor in a full batch, (batch_size, ...).
        strides: Of that tensor, in values.
        sparse: Whether its tensors are CooTensor.
    """

    __slots__ = ("name", "data_type", "shape", "strides", "sparse")

    def __init__(
        self,
        name: str,
        data_type: DataType,
        shape: Sequence[int],
        strides: Sequence[int] | None = None,
        sparse: bool = False,
    ) -> None:
        """A feature; see the attributes."""
        self.name = name
        self.data_type = data_type
        self.shape = tuple(shape)
        self.strides = c_strides(self.shape) if strides is None else tuple(strides)
        self.sparse = sparse

    @property
    def dtype(self) -> DataType:
        """The same as `data_type`."""
        return self.data_type

    def _key(self) -> tuple[object, ...]:
        return self.name, self.data_type, self.shape, self.strides, self.sparse

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Attribute) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return (
            f"<Attribute name={self.name!r} data_type={self.data_type.name} shape={self.shape} "
            f"strides={self.strides} sparse={self.sparse}>"
        )


class Schema:
    """The features of a data set, in order.

    Attributes:
        attributes: list of Attribute.
    """

    __slots__ = ("attributes", "_positions")

    def __init__(self, attributes: Sequence[Attribute] = (), *, attrs: Sequence[Attribute] | None = None) -> None:
        """A schema; `attrs` is another name of `attributes`.

        Raises:
            ValueError: two attributes have the same name.
        """
        self.attributes = list(attributes if attrs is None else attrs)
        self._positions = {attribute.name: at for at, attribute in enumerate(self.attributes)}
        if len(self._positions) != len(self.attributes):
            names = [attribute.name for attribute in self.attributes]
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"Making a schema: more than one attribute is called {twice!r}; names must differ.")

    def get_index(self, name: str) -> int | None:
        """Position of the attribute called `name`, from 0; None if there is none."""
        return self._positions.get(name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schema) and self.attributes == other.attributes

    def __hash__(self) -> int:
        return hash(tuple(self.attributes))

    def __repr__(self) -> str:
        return f"<Schema attributes={self.attributes!r}>"
