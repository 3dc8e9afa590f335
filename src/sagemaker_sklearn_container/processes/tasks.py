"""Kinds of tasks for a worker; a site may have further ones of its own."""

from __future__ import annotations

INVOKE = 1
EXECUTION_PARAMETERS = 2
