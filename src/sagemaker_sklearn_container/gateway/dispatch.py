"""Which request goes to which worker, and when. Pure: neither sockets nor clocks of its own."""

from __future__ import annotations

import logging
from collections import deque
from typing import Callable, Protocol

from sagemaker_sklearn_container.errors import OverloadedError, RequestError
from sagemaker_sklearn_container.gateway.limits import Limits
from sagemaker_sklearn_container.gateway.request import HttpRequest

logger = logging.getLogger(__name__)

# How long after a small request one worker is kept free of large ones: pure large traffic gets every worker.
SMALL_RECENTLY_S = 1.0


class WorkerGoneError(Exception):
    """A worker could not be given a request, because it has ended."""


class Worker(Protocol):
    """A worker as the dispatcher sees it."""

    @property
    def busy(self) -> bool:
        """Whether it computes at the moment: it may, for a connection that it was lent, and still count as idle."""

    def start(self, request: HttpRequest) -> None:
        """Give it a request, which it has not before the last one is done.

        Raises:
            WorkerGoneError: it has ended.
        """


class Dispatcher:
    """The requests and the workers of one model: one request at a time per worker, the others wait in order.

    With more than one worker, large requests leave one worker to the small ones as long as there are small ones, so
    that these never wait for a large one to end.

    Source: contract S-12, S-48.
    """

    def __init__(
        self,
        limits: Limits,
        clock: Callable[[], float],
        call_at: Callable[[float, Callable[[], None]], object],
    ) -> None:
        """A dispatcher without workers.

        Args:
            limits: What may wait, and how long.
            clock: Gives the time, seconds.
            call_at: Has a function called at a time of that clock.
        """
        self._limits = limits
        self._clock = clock
        self._call_at = call_at
        # The last one to become idle is the first one to work: its caches are warm.
        self._idle: list[Worker] = []
        self._running: dict[Worker, bool] = {}  # each busy worker, and whether its request is a large one
        self._small: deque[HttpRequest] = deque()
        self._large: deque[HttpRequest] = deque()
        self._waiting_bytes = 0
        self._large_running = 0
        self._last_small = -SMALL_RECENTLY_S
        self._timer_set = False

    @property
    def workers(self) -> int:
        """How many workers there are, busy ones included."""
        return len(self._idle) + len(self._running)

    @property
    def waiting(self) -> int:
        """How many requests wait for a worker."""
        return len(self._small) + len(self._large)

    def submit(self, request: HttpRequest) -> None:
        """Have a complete request answered: at once, or after those that wait already.

        One more than may wait is answered with 503.
        """
        large = self.is_large(request)
        if not large:
            self.note_small(request.received)
        if self._idle and not self._small and (not large or (not self._large and self._large_may_run())):
            self._start(request, large)
            return
        if self._full(request):
            self._drop_abandoned()
        if self._full(request):
            fail(
                request,
                OverloadedError(
                    f"{self.waiting} requests with {self._waiting_bytes} bytes wait for {self.workers} workers; "
                    "send fewer at a time, or serve from more workers or instances."
                ),
            )
            return
        (self._large if large else self._small).append(request)
        self._waiting_bytes += request.length
        self._set_timer()
        if self._idle:
            self._pump()

    def is_large(self, request: HttpRequest) -> bool:
        """Whether a request counts as a large one."""
        return request.length > self._limits.large_body_bytes

    def note_small(self, when: float) -> None:
        """There was a small request at that time, perhaps one that needed no dispatcher."""
        self._last_small = when

    def ready(self, worker: Worker) -> None:
        """A worker can take a request: a new one, or one that has done its last."""
        if self._running.pop(worker, False):
            self._large_running -= 1
        self._idle.append(worker)
        if self._small or self._large:
            self._pump()

    def occupied(self, worker: Worker) -> None:
        """A worker can take no request until it is `ready` again, because of one that was not handed out here."""
        if worker in self._idle:
            self._idle.remove(worker)
        if self._running.get(worker, False):
            self._large_running -= 1
        self._running[worker] = False

    def gone(self, worker: Worker) -> None:
        """A worker has ended; what became of its request is its link's business."""
        if self._running.pop(worker, False):
            self._large_running -= 1
        if worker in self._idle:
            self._idle.remove(worker)

    def resubmit(self, request: HttpRequest) -> None:
        """Put a request that no worker has begun before all others."""
        large = self.is_large(request)
        (self._large if large else self._small).appendleft(request)
        self._waiting_bytes += request.length
        self._set_timer()
        self._pump()

    def fail_waiting(self, error: RequestError) -> None:
        """Answer every request that waits for a worker with an error."""
        waiting = [*self._small, *self._large]
        self._small.clear()
        self._large.clear()
        self._waiting_bytes = 0
        for request in waiting:
            fail(request, error)

    def _drop_abandoned(self) -> None:
        """Make room: requests whose clients have gone need not wait."""
        for queue in (self._small, self._large):
            kept = [request for request in queue if not request.abandoned]
            for request in queue:
                if request.abandoned:
                    request.discard()
            queue.clear()
            queue.extend(kept)
        self._waiting_bytes = sum(request.length for queue in (self._small, self._large) for request in queue)

    def _full(self, request: HttpRequest) -> bool:
        if not self.waiting:
            return False
        too_long = self._waiting_bytes + request.length > self._limits.max_waiting_bytes
        return self.waiting >= self._limits.max_waiting or too_long

    def _large_may_run(self) -> bool:
        if self._clock() - self._last_small > SMALL_RECENTLY_S and not self._small:
            return True
        return self._large_running < max(1, self.workers - 1)

    def _pump(self) -> None:
        while self._idle:
            small = self._small[0] if self._small else None
            large = self._large[0] if self._large and self._large_may_run() else None
            if small is not None and (large is None or small.received <= large.received):
                self._small.popleft()
                self._waiting_bytes -= small.length
                self._start(small, False)
            elif large is not None:
                self._large.popleft()
                self._waiting_bytes -= large.length
                self._start(large, True)
            else:
                if self._large:  # once small requests have ceased, one more large one may run
                    self._call_at(self._clock() + SMALL_RECENTLY_S, self._pump)
                return

    def _start(self, request: HttpRequest, large: bool) -> None:
        if request.abandoned:
            request.discard()
            return
        while self._idle:
            worker = self._next_idle()
            try:
                worker.start(request)
            except WorkerGoneError:
                continue  # its link takes notice; nothing was begun
            self._running[worker] = large
            self._large_running += large
            return
        self.resubmit(request)

    def _next_idle(self) -> Worker:
        idle = self._idle
        for index in range(len(idle) - 1, -1, -1):
            if not idle[index].busy:
                return idle.pop(index)
        return idle.pop()

    def _set_timer(self) -> None:
        if not self._timer_set:
            self._timer_set = True
            self._call_at(self._clock() + self._limits.request_s, self._expire)

    def _expire(self) -> None:
        """Answer what has waited too long: by now its client has given up."""
        self._timer_set = False
        oldest_allowed = self._clock() - self._limits.request_s
        for queue in (self._small, self._large):
            while queue and queue[0].received <= oldest_allowed:
                request = queue.popleft()
                self._waiting_bytes -= request.length
                fail(
                    request,
                    OverloadedError(
                        f"The request waited {self._limits.request_s:g} s for one of {self.workers} workers, all busy; "
                        "send fewer at a time, or serve from more workers or instances."
                    ),
                )
        remaining = [queue[0].received for queue in (self._small, self._large) if queue]
        if remaining:
            self._timer_set = True
            self._call_at(min(remaining) + self._limits.request_s, self._expire)


def fail(request: HttpRequest, error: RequestError) -> None:
    """Answer a request with an error that is nobody's fault but the server's or the user code's, and log it."""
    logger.error("Request %s: %s", request.request_id.decode("ascii"), error)
    request.fail(error)
