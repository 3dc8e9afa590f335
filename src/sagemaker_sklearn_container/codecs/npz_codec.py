"""application/x-npz: a sparse matrix as scipy.sparse.save_npz writes it, without pickles."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np

from sagemaker_sklearn_container.codecs import bounds, npy_codec, texts
from sagemaker_sklearn_container.errors import DecodeError

MEDIA_TYPE = "application/x-npz"

_SUFFIX = ".npy"
_LONGEST_FORMAT = 8
_SHOWN_CHARACTERS = 200
_COMPRESSED = ("csr", "csc", "bsr")
_MEMBERS = {
    **{name: ("data", "indices", "indptr") for name in _COMPRESSED},
    "coo": ("data", "row", "col"),
    "dia": ("data", "offsets"),
}


def decode(body: texts.Body) -> Any:
    """The sparse matrix in `body`.

    Args:
        body: What scipy.sparse.save_npz writes, compressed or not.

    Returns:
        scipy sparse matrix of format, shape and dtype as sent: csr, csc, bsr, coo or dia.

    Raises:
        DecodeError: no such archive, one that holds pickled objects, one whose indices lie outside its shape, or one
            that inflates to more than `bounds.most_inflated`; nothing is unpickled, and nothing is inflated before the
            sizes are checked (status 400).

    Source: contract C-07, C-08, C-09.
    """
    raw = texts.binary(body)
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            # An archive's reader stops at the size that its entry promises.
            bounds.check_inflated(sum(entry.file_size for entry in archive.infolist()), len(raw), MEDIA_TYPE)
            return _matrix(archive)
    except DecodeError:
        raise
    except Exception as exc:  # zip, its four compressions, and SciPy's checks: a dozen kinds of error
        raise _refused(exc) from None


def _matrix(archive: zipfile.ZipFile) -> Any:
    from scipy import sparse

    def member(name: str) -> np.ndarray[Any, Any]:
        try:
            return npy_codec.decode(archive.read(name + _SUFFIX))
        except DecodeError as exc:
            raise ValueError(f"{name}{_SUFFIX}: {exc}") from None

    sent = member("format")
    if sent.ndim or sent.dtype.kind not in "SU" or len(sent.item()) > _LONGEST_FORMAT:
        raise ValueError("its format is no short text")
    text = sent.item()
    name = text.decode("ascii") if isinstance(text, bytes) else text
    if name not in _MEMBERS:
        raise ValueError(f"its format is {name!r}; it must be one of: {', '.join(_MEMBERS)}")
    numbers = member("shape")
    if numbers.shape != (2,) or numbers.dtype.kind not in "iu" or numbers.min() < 0:
        raise ValueError("its shape is not two numbers")
    shape = (int(numbers[0]), int(numbers[1]))
    parts = [member(part) for part in _MEMBERS[name]]
    if any(part.dtype.kind not in ("iufbc" if index == 0 else "iu") for index, part in enumerate(parts)):
        raise ValueError("its data must be numbers and its indices integers")
    build = getattr(sparse, f"{name}_matrix")
    if name in _COMPRESSED:
        matrix = build(tuple(parts), shape=shape)
        matrix.check_format(full_check=True)  # C code follows the indices without looking
        return matrix
    if name == "coo":
        return build((parts[0], (parts[1], parts[2])), shape=shape)
    return build((parts[0], parts[1]), shape=shape)


def _refused(exc: Exception) -> DecodeError:
    shown = str(exc)[:_SHOWN_CHARACTERS] or type(exc).__name__
    return DecodeError(f"Reading the {MEDIA_TYPE} body: {shown}. Send the bytes that scipy.sparse.save_npz writes.")
