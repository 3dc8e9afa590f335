"""Messages between supervisor and gateway: what, which pool of workers, which worker, a number, and more."""

from __future__ import annotations

import struct
from typing import NamedTuple

from sagemaker_sklearn_container.processes.channel import Packet

_FORMAT = struct.Struct("<cIIq")

# To the gateway.
NEW_WORKER = b"N"  # with the gateway's end of its channel; the number is its process id
WORKER_ENDED = b"E"  # said, since a child of the worker may hold its channel open; the number is its wait status
GIVEN_UP = b"G"  # the workers of the pool end too soon after their start, again and again
POOL_ENDED = b"P"  # it was to end, and its last worker has ended
STOP = b"S"  # finish what was begun, then end

# To the supervisor.
READY = b"R"  # the worker can take requests
KILL = b"K"  # the worker does not answer in time
NEW_POOL = b"W"  # with what its workers are told; the number is how many there are to be
RESIZE = b"Z"  # so many workers from now on; the gateway lets go of those that are too many
END_POOL = b"D"  # its workers are not replaced any more; the gateway lets go of them


class Message(NamedTuple):
    """What one of them says to the other.

    Attributes:
        what: One of the above.
        pool: Number of the pool of workers.
        worker: Number of the worker, which no other one has, in whatever pool.
        number: As `what` says.
        more: As `what` says.
    """

    what: bytes
    pool: int = 0
    worker: int = 0
    number: int = 0
    more: bytes = b""

    def packed(self) -> bytes:
        """As a packet."""
        return _FORMAT.pack(self.what, self.pool, self.worker, self.number) + self.more


def unpacked(packet: Packet) -> Message:
    """The message in a packet."""
    what, pool, worker, number = _FORMAT.unpack_from(packet.data)
    return Message(what, pool, worker, number, bytes(packet.data[_FORMAT.size :]))
