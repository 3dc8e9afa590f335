"""Tensors: dense ones, and sparse ones in coordinate format.

They only carry data to NumPy and others; `mlio.integ` has the ways there.
"""

from __future__ import annotations

from typing import Any, Callable, Sequence

import numpy as np

from mlio.data_types import DataType, data_type_of

_STRING = DataType.STRING


class DeviceKind:
    """Kind of device that data lies on; there is one, `DeviceKind.cpu`."""

    cpu: DeviceKind

    def __init__(self, name: str) -> None:
        """A kind called `name`."""
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeviceKind) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<DeviceKind name={self.name!r}>"


DeviceKind.cpu = DeviceKind("CPU")


class Device:
    """A device that data lies on."""

    def __init__(self, kind: DeviceKind, id: int) -> None:
        """The device number `id` of its kind."""
        self.kind = kind
        self.id = id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and (self.kind, self.id) == (other.kind, other.id)

    def __hash__(self) -> int:
        return hash((self.kind, self.id))

    def __repr__(self) -> str:
        return f"<Device kind={self.kind!r} id={self.id}>"


class DeviceArray:
    """The values of a tensor, shape (size,); NumPy takes it without a copy."""

    def __init__(self, values: np.ndarray[Any, Any]) -> None:
        """An array around `values`, whose memory it shares where its layout allows."""
        self._values = values.reshape(-1)

    @property
    def size(self) -> int:
        """Number of values."""
        return int(self._values.size)

    @property
    def data_type(self) -> DataType:
        """Type of the values."""
        return data_type_of(self._values.dtype)

    dtype = data_type

    @property
    def device(self) -> Device:
        """Where the values lie: in main memory."""
        return Device(DeviceKind.cpu, 0)

    def __len__(self) -> int:
        return self.size

    def __array__(self, dtype: Any = None) -> np.ndarray[Any, Any]:
        return self._values if dtype is None else self._values.astype(dtype)


class Tensor:
    """Base of all tensors.

    Attributes:
        shape: Tuple of int; of tensors that readers make, (n_rows, ...).
    """

    __slots__ = ()

    shape: tuple[int, ...]

    @property
    def data_type(self) -> DataType:
        """Type of the values."""
        raise NotImplementedError

    @property
    def dtype(self) -> DataType:
        """The same as `data_type`, the name of older releases."""
        return self.data_type

    @property
    def strides(self) -> tuple[int, ...]:
        """Distance between neighbours along each axis, in values."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} data_type={self.data_type.name} shape={self.shape}>"


class DenseTensor(Tensor):
    """A tensor that stores all its values."""

    __slots__ = ("_array", "_check")

    def __init__(
        self, shape: Sequence[int], data: Any, strides: Sequence[int] | None = None, copy: bool = True
    ) -> None:
        """A tensor of the values of `data`.

        Args:
            shape: Of the tensor.
            data: ndarray, or an object with the buffer protocol.
            strides: In values, not bytes; None stands for C order.
            copy: False shares the memory of `data`.

        Raises:
            ValueError: the shape does not fit the data, or its dtype is none of `DataType`.
        """
        flat = np.array(data, copy=copy)
        data_type_of(flat.dtype)
        sizes = tuple(int(size) for size in shape)
        if strides is None:
            self._array = flat.reshape(sizes)
        else:
            self._array = _strided(flat, sizes, strides)
        self._check: Callable[[np.ndarray[Any, Any]], None] | None = None

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Of the tensor."""
        return self._array.shape

    @property
    def data_type(self) -> DataType:
        """Type of the values."""
        return data_type_of(self._array.dtype)

    @property
    def strides(self) -> tuple[int, ...]:
        """Distance between neighbours along each axis, in values."""
        return tuple(stride // self._array.itemsize for stride in self._array.strides)

    @property
    def data(self) -> DeviceArray:
        """The values."""
        return DeviceArray(checked_array(self))

    def __array__(self, dtype: Any = None) -> np.ndarray[Any, Any]:
        array = checked_array(self)
        return array if dtype is None else array.astype(dtype)


def _strided(flat: np.ndarray[Any, Any], shape: tuple[int, ...], strides: Sequence[int]) -> np.ndarray[Any, Any]:
    if len(strides) != len(shape):
        raise ValueError(f"Making a tensor: it has {len(shape)} axes but {len(strides)} strides; give one for each.")
    steps = tuple(int(stride) * flat.itemsize for stride in strides)
    if flat.shape == shape and (flat.strides == steps or flat.size == 0):
        return flat
    lowest = sum((size - 1) * step for size, step in zip(shape, steps) if step < 0)
    highest = sum((size - 1) * step for size, step in zip(shape, steps) if step > 0)
    flat = np.ascontiguousarray(flat).reshape(-1)
    if 0 not in shape and (lowest < 0 or highest + flat.itemsize > flat.nbytes):
        raise ValueError(f"Making a tensor: shape {shape} with strides {tuple(strides)} reaches beyond the data.")
    return np.lib.stride_tricks.as_strided(flat, shape, steps)


def dense(array: np.ndarray[Any, Any], check: Callable[[np.ndarray[Any, Any]], None] | None = None) -> DenseTensor:
    """The tensor around `array`, without a copy; `check` raises if what it holds must not leave it."""
    tensor = DenseTensor.__new__(DenseTensor)
    tensor._array = array
    tensor._check = check
    return tensor


def checked_array(tensor: DenseTensor) -> np.ndarray[Any, Any]:
    """The array that `tensor` holds, without a copy.

    Raises:
        InvalidTextError: a cell is no UTF-8 (status 400 when it came from memory).
    """
    check = tensor._check
    if check is not None:
        check(tensor._array)
    return tensor._array


class CooTensor(Tensor):
    """A tensor that stores the values that are not zero, and where they are."""

    __slots__ = ("_coords", "_data", "_shape")

    def __init__(self, shape: Sequence[int], data: Any, coords: Sequence[Any], copy: bool = True) -> None:
        """A sparse tensor.

        Args:
            shape: Of the tensor.
            data: Array of shape (n_values,).
            coords: For each axis an array of shape (n_values,), the integer positions.
            copy: False shares the memory of `data` and `coords`.

        Raises:
            ValueError: the lengths differ, or there is not one array of positions for each axis.
        """
        self._shape = tuple(int(size) for size in shape)
        self._data = np.array(data, copy=copy).reshape(-1)
        self._coords = [np.array(indices, copy=copy).reshape(-1) for indices in coords]
        data_type_of(self._data.dtype)
        if len(self._coords) != len(self._shape):
            raise ValueError(
                f"Making a CooTensor: its shape is {self._shape}, but coords has {len(self._coords)} arrays; give one "
                "for each axis."
            )
        if any(len(indices) != len(self._data) for indices in self._coords):
            raise ValueError(
                f"Making a CooTensor: data has {len(self._data)} values, coords "
                f"{', '.join(str(len(indices)) for indices in self._coords)}; all must have as many."
            )

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Of the tensor."""
        return self._shape

    @property
    def data_type(self) -> DataType:
        """Type of the values."""
        return data_type_of(self._data.dtype)

    @property
    def strides(self) -> tuple[int, ...]:
        """Distance between neighbours along each axis, in values, were the tensor dense."""
        return c_strides(self._shape)

    @property
    def data(self) -> DeviceArray:
        """The values."""
        return DeviceArray(self._data)

    def indices(self, dim: int) -> DeviceArray:
        """The positions along the axis `dim`.

        Raises:
            IndexError: there is no such axis.
        """
        return DeviceArray(self._coords[dim])


def c_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Distance between neighbours along each axis of an array in C order, in values."""
    strides: list[int] = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))
