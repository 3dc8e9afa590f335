"""The one error a layer command ends with."""

from __future__ import annotations


class LayerError(Exception):
    """A layer cannot be built; the message says what was being done, what was seen and what to do next."""
