"""Bytes to arrays and predictions to bytes, by media type. Pure: no server, no files, no environment."""

from __future__ import annotations

from typing import Any, Callable, Mapping, NamedTuple

import numpy as np

from sagemaker_sklearn_container.codecs import csv_codec, json_codec, media_types, npy_codec
from sagemaker_sklearn_container.errors import UnsupportedAcceptError, UnsupportedContentTypeError


class Codec(NamedTuple):
    """How one media type is read and written."""

    decode: Callable[[Any], np.ndarray[Any, Any]]
    encode: Callable[[Any], bytes]


# In the server's order of preference: the first is the answer to an Accept of */*.
CODECS: Mapping[str, Codec] = {
    codec.MEDIA_TYPE: Codec(codec.decode, codec.encode) for codec in (json_codec, csv_codec, npy_codec)
}


def decode(body: str | bytes, content_type: str) -> np.ndarray[Any, Any]:
    """The array in a request body.

    Args:
        body: Text or bytes as received.
        content_type: Value of the Content-Type header; case and parameters do not matter.

    Returns:
        float32 ndarray from JSON (shape of the nest) and CSV (n_rows, n_columns); from NPY shape and dtype as sent.

    Raises:
        UnsupportedContentTypeError: none of the media types in CODECS (status 415).
        DecodeError: the body does not hold what its content type promises (status 400).

    Source: contract S-24, S-40, S-42, C-01 to C-08.
    """
    codec = CODECS.get(media_types.essence(content_type))
    if codec is None:
        raise UnsupportedContentTypeError(
            f"The content type {content_type!r} cannot be read; send one of: {', '.join(CODECS)}, or define input_fn."
        )
    return codec.decode(body)


def encode(prediction: Any, accept: str) -> tuple[bytes, str]:
    """The response body for a prediction, and its media type.

    Args:
        prediction: What predict_fn returned.
        accept: Value of the Accept header: a type, or a list with wildcards and q-values.

    Raises:
        UnsupportedAcceptError: no accepted type is in CODECS (status 406).
        EncodeError: the prediction has no form in the chosen type (status 500).

    Source: contract S-27, S-41, C-20 to C-23, D-3.
    """
    media_type = media_types.negotiate(accept, list(CODECS))
    if media_type is None:
        raise UnsupportedAcceptError(
            f"Accept is {accept!r}; this server writes: {', '.join(CODECS)}. Ask for one, or define output_fn."
        )
    return CODECS[media_type].encode(prediction), media_type
