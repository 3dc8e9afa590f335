"""The first process of a server: loads what the workers share, forks them, and replaces those that end."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import select
import selectors
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Callable, Iterable, NamedTuple

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.gateway import control
from sagemaker_sklearn_container.gateway.control import Message
from sagemaker_sklearn_container.processes import library_pages
from sagemaker_sklearn_container.processes.channel import Channel

logger = logging.getLogger(__name__)

Work = Callable[[Channel], None]

# Number of the pool in a server that has one.
ONLY_POOL = 0
# Begins what a spare process is told, which may be nothing more; a packet of no bytes would be an end.
_WORK = b"W"
# Of 1000; a process that takes half of the memory less than another one is then still chosen before it.
_FIRST_TO_END = b"500"
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


@dataclass
class _Pool:
    """Workers that do the same.

    Attributes:
        work: A worker's work, given its end of the channel to the gateway.
        told: What the work was made from, if the gateway asked for the pool.
        wanted: How many workers there are to be.
        essential: Whether the server ends if the pool has none and will have none.
        ending: Whether its workers are not replaced any more.
        was_ready: Whether any worker has ever been ready.
        workers: How many there are.
        due: When to start those that are missing, monotonic seconds.
        short_lives: Workers in a row that ended soon after their start.
        failed_starts: Workers in a row that ended before they were ready.
    """

    work: Work
    told: bytes | None
    wanted: int
    essential: bool
    ending: bool = False
    was_ready: bool = False
    workers: int = 0
    due: list[float] = field(default_factory=list)
    short_lives: int = 0
    failed_starts: int = 0


class _Worker(NamedTuple):
    """A worker process: its number, the number of its pool, and when it was started, monotonic seconds."""

    number: int
    pool: int
    started: float


class _Spare(NamedTuple):
    """A process that is forked already and waits to be told which worker it is: its id, and the channel to tell it."""

    pid: int
    channel: Channel


class Supervisor:
    """Keeps one gateway and pools of workers alive, in a single thread.

    The gateway is forked first, before anything large is loaded; the workers when everything is loaded that they share.
    A worker that ends is replaced at once. Without a gateway the server ends, so that the platform replaces the
    container.

    Source: contract S-03, S-04, S-07, S-08, M-31, M-39, M-42.
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
        self._new_work: Callable[[bytes], Work] | None = None
        # Forking takes longer than the rest of what it takes until a small model is there.
        self._spare: _Spare | None = None
        self._spare_due = 0.0
        self._pools: dict[int, _Pool] = {}
        self._workers: dict[int, _Worker] = {}  # by process id
        self._ready: set[int] = set()  # numbers of workers
        self._count = 0
        self._stop_by: float | None = None
        self._exit_code: int | None = None
        self._wakeup, self._wakeup_sink = socket.socketpair()

    def run(self, work: Work, workers: int) -> int:
        """Supervise one pool of workers, until told to stop.

        Args:
            work: A worker's work, given its end of the channel to the gateway.
            workers: How many there are to be.

        Returns:
            Exit code: 0 after SIGTERM or SIGINT, 1 if the gateway has ended or workers do not start.
        """
        self._pools[ONLY_POOL] = _Pool(work, None, workers, essential=True, due=[0.0] * workers)
        return self._run()

    def run_pools(self, new_work: Callable[[bytes], Work]) -> int:
        """Supervise pools of workers that the gateway asks for, until told to stop.

        Args:
            new_work: Makes the work of a pool's workers from what the gateway says about it.

        Returns:
            Exit code: 0 after SIGTERM or SIGINT, 1 if the gateway has ended.
        """
        self._new_work = new_work
        return self._run()

    def _run(self) -> int:
        self._catch_signals()
        gc.collect()
        # Keeps the garbage collector off what was loaded so far: writing its marks would unshare the pages.
        gc.freeze()
        library_pages.unmap_unused()
        self._control.set_blocking(False)
        with selectors.DefaultSelector() as selector:
            selector.register(self._wakeup, selectors.EVENT_READ)
            selector.register(self._control, selectors.EVENT_READ)
            while self._exit_code is None:
                self._start_due()
                if self._exit_code is None:
                    self._prepare_spare()
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
        moments = [moment for pool in self._pools.values() for moment in pool.due]
        if self._stop_by is not None:
            moments.append(self._stop_by)
        elif self._new_work is not None and self._spare is None:
            moments.append(self._spare_due)
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _signalled(self, numbers: bytes) -> None:
        if self._stop_by is not None or not {signal.SIGTERM, signal.SIGINT} & set(numbers):
            return
        logger.info("Stopping: requests that have begun are finished")
        self._stop_by = time.monotonic() + GRACEFUL_STOP_S
        for pool in self._pools.values():
            if pool.was_ready or pool.essential:
                pool.due = []  # only what a request waits for is begun
        self._tell(Message(control.STOP))

    def _enforce_stop(self) -> None:
        if self._stop_by is not None and self._exit_code is None and time.monotonic() >= self._stop_by:
            logger.warning("Stopping took longer than %d s; ending what is left", GRACEFUL_STOP_S)
            self._exit_code = 0

    # The gateway

    def _tell(self, message: Message, descriptor: int = -1) -> None:
        """Tell the gateway, which always listens; but only while it lives, and its end is noticed elsewhere."""
        data = message.packed()
        while True:
            try:
                self._control.send(data, descriptor)
            except BlockingIOError:  # it is behind
                select.select([], [self._control], [], 1.0)
                continue
            except OSError as exc:
                logger.debug("The gateway cannot be told: %s", exc)
            return

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
            self._obey(control.unpacked(packet))

    def _obey(self, message: Message) -> None:
        what, number = message.what, message.pool
        pool = self._pools.get(number)
        if what == control.READY:
            self._ready.add(message.worker)
            if pool is not None:
                pool.failed_starts, pool.was_ready = 0, True
        elif what == control.KILL:
            for pid in [pid for pid, worker in self._workers.items() if worker.number == message.worker]:
                _kill(pid)
        elif what == control.NEW_POOL and self._new_work is not None:
            self._pools[number] = _Pool(
                self._new_work(message.more), message.more, message.number, essential=False, due=[0.0] * message.number
            )
        elif what == control.RESIZE and pool is not None:
            pool.wanted = message.number
            missing = pool.wanted - pool.workers
            pool.due = [0.0] * max(0, missing)
        elif what == control.END_POOL and pool is not None:
            pool.ending, pool.due = True, []
            self._forget_if_ended(number, pool)

    def _forget_if_ended(self, number: int, pool: _Pool) -> None:
        if pool.ending and not pool.workers:
            del self._pools[number]
            self._tell(Message(control.POOL_ENDED, number))

    def _gateway_ended(self, status: int | None) -> None:
        if self._exit_code is not None:
            return
        if status is None:  # its end of the channel is closed: it is ending
            try:
                _, status = os.waitpid(self._gateway_pid, 0)
            except ChildProcessError:
                status = 0
        if self._stop_by is None:
            logger.error("The HTTP gateway ended: %s. The server ends with it.", described(status))
            self._exit_code = 1
        else:
            self._exit_code = 0

    # The workers

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
            elif pid in self._workers:
                self._worker_ended(pid, status)
            elif self._spare is not None and pid == self._spare.pid:
                self._spare_ended()

    def _worker_ended(self, pid: int, status: int) -> None:
        worker = self._workers.pop(pid)
        pool = self._pools[worker.pool]
        pool.workers -= 1
        lived_s = time.monotonic() - worker.started
        was_ready = worker.number in self._ready
        self._ready.discard(worker.number)
        if self._exit_code is not None:
            return
        self._tell(Message(control.WORKER_ENDED, worker.pool, worker.number, status))
        if pool.ending:
            self._forget_if_ended(worker.pool, pool)
            return
        if self._stop_by is not None:
            return
        # Whoever asked for a pool is told why it does not get ready, and may ask again.
        if pool.workers + len(pool.due) >= pool.wanted or not (pool.essential or pool.was_ready):
            return
        logger.error(
            "Worker %d (pid %d) ended: %s. Another one takes its place.", worker.number, pid, described(status)
        )
        pool.failed_starts = 0 if was_ready else pool.failed_starts + 1
        pool.short_lives = pool.short_lives + 1 if lived_s < _SHORT_LIFE_S else 0
        if pool.failed_starts >= _HOPELESS_STARTS:
            self._give_up(worker.pool, pool)
        else:
            pool.due.append(time.monotonic() + _restart_pause_s(pool))

    def _give_up(self, number: int, pool: _Pool) -> None:
        pool.due = []
        if pool.essential:
            logger.error("%d workers in a row ended before they were ready; the server ends.", pool.failed_starts)
            self._exit_code = 1
        else:
            logger.error("%d workers in a row ended before they were ready; there is none left.", pool.failed_starts)
            self._tell(Message(control.GIVEN_UP, number))

    def _start_due(self) -> None:
        now = time.monotonic()
        for number, pool in list(self._pools.items()):
            if pool.due:
                due = [moment for moment in pool.due if moment <= now]
                pool.due = [moment for moment in pool.due if moment > now]
                for _ in due:
                    self._start_worker(number, pool)

    def _start_worker(self, pool_number: int, pool: _Pool) -> None:
        self._count += 1
        number = self._count
        gateway_end, worker_end = Channel.pair()
        try:
            pid = self._use_spare(pool, worker_end)
            if pid is None:
                pid = self._fork_worker(lambda: pool.work(worker_end), gateway_end)
        except OSError as exc:
            gateway_end.close()
            logger.error("Forking a worker failed: %s. Trying again in %g s.", exc, _LONGEST_PAUSE_S)
            pool.failed_starts += 1
            if pool.failed_starts >= _HOPELESS_STARTS:
                self._give_up(pool_number, pool)
            else:
                pool.due.append(time.monotonic() + _LONGEST_PAUSE_S)
            return
        finally:
            worker_end.close()
        pool.workers += 1
        self._workers[pid] = _Worker(number, pool_number, time.monotonic())
        self._tell(Message(control.NEW_WORKER, pool_number, number, pid), gateway_end.fileno())
        gateway_end.close()

    def _fork_worker(self, work: Callable[[], None], not_its_own: Channel) -> int:
        """The process id of a new process that does `work`; OSError if there can be none."""

        def run() -> None:
            _prefer_to_be_ended()
            work()

        spare = () if self._spare is None else (self._spare.channel,)
        return _fork(run, (not_its_own, self._control, self._wakeup, self._wakeup_sink, *spare))

    def _use_spare(self, pool: _Pool, worker_end: Channel) -> int | None:
        """The process id of the spare process, which is that pool's worker now; None if there is none."""
        spare = self._spare
        if spare is None or pool.told is None:
            return None
        self._spare = None
        try:
            spare.channel.send(_WORK + pool.told, worker_end.fileno())
        except OSError:  # it has ended
            return None
        finally:
            spare.channel.close()
        return spare.pid

    def _prepare_spare(self) -> None:
        now = time.monotonic()
        if self._new_work is None or self._spare is not None or self._stop_by is not None or now < self._spare_due:
            return
        new_work = self._new_work
        own_end, spare_end = Channel.pair()

        def wait() -> None:
            packet = spare_end.receive()
            if packet is not None:
                told, channel = bytes(packet.data[len(_WORK) :]), Channel.from_descriptor(packet.descriptor)
                spare_end.close()
                new_work(told)(channel)

        try:
            pid = self._fork_worker(wait, own_end)
        except OSError as exc:
            logger.debug("Forking a spare process failed: %s", exc)
            own_end.close()
            self._spare_due = now + _LONGEST_PAUSE_S
        else:
            self._spare = _Spare(pid, own_end)
        spare_end.close()

    def _spare_ended(self) -> None:
        if self._spare is not None:
            self._spare.channel.close()
            self._spare = None
            self._spare_due = time.monotonic() + _LONGEST_PAUSE_S

    def _end_workers(self) -> None:
        """End what is left: idle workers end with the gateway, which ends with its channel to this process."""
        self._control.close()
        if self._exit_code != 0:
            _kill(self._gateway_pid)
        deadline = time.monotonic() + _LAST_WORKERS_S
        while self._workers and time.monotonic() < deadline:
            self._reap()
            time.sleep(0.005)
        left = [*self._workers, *(() if self._spare is None else (self._spare.pid,))]
        for pid in left:
            _kill(pid)
        for pid in left:  # killing takes a moment, and nothing is to be left when this process has ended
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _prefer_to_be_ended() -> None:
    """Be the process that the kernel ends first when the container has no memory left: this one can be replaced."""
    # No file object: what Python touches on the way to one would no longer be shared.
    with contextlib.suppress(OSError):  # where /proc is not to be written, the largest process is ended
        descriptor = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        try:
            os.write(descriptor, _FIRST_TO_END)
        finally:
            os.close(descriptor)


def _restart_pause_s(pool: _Pool) -> float:
    excess = pool.short_lives - _FREE_RESTARTS
    return 0.0 if excess <= 0 else min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(excess - 1, 10))


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


def described(status: int) -> str:
    """A wait status in words."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        hint = " (the container may be out of memory, or the request took too long)" if number == signal.SIGKILL else ""
        return f"killed by {signal.Signals(number).name}{hint}"
    return f"exit code {os.WEXITSTATUS(status)}"
