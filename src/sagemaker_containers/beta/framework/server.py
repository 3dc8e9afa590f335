"""Starting the server: the container's business, so only a name; and choosing free ports.

Source: contract U-40.
"""

from __future__ import annotations

from sagemaker_training import unavailable

start = unavailable.function("server.start", "The container's `serve` command starts the server; leave it to that")


def next_safe_port(port_range: str, after: str | int | None = None) -> str:
    """The first port of a range, or the one that follows another.

    Args:
        port_range: First and last port, as `ServingEnv().safe_port_range` gives them: `1111-2222`.
        after: A port that is in use, or None.

    Raises:
        ValueError: the next port is not in the range.
    """
    first, last = (int(part) for part in port_range.split("-"))
    port = int(after) + 1 if after else first
    if not first <= port <= last:
        raise ValueError(f"The port after {after} is {port}, which is not in the range {port_range} of usable ports.")
    return str(port)
