"""One HTTP request while the gateway has it: its head, its body, and who waits for the answer."""

from __future__ import annotations

import mmap
import os
import re
from typing import Protocol, Sequence

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.errors import HeadersTooLargeError, PayloadTooLargeError, RequestError
from sagemaker_sklearn_container.gateway import responses
from sagemaker_sklearn_container.gateway.limits import Limits
from sagemaker_sklearn_container.gateway.routes import NOTHING, Target
from sagemaker_sklearn_container.processes.channel import MAX_INLINE_BODY_BYTES, memory_file, write_all
from sagemaker_sklearn_container.processes.messages import ResponsePacket, encode_request

# What may be repeated in a response header and a log line.
_SAFE_ID = re.compile(rb"[\x21-\x7e]{1,128}")
_UNKNOWN = Target(NOTHING, "-")
_JSON = contract.JSON.encode("ascii")
_ANY = (b"", contract.ANY.encode("ascii"))
# Headers that the gateway itself reads; of repeated ones the first counts.
SPECIAL_HEADERS = frozenset(
    {b"accept", b"content-length", b"content-type", b"contenttype", b"expect", b"user-agent", b"x-request-id"}
)


class RequestIds:
    """Makes request ids that no other process makes."""

    def __init__(self) -> None:
        """Ids of a process of their own."""
        self._prefix = os.urandom(8).hex().encode("ascii")
        self._count = 0

    def new(self) -> bytes:
        """An id that nobody else gives."""
        self._count += 1
        return b"%b-%08x" % (self._prefix, self._count)


class Client(Protocol):
    """Who waits for the answer to a request."""

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Headers of every answer."""

    def error_body(self, status: int, kind: str, message: str) -> bytes:
        """The body of an answer that says what went wrong."""

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
        took_s: How long a worker had it, seconds; negative if none did.
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
        "took_s",
        "_chunks",
        "_descriptor",
        "_client",
    )

    def __init__(self, client: Client | None) -> None:
        """A request of which nothing is known yet; without a client, whoever has it writes the answer itself."""
        self.url = b""
        self.method = b"-"
        self.headers: list[bytes] = []
        self.special: dict[bytes, bytes] = {}
        self.target = _UNKNOWN
        self.keep_alive = False
        self.old = False
        self.length = 0
        self.request_id = b""
        self.received = 0.0
        self.expects = False
        self.took_s = -1.0
        self._chunks: list[bytes | memoryview] = []
        self._descriptor = -1
        self._client = client

    @property
    def abandoned(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return self._client is None

    def add_header(self, name: bytes, value: bytes) -> None:
        """Take a header, as sent."""
        headers = self.headers
        headers.append(name)
        headers.append(value)
        key = name.lower()
        if key in SPECIAL_HEADERS and key not in self.special:
            self.special[key] = value

    def head_fits(self, limits: Limits) -> bool:
        """Whether request line and headers are no more than allowed; else `head_too_large` is the error."""
        headers = self.headers
        length = len(self.url) + len(b"".join(headers))  # faster than to add up the lengths
        return length <= limits.max_head_bytes and len(headers) <= 2 * limits.max_headers

    def identify(self, ids: RequestIds) -> None:
        """Take the client's request id, if it is safe to repeat, else a new one."""
        given = self.special.get(b"x-request-id")
        self.request_id = given if given and _SAFE_ID.fullmatch(given) else ids.new()

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

    def room_for_rest(self, total: int) -> memoryview:
        """Where to write the rest of a body of `total` bytes, of which the beginning has been added.

        Raises:
            OSError: there is no memory, or no file descriptor.
        """
        if self._descriptor < 0:
            self._descriptor = memory_file()
            write_all(self._descriptor, b"".join(self._chunks))
            self._chunks.clear()
        os.ftruncate(self._descriptor, total)
        return memoryview(mmap.mmap(self._descriptor, total))[self.length :]

    def add_inline(self, data: bytes) -> None:
        """Take a piece of a body that is not to go to a memory file."""
        self.length += len(data)
        self._chunks.append(data)

    def set_body(self, body: bytes | memoryview) -> None:
        """Take the whole body, whatever there is of it already."""
        self.length = len(body)
        self._chunks = [body]

    @property
    def body(self) -> bytes | memoryview:
        """The whole body, if it is not in a memory file."""
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)

    def negotiated(self, default_accept: bytes) -> tuple[bytes, bytes]:
        """Content type and accepted type, as user code is told them.

        Source: contract S-23, S-26.
        """
        special = self.special
        content_type = special.get(b"contenttype") or special.get(b"content-type") or _JSON
        accept = special.get(b"accept", b"")
        return content_type, default_accept if accept.strip() in _ANY else accept

    def packet(self, default_accept: bytes) -> tuple[bytes, int, Sequence[bytes | memoryview]]:
        """The message for a worker; the descriptor to send along, -1 for none; the pieces of the body otherwise."""
        content_type, accept = self.negotiated(default_accept)
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
        client = self._client
        if client is None:
            self.discard()
            return
        body = client.error_body(error.status, error.kind, str(error))
        request_id = self.request_id.decode("ascii")
        headers = (*self.target.headers, *client.headers)
        head = responses.error_head(error.status, len(body), request_id, headers)
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


def head_too_large(limits: Limits) -> HeadersTooLargeError:
    """The error of a request whose head is more than allowed."""
    return HeadersTooLargeError(
        f"The request line and headers are longer than {limits.max_head_bytes} bytes or more than "
        f"{limits.max_headers}; send fewer or shorter ones."
    )
