"""One HTTP request while the gateway has it: its head, its body, and who waits for the answer."""

from __future__ import annotations

import os
import re
from typing import Protocol, Sequence

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.errors import PayloadTooLargeError, RequestError
from sagemaker_sklearn_container.gateway import responses
from sagemaker_sklearn_container.gateway.limits import Limits
from sagemaker_sklearn_container.gateway.routes import NOTHING, Target
from sagemaker_sklearn_container.processes.channel import MAX_INLINE_BODY_BYTES, memory_file, write_all
from sagemaker_sklearn_container.processes.messages import ResponsePacket, encode_request

# What may be repeated in a response header and a log line.
_SAFE_ID = re.compile(rb"[\x21-\x7e]{1,128}")
_JSON = contract.JSON.encode("ascii")
_ANY = (b"", contract.ANY.encode("ascii"))
# Headers that the gateway itself reads; of repeated ones the first counts.
SPECIAL_HEADERS = frozenset(
    {b"accept", b"content-length", b"content-type", b"contenttype", b"expect", b"user-agent", b"x-request-id"}
)


class Client(Protocol):
    """Who waits for the answer to a request."""

    def respond(self, request: HttpRequest, response: ResponsePacket) -> None:
        """Take the answer to a request of this client's."""


class HttpRequest:
    """One request, from its first byte to its answer.

    Attributes:
        url: As sent.
        method: As sent.
        headers: Names and values in turn, as sent.
        special: Values of SPECIAL_HEADERS by lower-case name.
        target: What is asked for.
        keep_alive: Whether the connection can serve another request afterwards, as far as the client is concerned.
        old: Whether it is HTTP/1.0.
        length: Bytes of body so far.
        request_id: The client's X-Request-Id, or a new one.
        received: When it was complete, on the event loop's clock, seconds.
        expects: Whether the client waits to be asked for the body.
    """

    __slots__ = (
        "url",
        "method",
        "headers",
        "special",
        "target",
        "keep_alive",
        "old",
        "length",
        "request_id",
        "received",
        "expects",
        "_chunks",
        "_descriptor",
        "_client",
    )

    def __init__(self, client: Client) -> None:
        """A request of which nothing is known yet."""
        self.url = b""
        self.method = b"-"
        self.headers: list[bytes] = []
        self.special: dict[bytes, bytes] = {}
        self.target = Target(NOTHING, "-")
        self.keep_alive = False
        self.old = False
        self.length = 0
        self.request_id = b""
        self.received = 0.0
        self.expects = False
        self._chunks: list[bytes] = []
        self._descriptor = -1
        self._client: Client | None = client

    @property
    def abandoned(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return self._client is None

    def identify(self, new_id: bytes) -> None:
        """Take the client's request id, if it is safe to repeat, else `new_id`."""
        given = self.special.get(b"x-request-id", b"")
        self.request_id = given if given and _SAFE_ID.fullmatch(given) else new_id

    def too_large(self, limits: Limits) -> PayloadTooLargeError | None:
        """The error if the body is, or says that it will be, longer than allowed.

        Source: contract S-29, S-47.
        """
        most = limits.max_body_bytes
        if most is None or max(self.length, int(self.special.get(b"content-length", b"0"))) <= most:
            return None
        return PayloadTooLargeError(
            f"The request body is longer than {most} bytes, the limit set by {contract.MAX_CONTENT_LENGTH} or "
            f"{contract.MAX_PAYLOAD_IN_MB}."
        )

    def add(self, data: bytes) -> None:
        """Take a piece of the body; a long one goes to a memory file as it comes.

        Raises:
            OSError: there is no memory for it.
        """
        self.length += len(data)
        if self._descriptor < 0:
            self._chunks.append(data)
            if self.length <= MAX_INLINE_BODY_BYTES:
                return
            self._descriptor = memory_file()
            data = b"".join(self._chunks)
            self._chunks.clear()
        write_all(self._descriptor, data)

    def packet(self, default_accept: bytes) -> tuple[bytes, int, Sequence[bytes]]:
        """The message for a worker; the descriptor to send along, -1 for none; the pieces of the body otherwise.

        Source: contract S-23, S-26.
        """
        special = self.special
        content_type = special.get(b"contenttype") or special.get(b"content-type") or _JSON
        accept = special.get(b"accept", b"")
        if accept.strip() in _ANY:
            accept = default_accept
        message = encode_request(self.target.kind, content_type, accept, self.request_id, self.headers, self.length)
        return message, self._descriptor, self._chunks

    def respond(self, response: ResponsePacket) -> None:
        """Give the answer to whom it may concern, and forget the body."""
        client, self._client = self._client, None
        self.discard()
        if client is not None:
            client.respond(self, response)

    def fail(self, error: RequestError) -> None:
        """Answer with an error."""
        body = responses.error(type(error).__name__, str(error))
        request_id = self.request_id.decode("ascii")
        head = responses.error_head(error.status, len(body), request_id, self.target.headers)
        self.respond(ResponsePacket(error.status, head, body))

    def abandon(self) -> None:
        """The client has gone: forget who waits. A worker that has the request finishes it for nobody."""
        self._client = None

    def discard(self) -> None:
        """Forget the body."""
        self._chunks.clear()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
