"""A worker process: one request after the other, in the main thread, with nothing else around it."""

from __future__ import annotations

import logging
import os
import sys
from typing import Callable

from sagemaker_sklearn_container.processes import messages
from sagemaker_sklearn_container.processes.channel import MAX_INLINE_BODY_BYTES, Channel, memory_file, write_all
from sagemaker_sklearn_container.processes.messages import Request

logger = logging.getLogger(__name__)

# Gives status, head without the empty line, and body.
Answer = Callable[[Request], "tuple[int, bytes, bytes]"]


def run(channel: Channel, answer: Answer) -> None:
    """Answer requests until the gateway closes the channel.

    Args:
        channel: To the gateway.
        answer: Answers one request, and raises nothing.

    Source: contract S-12.
    """
    # A process that user code forks must not keep the channel open when this one ends.
    os.register_at_fork(after_in_child=channel.close)
    channel.send(messages.READY)
    while True:
        packet = channel.receive()
        if packet is None:
            return
        request = messages.decode_request(packet)
        status, head, body = answer(request)
        mapped = request.mapped
        del packet, request
        if mapped is not None:
            mapped.release()
            del mapped
        sys.stdout.flush()
        _send(channel, status, head, body)
        del head, body


def _send(channel: Channel, status: int, head: bytes, body: bytes) -> None:
    if len(body) <= MAX_INLINE_BODY_BYTES:
        channel.send(messages.encode_response(status, head, body, len(body)))
        return
    descriptor = memory_file()
    try:
        write_all(descriptor, body)
        channel.send(messages.encode_response(status, head, b"", len(body)), descriptor)
    finally:
        os.close(descriptor)
