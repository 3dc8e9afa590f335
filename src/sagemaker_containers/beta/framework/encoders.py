"""Arrays to and from JSON, CSV and NPY, and to RecordIO-protobuf.

Source: contract U-42.
"""

from __future__ import annotations

from sagemaker_training.encoders import (
    array_to_csv,
    array_to_json,
    array_to_npy,
    array_to_recordio_protobuf,
    csv_to_numpy,
    decode,
    encode,
    json_to_numpy,
    npy_to_numpy,
)

__all__ = [
    "array_to_csv",
    "array_to_json",
    "array_to_npy",
    "array_to_recordio_protobuf",
    "csv_to_numpy",
    "decode",
    "encode",
    "json_to_numpy",
    "npy_to_numpy",
]
