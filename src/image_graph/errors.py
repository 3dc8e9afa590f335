"""What ends a drawing."""

from __future__ import annotations


class GraphError(Exception):
    """The graph cannot be drawn; the message says what was being done, what was seen and what to do next."""
