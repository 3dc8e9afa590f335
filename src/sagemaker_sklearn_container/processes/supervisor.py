"""The first process of a server: loads what the workers share, forks them, and replaces those that end."""

from __future__ import annotations

import gc
import logging
import os
import selectors
import signal
import socket
import sys
import time
from typing import Callable, Iterable

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.gateway import control as messages
from sagemaker_sklearn_container.processes.channel import Channel

logger = logging.getLogger(__name__)

# Leaves time to kill what does not stop, before the platform kills everything.
GRACEFUL_STOP_S = contract.STOP_WINDOW_S - 5
# A worker that ends sooner than this after its start may never live longer.
_SHORT_LIFE_S = 1.0
# So many short lives in a row are made up for at once; after more of them the next start waits, longer each time.
_FREE_RESTARTS = 5
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
# So many workers in a row that end before they are ready mean that none ever will be.
_HOPELESS_STARTS = 10
# How long ended workers may take to be gone when the gateway has let go of them.
_LAST_WORKERS_S = 0.5


class Supervisor:
    """Keeps one gateway and a number of workers alive, in a single thread.

    The gateway is forked first, before anything large is loaded and any thread exists; the workers when everything is
    loaded, whose memory they share. A worker that ends is replaced at once. Without a gateway the server ends, so that
    the platform replaces the container.

    Source: contract S-03, S-04, S-07, S-08.
    """

    def __init__(self, gateway: Callable[[Channel], None]) -> None:
        """A supervisor whose gateway runs, and waits for workers.

        Args:
            gateway: The gateway's work, given its end of the channel to the supervisor. It ends when the other end is
                closed.
        """
        self._control, gateway_end = Channel.pair()
        self._gateway_pid = _fork(lambda: gateway(gateway_end), (self._control,))
        gateway_end.close()
        self._worker: Callable[[Channel], None] = lambda channel: None
        self._pids: dict[int, int] = {}  # worker number by process id
        self._started: dict[int, float] = {}  # when a worker was started, by number
        self._ready: set[int] = set()
        self._due: list[float] = []  # when to start the workers that are missing
        self._count = 0
        self._short_lives = 0
        self._failed_starts = 0
        self._stop_by: float | None = None
        self._exit_code: int | None = None
        self._wakeup, self._wakeup_sink = socket.socketpair()

    def run(self, worker: Callable[[Channel], None], workers: int) -> int:
        """Fork workers and supervise, until told to stop.

        Args:
            worker: A worker's work, given its end of the channel to the gateway.
            workers: How many there are to be.

        Returns:
            Exit code: 0 after SIGTERM or SIGINT, 1 if the gateway has ended or workers do not start.
        """
        self._worker = worker
        self._catch_signals()
        gc.collect()
        # Keeps the garbage collector off what was loaded so far: writing its marks would unshare the pages.
        gc.freeze()
        self._control.set_blocking(False)
        self._due = [0.0] * workers
        with selectors.DefaultSelector() as selector:
            selector.register(self._wakeup, selectors.EVENT_READ)
            selector.register(self._control, selectors.EVENT_READ)
            while self._exit_code is None:
                self._start_due()
                if self._exit_code is None:
                    ready = {key.fileobj for key, _ in selector.select(self._pause())}
                    if self._wakeup in ready:
                        self._signalled(self._wakeup.recv(4096))
                    if self._control in ready:
                        self._gateway_says()
                    self._reap()
                    self._enforce_stop()
        self._end_workers()
        return self._exit_code

    def _catch_signals(self) -> None:
        for end in (self._wakeup, self._wakeup_sink):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wakeup_sink.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, frame: None)  # the byte on the wake-up socket says it

    def _pause(self) -> float | None:
        """Seconds until there is something to do by itself, or None."""
        moments = [*self._due] if self._stop_by is None else [self._stop_by]
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _signalled(self, numbers: bytes) -> None:
        if self._stop_by is not None or not {signal.SIGTERM, signal.SIGINT} & set(numbers):
            return
        logger.info("Stopping: requests that have begun are finished")
        self._stop_by = time.monotonic() + GRACEFUL_STOP_S
        self._tell(messages.STOP, 0)

    def _enforce_stop(self) -> None:
        if self._stop_by is not None and self._exit_code is None and time.monotonic() >= self._stop_by:
            logger.warning("Stopping took longer than %d s; ending what is left", GRACEFUL_STOP_S)
            self._exit_code = 0

    def _tell(self, what: bytes, number: int, descriptor: int = -1) -> bool:
        try:
            self._control.send(messages.FORMAT.pack(what, number), descriptor)
        except OSError:
            return False  # the gateway has ended, which is noticed elsewhere, or is hopelessly behind
        return True

    def _gateway_says(self) -> None:
        while True:
            try:
                packet = self._control.receive()
            except BlockingIOError:
                return
            except OSError:
                packet = None
            if packet is None:
                self._gateway_ended(None)
                return
            what, number = messages.FORMAT.unpack(packet.data)
            if what == messages.READY:
                self._ready.add(number)
                self._failed_starts = 0
            elif what == messages.KILL:
                for pid in [pid for pid, other in self._pids.items() if other == number]:
                    _kill(pid)

    def _gateway_ended(self, status: int | None) -> None:
        if self._exit_code is not None:
            return
        if status is None:  # its end of the channel is closed: it is ending
            try:
                _, status = os.waitpid(self._gateway_pid, 0)
            except ChildProcessError:
                status = 0
        if self._stop_by is None:
            logger.error("The HTTP gateway ended: %s. The server ends with it.", _described(status))
            self._exit_code = 1
        else:
            self._exit_code = 0

    def _reap(self) -> None:
        """Collect every process that has ended; as PID 1 this process inherits each orphan of the container."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._gateway_pid:
                self._gateway_ended(status)
            elif pid in self._pids:
                self._worker_ended(pid, status)

    def _worker_ended(self, pid: int, status: int) -> None:
        number = self._pids.pop(pid)
        lived_s = time.monotonic() - self._started.pop(number)
        was_ready = number in self._ready
        self._ready.discard(number)
        if self._stop_by is not None or self._exit_code is not None:
            return
        self._tell(messages.WORKER_ENDED, number)
        logger.error("Worker %d (pid %d) ended: %s. Another one takes its place.", number, pid, _described(status))
        self._failed_starts = 0 if was_ready else self._failed_starts + 1
        self._short_lives = self._short_lives + 1 if lived_s < _SHORT_LIFE_S else 0
        if self._failed_starts >= _HOPELESS_STARTS:
            logger.error("%d workers in a row ended before they were ready; the server ends.", self._failed_starts)
            self._exit_code = 1
            return
        self._due.append(time.monotonic() + self._restart_pause_s())

    def _restart_pause_s(self) -> float:
        excess = self._short_lives - _FREE_RESTARTS
        return 0.0 if excess <= 0 else min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(excess - 1, 10))

    def _start_due(self) -> None:
        if self._stop_by is not None:
            return
        now = time.monotonic()
        due, self._due = [moment for moment in self._due if moment <= now], [
            moment for moment in self._due if moment > now
        ]
        for _ in due:
            self._start_worker()

    def _start_worker(self) -> None:
        self._count += 1
        number = self._count
        gateway_end, worker_end = Channel.pair()
        others: tuple[Channel | socket.socket, ...] = (gateway_end, self._control, self._wakeup, self._wakeup_sink)
        try:
            pid = _fork(lambda: self._worker(worker_end), others)
        except OSError as exc:
            gateway_end.close()
            logger.error("Forking a worker failed: %s. Trying again in %g s.", exc, _LONGEST_PAUSE_S)
            self._failed_starts += 1
            if self._failed_starts >= _HOPELESS_STARTS:
                self._exit_code = 1
            self._due.append(time.monotonic() + _LONGEST_PAUSE_S)
            return
        finally:
            worker_end.close()
        self._pids[pid] = number
        self._started[number] = time.monotonic()
        self._tell(messages.NEW_WORKER, number, gateway_end.fileno())
        gateway_end.close()

    def _end_workers(self) -> None:
        """End what is left: idle workers end with the gateway, which ends with its channel to this process."""
        self._control.close()
        if self._exit_code != 0:
            _kill(self._gateway_pid)
        deadline = time.monotonic() + _LAST_WORKERS_S
        while self._pids and time.monotonic() < deadline:
            self._reap()
            time.sleep(0.005)
        for pid in self._pids:
            _kill(pid)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _fork(work: Callable[[], None], not_its_own: Iterable[Channel | socket.socket]) -> int:
    """The process id of a new process that does `work` and ends; it closes what is `not_its_own`.

    Raises:
        OSError: there can be no further process.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.setpgid(0, 0)  # signals of a terminal are this container's first process's business
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for end in not_its_own:
            end.close()
        work()
        status = 0
    except BaseException:
        logger.critical("Process %d ends by an exception", os.getpid(), exc_info=True)
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)


def _described(status: int) -> str:
    """A wait status in words."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        hint = " (the container may be out of memory, or the request took too long)" if number == signal.SIGKILL else ""
        return f"killed by {signal.Signals(number).name}{hint}"
    return f"exit code {os.WEXITSTATUS(status)}"
