"""Protobuf's variable-length integers: seven bits per byte, lowest first; the last byte's top bit is clear.

Many at a time, each as a word of eight bytes: all are stored, or loaded, where their first bytes are, though what
follows there belongs to others. Only numbers below zero or of 2**56 and more are longer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

LONGEST = 10
_BITS = 7
_WORD_BYTES = 8
_SHORT_GROUPS = 2
# Numbers at a time, so that scratch memory stays small and in the processor's cache.
_STEP = 32 * 1024


def _words(contents: list[bytes]) -> np.ndarray[Any, Any]:
    return np.frombuffer(b"".join(content[:_WORD_BYTES].ljust(_WORD_BYTES, b"\0") for content in contents), "<u8")


def _marks(groups: int) -> np.ndarray[Any, Any]:
    positive = [b"", *(b"\x80" * (size - 1) for size in range(1, LONGEST))]
    return _words([*positive, b"\x80" * groups + b"\xff" * (_WORD_BYTES - groups)])


# By the size of a number: the bits of its bytes that hold it.
_HELD = _words([b"", *(b"\x7f" * size for size in range(1, LONGEST + 1))])
# By the groups of seven bits that tell numbers apart, then by size: all other bits of a number's bytes. Only numbers
# below zero have the longest size; of them all bits above those groups are set.
_MARKS = [_marks(min(groups, _WORD_BYTES)) for groups in range(LONGEST)]


def packed(numbers: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The numbers, one behind the other.

    Args:
        numbers: ndarray of shape (n,), dtype int32 or int64. Those below zero must fit 32 bits; they get the ten bytes
            of their 64-bit two's complement.

    Returns:
        uint8 of shape (n_bytes,), and how many bytes each number takes, uint8 of shape (n,).
    """
    parts, sizes = [], np.empty(len(numbers), np.uint8)
    for start in range(0, len(numbers), _STEP):
        piece = numbers[start : start + _STEP]
        parts.append(_piece_packed(piece, sizes[start : start + _STEP]))
    return np.concatenate(parts) if parts else np.empty(0, np.uint8), sizes


def unpacked(
    content: np.ndarray[Any, Any], most_bytes: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]] | None:
    """The numbers in `content`.

    Args:
        content: uint8 of shape (n_bytes,).
        most_bytes: How long one may be.

    Returns:
        int64 of shape (n,), the lowest 56 bits of each; and where each ends, int64 of shape (n,). None if the last has
        no end, or some are longer.
    """
    ends = np.flatnonzero(content < 0x80) + 1
    if (ends[-1] if len(ends) else 0) != len(content):
        return None
    if len(ends) == len(content):
        return content.astype(np.int64), ends
    numbers = np.empty(len(ends), np.int64)
    start = 0
    for first in range(0, len(ends), _STEP):
        piece_ends = ends[first : first + _STEP] - start
        stop = start + int(piece_ends[-1])
        starts = np.concatenate(([0], piece_ends[:-1]))
        sizes = piece_ends - starts
        longest = int(sizes.max())
        if longest > most_bytes:
            return None
        padded = np.concatenate((content[start:stop], np.zeros(_WORD_BYTES, np.uint8)))
        words = _at_each_byte(padded, "<u8")[starts] & _HELD[sizes]
        found = words & np.uint64(0x7F)
        for place in range(1, min(longest, _WORD_BYTES)):
            found |= (words >> np.uint64(place)) & np.uint64(0x7F << _BITS * place)
        numbers[first : first + _STEP] = found.view(np.int64)
        start = stop
    return numbers, ends


def one(number: int) -> bytes:
    """A number that is not below zero, alone."""
    groups = bytearray()
    while number >= 1 << _BITS:
        groups.append(number & 0x7F | 0x80)
        number >>= _BITS
    groups.append(number)
    return bytes(groups)


def _piece_packed(numbers: np.ndarray[Any, Any], sizes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The bytes of the numbers, at least one, whose sizes are written to `sizes`."""
    largest, smallest = int(numbers.max()), int(numbers.min())
    sizes[:] = 1
    if smallest >= 0 and largest <= 0x7F:
        return numbers.astype(np.uint8)
    groups = -(-max(largest, ~smallest).bit_length() // _BITS)
    for size in range(1, groups):
        if largest < 1 << _BITS * size:
            break
        sizes += numbers >= 1 << _BITS * size
    if smallest < 0:
        negative = np.flatnonzero(numbers < 0)
        sizes[negative] = LONGEST
    # As short as can be: half of the time goes into moving words.
    word = np.dtype("<u2" if smallest >= 0 and groups <= _SHORT_GROUPS else "<u8")
    bits = numbers.astype(word)
    words = bits & word.type(0x7F)
    for place in range(1, min(groups, _WORD_BYTES)):
        words |= (bits << word.type(place)) & word.type(0x7F << _WORD_BYTES * place)
    words |= _MARKS[groups].astype(word)[sizes]
    ends = sizes.astype(np.intp).cumsum()
    content = np.empty(int(ends[-1]) + _WORD_BYTES, np.uint8)
    # NumPy assigns in this order: what a word holds beyond its number's bytes, the words that follow overwrite.
    _at_each_byte(content, word)[ends - sizes] = words
    if groups > _WORD_BYTES:
        long = np.flatnonzero(sizes == _WORD_BYTES + 1)
        content[ends[long] - 1] = numbers[long] >> _BITS * _WORD_BYTES
    if smallest < 0:
        _at_each_byte(content, "<u2")[ends[negative] - 2] = 0x01FF
    return content[:-_WORD_BYTES]


def _at_each_byte(content: np.ndarray[Any, Any], dtype: Any) -> np.ndarray[Any, Any]:
    """The words that begin at each byte of `content`; they overlap."""
    return np.ndarray((len(content) - np.dtype(dtype).itemsize + 1,), dtype, content, strides=(1,))
