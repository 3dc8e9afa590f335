"""Arrays to JSON, CSV and NPY.

Source: contract U-44, C-20 to C-23.
"""

from __future__ import annotations

from sagemaker_inference import content_types
from sagemaker_training.encoders import encode

__all__ = ["SUPPORTED_CONTENT_TYPES", "encode"]

SUPPORTED_CONTENT_TYPES = {content_types.JSON, content_types.CSV, content_types.NPY}
