"""The one error a bill of materials ends with."""

from __future__ import annotations


class BillError(Exception):
    """A bill cannot be written; the message says what was being done, what was seen and what to do next."""
