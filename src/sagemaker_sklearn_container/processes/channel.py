"""Packets between two processes of this container, with a file descriptor now and then.

A channel is a pair of Unix sockets that keep packet boundaries, so one system call sends or receives a message, and
there are no partial ones. What is too long for a packet lies in a memory file (memfd), whose descriptor travels along:
it exists once, however many processes look at it, and needs no writable file system (contract L-06).
"""

from __future__ import annotations

import array
import mmap
import os
import socket
from typing import NamedTuple, Sequence

# The kernel's default send buffer holds 208 KiB; a packet must fit into it.
MAX_PACKET_BYTES = 192 * 1024
# Longer bodies travel as memory files.
MAX_INLINE_BODY_BYTES = 128 * 1024

# The kernel takes 1024 (IOV_MAX).
_MOST_PIECES = 1000

_DESCRIPTOR_BYTES = array.array("i").itemsize
_ANCILLARY_BYTES = socket.CMSG_SPACE(_DESCRIPTOR_BYTES)


class Packet(NamedTuple):
    """A packet as received.

    Attributes:
        data: Its bytes, valid until this process receives the next packet on any channel.
        descriptor: The file descriptor that came along, the receiver's to close; -1 if none did.
    """

    data: memoryview
    descriptor: int


class Channel:
    """One end of a channel; not inherited by programs that are started."""

    # One for the process, since packets are taken one after the other.
    _buffer = memoryview(bytearray(MAX_PACKET_BYTES))

    def __init__(self, end: socket.socket) -> None:
        """The channel over a connected socket, which it then owns."""
        self._socket = end
        self._number = end.fileno()

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        """The two ends of a new channel."""
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(one), cls(other)

    @classmethod
    def from_descriptor(cls, descriptor: int) -> Channel:
        """The channel end that another process sent here."""
        return cls(socket.socket(fileno=descriptor))

    def fileno(self) -> int:
        """The file descriptor, for waiting."""
        return self._number

    def set_blocking(self, blocking: bool) -> None:
        """Whether `send` and `receive` wait; they do unless told otherwise."""
        self._socket.setblocking(blocking)

    def send(self, data: bytes, descriptor: int = -1, rest: Sequence[bytes | memoryview] = ()) -> None:
        """Send one packet.

        Args:
            data: Not empty; with `rest` at most MAX_PACKET_BYTES.
            descriptor: A file descriptor to send along, which stays open here; -1 for none.
            rest: What follows `data` in the packet, in pieces that are not copied together first.

        Raises:
            BlockingIOError: this end does not wait, and the other one has not taken earlier packets.
            OSError: the other end is closed.
        """
        if descriptor < 0:
            if len(rest) < _MOST_PIECES:
                os.writev(self._number, (data, *rest))
            else:
                os.write(self._number, data + b"".join(rest))
            return
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))
        self._socket.sendmsg([data], [rights])

    def receive(self) -> Packet | None:
        """The next packet; None if the other end is closed.

        Raises:
            BlockingIOError: this end does not wait, and there is none.
            ConnectionResetError: the other end is closed, and something that was sent to it has not been read.
        """
        count, ancillary, _, _ = self._socket.recvmsg_into([self._buffer], _ANCILLARY_BYTES, socket.MSG_CMSG_CLOEXEC)
        if not count:
            return None
        descriptor = -1
        if ancillary:
            descriptor = int.from_bytes(ancillary[0][2][:_DESCRIPTOR_BYTES], "little", signed=True)
        return Packet(self._buffer[:count], descriptor)

    def close(self) -> None:
        """Close this end."""
        self._socket.close()


def memory_file() -> int:
    """The descriptor of a new, empty file in memory.

    Raises:
        OSError: there is no memory for it, or no file descriptor.
    """
    return os.memfd_create("body")


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Append `data` to the file `descriptor`."""
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


class MappedFile:
    """A memory file mapped for reading.

    Attributes:
        view: Its bytes.
    """

    def __init__(self, descriptor: int, length: int) -> None:
        """Map `length` bytes, more than none, of the file `descriptor`, which is closed."""
        try:
            self._map = mmap.mmap(descriptor, length, prot=mmap.PROT_READ)
        finally:
            os.close(descriptor)
        self.view = memoryview(self._map)

    def release(self) -> None:
        """Give the memory back, unless somebody still holds on to a part of it; then it goes with the last part."""
        try:
            self.view.release()
            self._map.close()
        except BufferError:
            return
