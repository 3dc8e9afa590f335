"""The class that the Multi Model Server called, which this container does without.

Source: contract U-44.
"""

from __future__ import annotations

from sagemaker_inference.transformer import INSTEAD, Transformer
from sagemaker_training import unavailable


class DefaultHandlerService:
    """Can be made, and answers no requests.

    Source: contract U-44.
    """

    def __init__(self, transformer: Transformer | None = None) -> None:
        """A service around a transformer."""
        self._service = transformer or Transformer()

    handle = unavailable.function("DefaultHandlerService.handle", INSTEAD)
    initialize = unavailable.function("DefaultHandlerService.initialize", INSTEAD)
