"""Writes code objects in the interpreter's own format, so that equal sources give equal bytes in any process.

`marshal.dumps` does not: whether it marks an object as shared depends on how many references the whole process holds
to it, and so on what ran there before; and frozen sets come in hash order.
"""

from __future__ import annotations

import marshal
import struct
from types import CodeType
from typing import Any, Iterable

# Of Python/marshal.c, format version 4.
_CODE = b"c"
_FROZEN_SET = b">"
_REFERENCE = b"r"
_SHORT_ASCII = b"z"
_SHORT_ASCII_INTERNED = b"Z"
_TUPLE = b"("
_SHARED = 0x80

# The newest format version in which `marshal.dumps` marks nothing as shared.
_UNSHARED_VERSION = 2


def dumps(code: CodeType) -> bytes:
    """`code` as bytes that `marshal.loads` reads; equal values in it are written, and loaded, once."""
    writer = _Writer()
    writer.write_code(code)
    return bytes(writer.written)


class _Writer:
    def __init__(self) -> None:
        self.written = bytearray()
        # By what a value is when written alone: its position among the shared ones.
        self._shared: dict[bytes, int] = {}

    def write_code(self, code: CodeType) -> None:
        self.written += _CODE + struct.pack(
            "<6i",
            code.co_argcount,
            code.co_posonlyargcount,
            code.co_kwonlyargcount,
            code.co_nlocals,
            code.co_stacksize,
            code.co_flags,
        )
        self._write(code.co_code)
        # Alone in that it may hold code, which is never shared.
        self.written += _TUPLE + struct.pack("<i", len(code.co_consts))
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self.write_code(constant)
            else:
                self._write(constant)
        for names in (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars):
            self._write(names)
        self._write(code.co_filename)
        self._write(code.co_name)
        self.written += struct.pack("<i", code.co_firstlineno)
        self._write(code.co_lnotab)

    def _write(self, value: object) -> None:
        alone = _alone(value)
        if len(alone) == 1:  # None, True, False and Ellipsis
            self.written += alone
            return
        known = self._shared.get(alone)
        if known is not None:
            self.written += _REFERENCE + struct.pack("<i", known)
            return
        self._shared[alone] = len(self._shared)
        self.written.append(alone[0] | _SHARED)
        if isinstance(value, (tuple, frozenset)):
            self.written += alone[1:5]
            for item in _ordered(value):
                self._write(item)
        else:
            self.written += alone[1:]


def _alone(value: Any) -> bytes:
    if isinstance(value, str) and value.isascii() and len(value) < 256:
        kind = _SHORT_ASCII_INTERNED if value.isidentifier() else _SHORT_ASCII
        return kind + bytes([len(value)]) + value.encode("ascii")
    if isinstance(value, (tuple, frozenset)):
        kind = _TUPLE if isinstance(value, tuple) else _FROZEN_SET
        return kind + struct.pack("<i", len(value)) + b"".join(_alone(item) for item in _ordered(value))
    # Of the rest, only numbers, strings, bytes and the singletons occur in code.
    return marshal.dumps(value, _UNSHARED_VERSION)


def _ordered(items: tuple[object, ...] | frozenset[object]) -> Iterable[object]:
    return items if isinstance(items, tuple) else sorted(items, key=_alone)
