"""Arrays to and from JSON, CSV and NPY, and to RecordIO-protobuf, with the results that scripts know.

NumPy and the container's codecs are imported by the functions, since many scripts import this module and call none.

Source: contract U-42, C-08, C-21 to C-25.
"""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any, Callable

from sagemaker_training import content_types
from sagemaker_training.errors import ClientError, UnsupportedFormatError

if TYPE_CHECKING:
    import numpy as np


def array_to_npy(array_like: Any) -> bytes:
    """The bytes that numpy.save writes for `array_like`.

    Raises:
        EncodeError: an object array that holds neither only text nor only numbers; nothing is pickled.

    Source: contract C-23.
    """
    from sagemaker_sklearn_container.codecs import npy_codec

    return npy_codec.encode(array_like)


def npy_to_numpy(npy_array: bytes) -> np.ndarray[Any, Any]:
    """The array in the bytes that numpy.save wrote, shape and dtype kept.

    Raises:
        DecodeError: the bytes are no NPY, or hold pickled objects; nothing is unpickled.

    Source: contract C-05, C-08.
    """
    from sagemaker_sklearn_container.codecs import npy_codec

    return npy_codec.decode(npy_array)


def array_to_json(array_like: Any) -> str:
    """`array_like` as JSON text; arrays anywhere in it become lists, NaN and infinities become null.

    Raises:
        EncodeError: something in it has no JSON form.

    Source: contract C-20, C-21.
    """
    from sagemaker_sklearn_container.codecs import json_codec

    return json_codec.encode(array_like).decode("utf-8")


def json_to_numpy(string_like: str | bytes, dtype: Any = None) -> np.ndarray[Any, Any]:
    """The value of a JSON text as an array.

    Args:
        string_like: JSON text.
        dtype: Of the array; None leaves the choice to NumPy.

    Returns:
        ndarray of the shape of the nest; numbers are int64 or float64 if no dtype is asked for.

    Raises:
        ValueError: the text is no JSON, or has no form in the dtype.
        TypeError: the value, for example an object, has no form in the dtype.
    """
    import numpy as np

    return np.array(json.loads(string_like), dtype=dtype)


def array_to_csv(array_like: Any) -> str:
    """`array_like` as CSV text: 1-D gives one value per line, 2-D one row per line; `\\n` line ends and a final one.

    Sparse matrices are written as the dense tables that they stand for.

    Raises:
        EncodeError: it has more than two dimensions.

    Source: contract C-22, A-04.
    """
    from sagemaker_sklearn_container.codecs import csv_codec

    return csv_codec.encode(array_like).decode("utf-8")


def csv_to_numpy(string_like: str, dtype: Any = None) -> np.ndarray[Any, Any]:
    """The table in a CSV text, without the axes that have one entry only.

    Args:
        string_like: Comma separated, double quotes.
        dtype: Of the array; None is float64 if all cells are numbers, and text if not.

    Returns:
        ndarray: `1,2` gives (2,), two lines of two cells give (2, 2), `7` gives (); rows of unequal length give an
        object array of lists of text, shape (n_rows,).

    Raises:
        ClientError: the text is no CSV, or a cell has no form in the dtype that was asked for.
    """
    import numpy as np

    try:
        rows = list(csv.reader(io.StringIO(string_like), strict=True))
    except (TypeError, csv.Error) as exc:
        raise ClientError(f"Error while decoding csv: {exc}") from exc
    ragged = len({len(row) for row in rows}) > 1
    cells: np.ndarray[Any, Any] = np.array(rows, dtype=object if ragged else None).squeeze()
    try:
        return cells.astype(dtype or np.float64)
    except (ValueError, TypeError, OverflowError) as exc:
        if dtype is None:
            return cells
        raise ClientError(f"Error while writing numpy array: {exc}. dtype is: {dtype}") from exc


def array_to_recordio_protobuf(array_like: Any, labels: Any = None) -> bytes:
    """The rows of `array_like` as RecordIO-protobuf records.

    Args:
        array_like: ndarray or scipy sparse matrix of shape (n_rows, n_columns), or ndarray of shape (n_columns,), which
            is one row; dtype float32, float64, int32 or int64.
        labels: One number per row, ndarray of shape (n_rows,), same dtypes; None for rows without labels.

    Raises:
        ValueError: shape or dtype is another, or an integer does not fit 32 bits.

    Source: contract C-25, A-04.
    """
    from sagemaker_sklearn_container.codecs import recordio_codec

    return recordio_codec.encode_labelled(array_like, labels)


_ENCODERS: dict[str, Callable[[Any], str | bytes]] = {
    content_types.NPY: array_to_npy,
    content_types.CSV: array_to_csv,
    content_types.JSON: array_to_json,
}
_DECODERS: dict[str, Callable[[Any], Any]] = {
    content_types.NPY: npy_to_numpy,
    content_types.CSV: csv_to_numpy,
    content_types.JSON: json_to_numpy,
}


def encode(array_like: Any, content_type: str) -> str | bytes:
    """`array_like` in the form that `content_type` names: text for JSON and CSV, bytes for NPY.

    Raises:
        UnsupportedFormatError: the content type is not exactly one of the three (status 406).

    Source: contract U-42, S-41.
    """
    if content_type not in _ENCODERS:
        raise UnsupportedFormatError(content_type, status=406)
    return _ENCODERS[content_type](array_like)


def decode(obj: Any, content_type: str) -> np.ndarray[Any, Any]:
    """The array in `obj`, which has the form that `content_type` names.

    Raises:
        UnsupportedFormatError: the content type is not exactly one of the three (status 415).

    Source: contract U-42, S-40.
    """
    if content_type not in _DECODERS:
        raise UnsupportedFormatError(content_type, status=415)
    array: np.ndarray[Any, Any] = _DECODERS[content_type](obj)
    return array
