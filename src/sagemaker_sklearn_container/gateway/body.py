"""Reading long bodies from the connection right into the memory that the worker will see."""

from __future__ import annotations

import asyncio
from typing import Callable, Protocol

# Below it, the way through the parser costs no more.
LONG_BYTES = 256 * 1024
# What is announced is mapped at once, and takes memory only as it comes. Nothing this long has ever been sent.
LONGEST_BYTES = 16 * 1024**3

_NO_ROOM = memoryview(bytearray())


class Connection(Protocol):
    """Whose body it is: takes over again when the body is complete, and what is not about the body meanwhile."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""

    def eof_received(self) -> bool:
        """The client sends no more."""

    def pause_writing(self) -> None:
        """The client does not read."""

    def resume_writing(self) -> None:
        """The client reads again."""


class BodyReader(asyncio.BufferedProtocol):
    """The protocol of a connection for the time that the rest of a body comes in, whose length is known.

    The kernel writes to the buffer itself. On the usual way each byte is copied three more times.
    """

    def __init__(
        self,
        connection: Connection,
        room: memoryview,
        on_progress: Callable[[], None],
        on_complete: Callable[[], None],
    ) -> None:
        """A reader of exactly as many bytes as there is room for, more than none."""
        self._connection = connection
        self._room = room
        self._on_progress = on_progress
        self._on_complete = on_complete

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where to write."""
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        """So much has been written."""
        self._room = self._room[nbytes:]
        if len(self._room):
            self._on_progress()
        else:
            self._let_go()
            self._on_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """See Connection."""
        self._let_go()
        self._connection.connection_lost(exc)

    def eof_received(self) -> bool:
        """See Connection."""
        return self._connection.eof_received()

    def pause_writing(self) -> None:
        """See Connection."""
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        """See Connection."""
        self._connection.resume_writing()

    def _let_go(self) -> None:
        """Of the memory: the transport keeps this object for as long as the connection lasts."""
        self._room = _NO_ROOM
