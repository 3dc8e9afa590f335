"""Media types under the names that scripts use.

Source: contract U-44.
"""

from __future__ import annotations

from sagemaker_training.content_types import ANY, CSV, JSON, NPY, OCTET_STREAM, UTF8_TYPES

NPZ = "application/x-npz"

__all__ = ["ANY", "CSV", "JSON", "NPY", "NPZ", "OCTET_STREAM", "UTF8_TYPES"]
