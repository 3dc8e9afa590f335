"""What gateway and workers tell each other; the first byte of a packet says what it is.

A request goes one way, and the bytes of an HTTP response come back. Beside that the gateway lends connections of
clients, which come back in the end (README.md in the folder of the gateway tells why).
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from sagemaker_sklearn_container.processes.channel import MappedFile, Packet
from sagemaker_sklearn_container.request_headers import RequestHeaders

# To a worker.
REQUEST = b"Q"
LOAN = b"L"  # with the descriptor of the connection
RECALL = b"R"  # give back every connection

# To the gateway.
READY = b"Y"  # the worker can take requests; with the descriptor of its status
FAILED = b"F"  # the worker never will; why follows
RESPONSE = b"A"
RETURN = b"B"  # a connection comes back

# REQUEST, kind of task, length of the NUL-joined fields, length of the body.
_REQUEST = struct.Struct("<cBIQ")
# RESPONSE, HTTP status, length of the head with its last line's end, length of the body, which follow.
_RESPONSE = struct.Struct("<cHIQ")
# LOAN, number of the connection, kind of task; the NUL-joined fields follow.
_LOAN = struct.Struct("<cQB")
# RETURN, number of the connection, lengths of what was read from it and of what remains to be written to it, whether it
# is to be closed then.
_RETURN = struct.Struct("<cQQQ?")

END_OF_LINE = b"\r\n"
CLOSE = b"Connection: close\r\n"


class Request(NamedTuple):
    """A request as a worker sees it.

    Attributes:
        kind: Which task, as the routes number them.
        content_type: Raw value; the `ContentType` header, else `Content-Type`, else application/json (S-23).
        accept: Raw value; the server's default if missing, empty or `*/*` (S-26).
        request_id: The client's X-Request-Id, or a new one.
        headers: All of them, as sent.
        body: Bytes if short; else a read-only view of memory that is given back when the request is answered.
        mapped: What `body` is a view of, if it is one.
    """

    kind: int
    content_type: str
    accept: str
    request_id: str
    headers: RequestHeaders
    body: bytes | memoryview
    mapped: MappedFile | None = None


def encode_request(
    kind: int, content_type: bytes, accept: bytes, request_id: bytes, headers: list[bytes], length: int
) -> bytes:
    """The packet of a request, which its body follows if it does not travel as a memory file.

    Args:
        kind: Which task, 0 to 255.
        content_type: Raw value.
        accept: Raw value.
        request_id: Of the request.
        headers: Names and values in turn; none of them holds a NUL.
        length: Of the body, bytes.
    """
    fields = b"\0".join((content_type, accept, request_id, *headers))
    return _REQUEST.pack(REQUEST, kind, len(fields), length) + fields


def decode_request(packet: Packet) -> Request:
    """The request in a packet; a memory file that came along is mapped."""
    _, kind, fields_length, body_length = _REQUEST.unpack_from(packet.data)
    body_start = _REQUEST.size + fields_length
    content_type, accept, request_id, *headers = bytes(packet.data[_REQUEST.size : body_start]).split(b"\0")
    mapped = None if packet.descriptor < 0 else MappedFile(packet.descriptor, body_length)
    return Request(
        kind,
        content_type.decode("latin-1"),
        accept.decode("latin-1"),
        request_id.decode("ascii"),
        RequestHeaders(headers),
        bytes(packet.data[body_start:]) if mapped is None else mapped.view,
        mapped,
    )


class ResponsePacket(NamedTuple):
    """A response on its way to the client.

    Attributes:
        status: HTTP status.
        head: Status line and headers, each with its line's end, without the empty line.
        body: What follows the empty line.
    """

    status: int
    head: bytes
    body: bytes | memoryview


def encode_response(status: int, head: bytes, inline: bytes, length: int) -> bytes:
    """The packet of a response; `inline` is empty if the body, of `length` bytes, travels as a memory file."""
    return _RESPONSE.pack(RESPONSE, status, len(head), length) + head + inline


def decode_response(packet: Packet) -> ResponsePacket:
    """The response in a packet; a memory file that came along is mapped, and unmapped with the last reference to it."""
    _, status, head_length, body_length = _RESPONSE.unpack_from(packet.data)
    end = _RESPONSE.size + head_length
    head = bytes(packet.data[_RESPONSE.size : end])
    if packet.descriptor < 0:
        return ResponsePacket(status, head, bytes(packet.data[end:]))
    return ResponsePacket(status, head, MappedFile(packet.descriptor, body_length).view)


class Loan(NamedTuple):
    """A client's connection that a worker may answer requests from.

    Attributes:
        number: Of the loan, not 0.
        kind: Which task its requests are for.
        client: Address of the client, for the access log.
        url: What a request must ask for, as sent.
    """

    number: int
    kind: int
    client: str
    url: bytes


def encode_loan(loan: Loan) -> bytes:
    """The packet of a loan, which the connection's descriptor travels with."""
    return _LOAN.pack(LOAN, loan.number, loan.kind) + loan.client.encode("latin-1") + b"\0" + loan.url


def decode_loan(packet: Packet) -> Loan:
    """The loan in a packet."""
    _, number, kind = _LOAN.unpack_from(packet.data)
    client, _, url = bytes(packet.data[_LOAN.size :]).partition(b"\0")
    return Loan(number, kind, client.decode("latin-1"), url)


class Returned(NamedTuple):
    """A connection that a worker gives back.

    Attributes:
        number: Of the loan.
        read: What the client has sent and the worker has not answered.
        unsent: The rest of an answer.
        last: Whether the connection is to be closed then.
    """

    number: int
    read: bytes | memoryview
    unsent: bytes | memoryview
    last: bool


def encode_return(number: int, read: int, unsent: int, last: bool) -> bytes:
    """The packet that gives a connection back, which so many bytes of either kind follow, or lie in a memory file."""
    return _RETURN.pack(RETURN, number, read, unsent, last)


def decode_return(packet: Packet) -> Returned:
    """The connection that comes back in a packet."""
    _, number, read, unsent, last = _RETURN.unpack_from(packet.data)
    data: bytes | memoryview = b""
    if packet.descriptor >= 0:
        data = MappedFile(packet.descriptor, read + unsent).view
    elif read + unsent:
        data = bytes(packet.data[_RETURN.size :])
    return Returned(number, data[:read], data[read:], last)
