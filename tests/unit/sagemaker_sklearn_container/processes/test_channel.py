"""Packets between processes, within this one."""

from __future__ import annotations

import os

import pytest

from sagemaker_sklearn_container.processes import messages
from sagemaker_sklearn_container.processes.channel import (
    MAX_INLINE_BODY_BYTES,
    MAX_PACKET_BYTES,
    Channel,
    MappedFile,
    memory_file,
    write_all,
)


def test_packets_keep_their_bounds() -> None:
    """S-12."""
    one, other = Channel.pair()
    for data in (b"a", b"b" * MAX_PACKET_BYTES):
        one.send(data)
        packet = other.receive()
        assert packet is not None
        assert (bytes(packet.data), packet.descriptor) == (data, -1)
    one.close()
    assert other.receive() is None
    other.close()


@pytest.mark.parametrize("pieces", [1, 3, 5000])
def test_pieces_are_one_packet(pieces: int) -> None:
    """S-28: a chunked body may come in any number."""
    one, other = Channel.pair()
    one.send(b"head ", rest=[b"x"] * pieces)
    packet = other.receive()
    assert packet is not None
    assert bytes(packet.data) == b"head " + b"x" * pieces
    one.close()
    other.close()


def test_an_end_that_closed_with_a_packet_unread_is_told_from_one_that_did_not() -> None:
    """S-46: what was not read was not begun."""
    one, other = Channel.pair()
    one.send(b"a")
    other.close()
    with pytest.raises(ConnectionResetError):
        one.receive()
    with pytest.raises(BrokenPipeError):
        one.send(b"b")
    one.close()


def test_a_channel_that_does_not_wait() -> None:
    """S-05."""
    one, other = Channel.pair()
    one.set_blocking(False)
    with pytest.raises(BlockingIOError):
        one.receive()
    one.close()
    other.close()


@pytest.mark.parametrize("length", [0, 3, MAX_INLINE_BODY_BYTES, MAX_INLINE_BODY_BYTES + 1, 3_000_000])
def test_a_request_travels(length: int) -> None:
    """S-23, S-29: with its body in the packet or in a memory file."""
    one, other = Channel.pair()
    body = b"x" * length
    inline = body if length <= MAX_INLINE_BODY_BYTES else b""
    descriptor = -1
    if not inline and length:
        descriptor = memory_file()
        write_all(descriptor, body)
    fields = [b"A", b"b", b"a", b"c\xe9", b"Empty", b""]
    one.send(messages.encode_request(1, b"text/csv", b"*/*", b"id", fields, length), descriptor, [inline])
    if descriptor >= 0:
        os.close(descriptor)
    packet = other.receive()
    assert packet is not None
    request = messages.decode_request(packet)
    assert (request.kind, request.content_type, request.accept, request.request_id) == (1, "text/csv", "*/*", "id")
    assert dict(request.headers) == {"A": "b, c\u00e9", "Empty": ""}
    assert request.body == body
    assert isinstance(request.body, bytes) == (length <= MAX_INLINE_BODY_BYTES)
    if request.mapped is not None:
        request.mapped.release()
    one.close()
    other.close()


def test_a_mapped_file_lives_as_long_as_a_part_of_it_is_used() -> None:
    """S-29: user code may keep a view."""
    descriptor = memory_file()
    write_all(descriptor, b"abc")
    mapped = MappedFile(descriptor, 3)
    part = mapped.view[1:]
    mapped.release()
    assert bytes(part) == b"bc"
    part.release()
