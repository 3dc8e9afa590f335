"""What a worker must know about its model, as it travels from the gateway by way of the supervisor."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class ModelSpecification:
    """A model.

    Attributes:
        name: By which clients know it.
        url: Absolute path of its directory.
        memory_bytes: How much it may take while it is loaded.
    """

    name: str
    url: str
    memory_bytes: int

    def packed(self) -> bytes:
        """As bytes, not many more than the request to load the model had: they must fit into a packet."""
        return json.dumps(asdict(self), ensure_ascii=False).encode("utf-8", errors="surrogatepass")

    @classmethod
    def unpacked(cls, data: bytes) -> ModelSpecification:
        """Out of bytes."""
        return cls(**json.loads(data))
