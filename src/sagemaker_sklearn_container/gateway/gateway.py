"""The gateway's event loop: the listening socket, the supervisor's messages, the links to the workers."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import deque
from typing import Any

from sagemaker_sklearn_container.gateway import control
from sagemaker_sklearn_container.gateway.access_log import AccessLog
from sagemaker_sklearn_container.gateway.control import Message
from sagemaker_sklearn_container.gateway.http import Service
from sagemaker_sklearn_container.gateway.limits import BACKLOG
from sagemaker_sklearn_container.gateway.site import Gateway, SiteSettings
from sagemaker_sklearn_container.processes.channel import Channel

logger = logging.getLogger(__name__)

_TELL_AGAIN_S = 0.01
# How long a connection without a request is kept when stopping: what its client has sent by now is answered.
_LAST_REQUESTS_S = 0.3


class Server:
    """The event loop's side of the gateway process.

    Attributes:
        ended: Done when there is nothing left to do after the supervisor said stop, or the supervisor is gone.

    Source: contract S-03 to S-05, S-07, S-09.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, listener: socket.socket, control_end: Channel, settings: SiteSettings
    ) -> None:
        """A gateway whose port is not open yet; arguments as for `process.run`."""
        self.ended: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        self._listener = listener
        self._control = control_end
        self._server: asyncio.AbstractServer | None = None
        self._untold: deque[Message] = deque()
        self._access_log = AccessLog(loop.call_later)
        self._site = settings.site(Gateway(loop, self._tell, self._open_port))
        self._service = Service(loop, settings, self._site, self._access_log)
        control_end.set_blocking(False)
        loop.add_reader(control_end.fileno(), self._supervisor_says)

    def flush(self) -> None:
        """Write what is left of the access log."""
        self._access_log.flush()

    def _supervisor_says(self) -> None:
        try:
            packet = self._control.receive()
        except BlockingIOError:
            return
        except OSError:
            packet = None
        if packet is None:  # it is gone, and everything with it
            self._end()
            return
        message = control.unpacked(packet)
        if message.what == control.NEW_WORKER:
            self._site.worker_started(message, Channel.from_descriptor(packet.descriptor))
        elif message.what != control.STOP:
            self._site.told(message)
        elif not self._service.stopping:
            self._stop()

    def _tell(self, message: Message) -> None:
        self._untold.append(message)
        if len(self._untold) == 1:
            self._tell_all()

    def _tell_all(self) -> None:
        """Tell what there is, in this order: a pool must not end before it begins."""
        while self._untold:
            message = self._untold[0]
            try:
                self._control.send(message.packed())
            except BlockingIOError:
                # It forks workers, or loads what they share.
                self._loop.call_later(_TELL_AGAIN_S, self._tell_all)
                return
            except OSError as exc:
                logger.error("Telling the supervisor %r failed: %s", message, exc)
            self._untold.popleft()

    def _open_port(self) -> None:
        self._loop.create_task(self._listen())

    async def _listen(self) -> None:
        if self._service.stopping:
            return
        # A copy, to take what is left in the queue of connections when the server has closed its own.
        self._server = await self._loop.create_server(
            self._service.connection, sock=self._listener.dup(), backlog=BACKLOG
        )
        logger.info("Serving on port %d", self._listener.getsockname()[1])

    def _stop(self) -> None:
        """Take no more connections; each open one ends after what it is busy with."""
        self._service.stopping = True
        self._site.recall()
        self._loop.create_task(self._drain())

    async def _drain(self) -> None:
        if self._server is not None:
            self._server.close()
            self._listener.setblocking(False)
            while True:  # whoever the kernel has let in is served
                try:
                    accepted, _ = self._listener.accept()
                except OSError:
                    break
                accepted.setblocking(False)
                await self._adopt(accepted)
        self._listener.close()
        self._service.on_empty = self._end
        if self._service.connections:
            await asyncio.sleep(_LAST_REQUESTS_S)
            for connection in list(self._service.connections):
                connection.stop()
        else:
            self._end()

    async def _adopt(self, accepted: socket.socket) -> None:
        loop: Any = self._loop  # typeshed knows the method of concrete loops only
        try:
            await loop.connect_accepted_socket(self._service.connection, accepted)
        except OSError as exc:
            logger.debug("A connection was lost while stopping: %s", exc)

    def _end(self, *_: Any) -> None:
        if not self.ended.done():
            self.ended.set_result(None)
