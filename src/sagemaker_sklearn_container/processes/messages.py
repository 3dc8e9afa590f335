"""What gateway and workers tell each other: a request one way, the bytes of an HTTP response the other way."""

from __future__ import annotations

import struct
from typing import NamedTuple

from sagemaker_sklearn_container.processes.channel import MappedFile, Packet
from sagemaker_sklearn_container.processes.headers import Headers

# Kind of task, length of the NUL-joined fields, length of the body.
_REQUEST = struct.Struct("<BIQ")
# HTTP status, length of the head with its last line's end, length of the body; both follow, with an empty line between.
_RESPONSE = struct.Struct("<HIQ")

# What a worker sends once it can take requests.
READY = _RESPONSE.pack(0, 0, 0)
END_OF_LINE = b"\r\n"


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
    headers: Headers
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
    fields = b"\0".join((content_type, accept, request_id, *headers, b""))
    return _REQUEST.pack(kind, len(fields), length) + fields


def decode_request(packet: Packet) -> Request:
    """The request in a packet; a memory file that came along is mapped."""
    kind, fields_length, body_length = _REQUEST.unpack_from(packet.data)
    body_start = _REQUEST.size + fields_length
    fields = bytes(packet.data[_REQUEST.size : body_start])
    content_type, accept, request_id, headers = fields.decode("latin-1").split("\0", 3)
    mapped = None if packet.descriptor < 0 else MappedFile(packet.descriptor, body_length)
    return Request(
        kind,
        content_type,
        accept,
        request_id,
        Headers(headers),
        bytes(packet.data[body_start:]) if mapped is None else mapped.view,
        mapped,
    )


class ResponsePacket(NamedTuple):
    """A response on its way to the client.

    Attributes:
        status: HTTP status; 0 says that the worker is ready.
        head: Status line and headers, each with its line's end, without the empty line.
        body: What follows the empty line.
    """

    status: int
    head: bytes
    body: bytes | memoryview


def encode_response(status: int, head: bytes, inline: bytes, length: int) -> bytes:
    """The packet of a response; `inline` is empty if the body, of `length` bytes, travels as a memory file."""
    return _RESPONSE.pack(status, len(head), length) + head + inline


def decode_response(packet: Packet) -> ResponsePacket:
    """The response in a packet; a memory file that came along is mapped, and unmapped with the last reference to it."""
    status, head_length, body_length = _RESPONSE.unpack_from(packet.data)
    end = _RESPONSE.size + head_length
    head = bytes(packet.data[_RESPONSE.size : end])
    if packet.descriptor < 0:
        return ResponsePacket(status, head, bytes(packet.data[end:]))
    return ResponsePacket(status, head, MappedFile(packet.descriptor, body_length).view)
