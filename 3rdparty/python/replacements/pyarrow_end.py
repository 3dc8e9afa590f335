# What follows is this image's and not the library's: how a process ends.
#
# A thread of Arrow's that has read from an object of Python's lets go of it once its result is there, and takes the
# interpreter's lock for that. By then the main thread may be ending the interpreter. CPython 3.8 then never gives the
# lock away again, and when libraries are unloaded the main thread waits for Arrow's threads: the process never ends. So
# the main thread lets them have the lock before, until all of them rest.

import atexit as _atexit
import os as _os
import threading as _threading
import time as _time

# Seconds. Threads of the program's own may be busy for ever.
_LONGEST_REST = 1.0
_REST = 0.001
# Between a rest and a look another thread may have found the lock taken again, and wait for it.
_LOOKS = 3


def _rest() -> None:
    end = _time.monotonic() + _LONGEST_REST
    looks = 0
    while looks < _LOOKS and _time.monotonic() < end:
        # Gives the lock to whoever waits for it.
        _time.sleep(_REST)
        looks = looks + 1 if all(map(_rests, _os.listdir("/proc/self/task"))) else 0


def _rests(thread: str) -> bool:
    """Whether a thread waits for something; hardly for the lock, which nobody had a moment ago."""
    if int(thread) == _threading.get_native_id():
        return True
    try:
        with open(f"/proc/self/task/{thread}/stat", "rb") as stream:
            return stream.read().rpartition(b") ")[2][:1] == b"S"
    except OSError:  # it has ended
        return True


_atexit.register(_rest)
