"""What a worker is doing, in memory that the gateway sees, and who may read from the connections lent to the worker.

Without this the gateway would have to ask, and a worker that computes does not answer.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import time

_BYTES = mmap.PAGESIZE
# The length of the request's id, in one byte, and the id.
_REQUEST_ID = 256
# Eight bytes each, written by one side only.
_BUSY_SINCE, _CONNECTION, _WRITING, _ANSWERED, _RECALLS, _VOID_LOANS, _WITHDRAWN = range(7)


class Status:
    """One worker's status, and a lock.

    Whoever holds the lock may read from the lent connections and write to them: the worker all the time except while
    it computes an answer, when the gateway may take it for a moment and the connections away. A POSIX record lock,
    because the kernel gives it back whatever becomes of its holder.

    Source: contract S-05, S-12, S-45, S-46.
    """

    def __init__(self, descriptor: int) -> None:
        """The status in the memory file `descriptor`, which this object then owns: closing it would free the lock."""
        self.descriptor = descriptor
        shared = memoryview(mmap.mmap(descriptor, _BYTES))
        self._bytes = shared
        self._numbers = shared.cast("Q")
        self._times = shared.cast("d")

    @classmethod
    def new(cls) -> Status:
        """The status of this process, which holds the lock and is not busy."""
        descriptor = os.memfd_create("status")
        os.ftruncate(descriptor, _BYTES)
        status = cls(descriptor)
        fcntl.lockf(descriptor, fcntl.LOCK_EX)
        return status

    # The worker

    def read(self, connection: int) -> None:
        """A request begins to be read from the loan of that number; 0 says that there was none."""
        self._numbers[_CONNECTION] = connection

    def begin(self, request_id: bytes = b"") -> None:
        """Compute from now on, for the loan that was read from or, if there is none, for a request from the gateway.

        Args:
            request_id: Of a request that the gateway does not know, at most 255 bytes.
        """
        self._bytes[_REQUEST_ID] = len(request_id)
        self._bytes[_REQUEST_ID + 1 : _REQUEST_ID + 1 + len(request_id)] = request_id
        self._times[_BUSY_SINCE] = time.monotonic()
        fcntl.lockf(self.descriptor, fcntl.LOCK_UN)

    def computed(self) -> None:
        """The answer is there: hold the lock again."""
        fcntl.lockf(self.descriptor, fcntl.LOCK_EX)

    def write(self) -> None:
        """An answer begins to be written to a lent connection."""
        self._numbers[_WRITING] = 1

    def end(self) -> None:
        """The answer is given."""
        numbers = self._numbers
        numbers[_ANSWERED] += 1
        numbers[_CONNECTION] = numbers[_WRITING] = 0
        self._times[_BUSY_SINCE] = 0.0

    @property
    def recalls(self) -> int:
        """How often the gateway has taken back the connections."""
        return self._numbers[_RECALLS]

    @property
    def void_loans(self) -> int:
        """Loans of this and lower numbers are taken back, even those that the worker has not seen yet."""
        return self._numbers[_VOID_LOANS]

    @property
    def withdrawn(self) -> int:
        """So many of the first requests from the gateway are not to be begun any more."""
        return self._numbers[_WITHDRAWN]

    # The gateway

    @property
    def busy_since(self) -> float:
        """When the worker began to compute, on the monotonic clock, seconds; 0 if it does not."""
        return self._times[_BUSY_SINCE]

    @property
    def connection(self) -> int:
        """Number of the loan whose request the worker reads or answers; 0 if it is none."""
        return self._numbers[_CONNECTION]

    @property
    def request_id(self) -> bytes:
        """Of the request that the worker answers, if the gateway does not know it."""
        start = _REQUEST_ID + 1
        return bytes(self._bytes[start : start + self._bytes[_REQUEST_ID]])

    @property
    def writing(self) -> bool:
        """Whether an answer to a lent connection may have been written in part."""
        return bool(self._numbers[_WRITING])

    @property
    def answered(self) -> int:
        """How many requests the worker has answered."""
        return self._numbers[_ANSWERED]

    def stop_reading(self) -> bool:
        """Take the lock if the worker computes; whoever gets True must `continue_reading`."""
        try:
            fcntl.lockf(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        if self.busy_since:
            return True
        self.continue_reading()
        return False

    def recall(self, void_loans: int, withdrawn: int) -> None:
        """Tell the worker, whose lock this side holds, that connections and requests are no longer its own.

        Args:
            void_loans: Loans up to that number, but for the one that the worker computes for.
            withdrawn: So many requests, counted from the first one that this worker was ever given.
        """
        self._numbers[_RECALLS] += 1
        self._numbers[_VOID_LOANS] = void_loans
        self._numbers[_WITHDRAWN] = withdrawn

    def continue_reading(self) -> None:
        """Give the lock back."""
        fcntl.lockf(self.descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of a worker's status; its memory goes with the last reference to it."""
        os.close(self.descriptor)
