"""A lock between launches, held by the kernel and so gone with the processes that hold it."""

import errno
import fcntl
import os
from contextlib import contextmanager
from typing import Callable, Iterator


@contextmanager
def exclusive(path: str, on_wait: Callable[[], None]) -> Iterator[int]:
    """Hold the lock file `path` for the length of a `with` block.

    Children that get the yielded descriptor (`pass_fds`) hold the lock too. A launch killed half-way therefore keeps
    others waiting until the children it left behind have ended and can no longer write into the cache.

    Args:
        path: The lock file; made where missing, never removed. Its folder exists.
        on_wait: Called once where another process holds the lock.

    Yields:
        The descriptor that holds the lock.

    Raises:
        OSError: the file cannot be opened or locked.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
            on_wait()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
