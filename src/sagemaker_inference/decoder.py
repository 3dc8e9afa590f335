"""Arrays from JSON, CSV, NPY and NPZ; nothing is unpickled.

NumPy and SciPy are imported by the functions, since many scripts import this module and call none.

Source: contract U-44, C-08.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any, Callable

from sagemaker_inference import content_types
from sagemaker_sklearn_container.errors import DecodeError
from sagemaker_training.encoders import json_to_numpy as _json_to_numpy
from sagemaker_training.encoders import npy_to_numpy as _npy_to_numpy
from sagemaker_training.errors import UnsupportedFormatError


def _csv_to_numpy(string_like: str | bytes, dtype: Any = None) -> Any:
    """The table in a CSV text; an empty cell is NaN.

    Args:
        string_like: Comma separated; no quotes. Bytes are read as UTF-8.
        dtype: Of the array; None is int64 if all cells are integers, float64 if all are numbers, and text if not.

    Returns:
        ndarray without the axes that have one entry only: `1,2` and `1\\n2` give (2,), `7` gives ().

    Raises:
        DecodeError: rows of unequal length, or no rows (status 400).

    Source: contract U-44, C-03.
    """
    import numpy as np

    text = string_like.decode("utf-8") if isinstance(string_like, bytes) else string_like
    if not text.strip():
        raise DecodeError("Reading the text/csv body: it has no rows; send at least one line of values.")

    def read(as_type: Any) -> Any:
        return np.genfromtxt(io.StringIO(text), dtype=as_type, delimiter=",", encoding="utf-8")

    try:
        table = read(dtype)
        # Columns of several types come as records, which no model takes.
        if table.dtype.names is not None and dtype is None:
            numeric = all(table.dtype[name].kind in "biuf" for name in table.dtype.names)
            table = read(np.float64 if numeric else str)
    except ValueError as exc:
        raise DecodeError(f"Reading the text/csv body: {json.dumps(str(exc))}.") from exc
    return table


def _npz_to_sparse(npz_bytes: bytes) -> Any:
    """The sparse matrix that scipy.sparse.save_npz wrote.

    Raises:
        DecodeError: the bytes are no such file, or hold pickled objects; nothing is unpickled (status 400).

    Source: contract U-44, C-08.
    """
    import scipy.sparse

    try:
        return scipy.sparse.load_npz(io.BytesIO(npz_bytes))
    except (ValueError, KeyError, NotImplementedError, OSError, EOFError, zipfile.BadZipFile) as exc:
        raise DecodeError(
            f"Reading the {content_types.NPZ} body: {exc}. Send the bytes that scipy.sparse.save_npz writes."
        ) from exc


_DECODERS: dict[str, Callable[[Any], Any]] = {
    content_types.NPY: _npy_to_numpy,
    content_types.CSV: _csv_to_numpy,
    content_types.JSON: _json_to_numpy,
    content_types.NPZ: _npz_to_sparse,
}


def decode(obj: Any, content_type: str) -> Any:
    """The array in `obj`, or the sparse matrix if it is NPZ.

    Raises:
        UnsupportedFormatError: the content type is not exactly one of the four (status 415).
        DecodeError: `obj` has not the form that the content type names (status 400).
        ValueError: JSON that is none.

    Source: contract U-44, S-40.
    """
    if content_type not in _DECODERS:
        raise UnsupportedFormatError(content_type, status=415)
    return _DECODERS[content_type](obj)
