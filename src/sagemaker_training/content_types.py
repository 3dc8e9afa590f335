"""Media types under the names that scripts use.

Source: contract U-42.
"""

from __future__ import annotations

from sagemaker_sklearn_container.contract import ANY, CSV, JSON, NPY

OCTET_STREAM = "application/octet-stream"
# A list, and in this order, as scripts know it.
UTF8_TYPES = [JSON, CSV]

__all__ = ["ANY", "CSV", "JSON", "NPY", "OCTET_STREAM", "UTF8_TYPES"]
