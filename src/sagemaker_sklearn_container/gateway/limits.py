"""What the gateway allows."""

from __future__ import annotations

from dataclasses import dataclass

from sagemaker_sklearn_container import contract

# The connections that the kernel completes while the gateway is busy (S-09).
BACKLOG = 2048


@dataclass(frozen=True)
class Limits:
    """What a client and a request may take.

    Attributes:
        max_body_bytes: Longest request body, None for no limit (S-29, S-47).
        request_s: Longest time for one request in a worker, and for waiting for a worker, seconds (S-10).
        max_head_bytes: Longest request line with headers.
        max_headers: Most headers of a request.
        keep_alive_s: How long a connection may rest between requests; as long as under nginx, which was here before.
        head_s: Longest time from the first byte of a request to the end of its headers.
        pause_s: Longest pause within a request body, or of a client that should read a response.
        max_waiting: Most requests that wait for a worker (S-48).
        max_waiting_bytes: Most bytes of request bodies that wait for a worker, if more than one waits (S-48).
        large_body_bytes: Longer bodies count as large: they may not keep all workers busy while small ones come in.
    """

    max_body_bytes: int | None = None
    request_s: float = contract.DEFAULT_TIMEOUT_S
    max_head_bytes: int = 32 * 1024
    max_headers: int = 128
    keep_alive_s: float = 75.0
    head_s: float = 60.0
    pause_s: float = 60.0
    max_waiting: int = 10 * BACKLOG
    max_waiting_bytes: int = 1024 * 1024 * 1024
    large_body_bytes: int = 1024 * 1024
