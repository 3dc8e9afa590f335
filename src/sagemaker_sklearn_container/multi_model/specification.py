"""What a worker must know about its model, as it travels from the gateway by way of the supervisor."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class ModelSpecification:
    """A model: its name, and the absolute path of its directory."""

    name: str
    url: str

    def packed(self) -> bytes:
        """As bytes."""
        return json.dumps(asdict(self)).encode("ascii")

    @classmethod
    def unpacked(cls, data: bytes) -> ModelSpecification:
        """Out of bytes."""
        return cls(**json.loads(data))
