"""Bytes to arrays and predictions to bytes, by media type. Pure: no server, no files, no environment."""

from __future__ import annotations

from typing import Any, Callable, Mapping, NamedTuple

from sagemaker_sklearn_container.codecs import (
    csv_codec,
    json_codec,
    jsonlines_codec,
    media_types,
    npy_codec,
    npz_codec,
    parquet_codec,
    recordio_codec,
    texts,
)
from sagemaker_sklearn_container.errors import UnsupportedAcceptError, UnsupportedContentTypeError


class Codec(NamedTuple):
    """How one media type is read and written."""

    decode: Callable[[Any], Any]
    encode: Callable[[Any], bytes] | None  # None: the type is for requests only


# In the server's order of preference: the first is the answer to an Accept of */*.
CODECS: Mapping[str, Codec] = {
    json_codec.MEDIA_TYPE: Codec(json_codec.decode, json_codec.encode),
    csv_codec.MEDIA_TYPE: Codec(csv_codec.decode, csv_codec.encode),
    npy_codec.MEDIA_TYPE: Codec(npy_codec.decode, npy_codec.encode),
    jsonlines_codec.MEDIA_TYPE: Codec(jsonlines_codec.decode, jsonlines_codec.encode),
    recordio_codec.MEDIA_TYPE: Codec(recordio_codec.decode, recordio_codec.encode),
    npz_codec.MEDIA_TYPE: Codec(npz_codec.decode, None),
    parquet_codec.MEDIA_TYPE: Codec(parquet_codec.decode, None),
}
_ENCODERS: Mapping[str, Callable[[Any], bytes]] = {
    media_type: codec.encode for media_type, codec in CODECS.items() if codec.encode is not None
}
_WRITTEN = tuple(_ENCODERS)
_SHOWN_CHARACTERS = 200


def decode(body: texts.Body, content_type: str) -> Any:
    """The array in a request body.

    Args:
        body: Text, bytes or any buffer of bytes, as received. Nothing that is returned refers to it.
        content_type: Value of the Content-Type header; case and parameters do not matter.

    Returns:
        float32 ndarray from JSON (shape of the nest), CSV, JSON Lines and Parquet (n_rows, n_columns); ndarray of shape
        and dtype as sent from NPY and dense RecordIO-protobuf; scipy sparse matrix from NPZ and sparse
        RecordIO-protobuf.

    Raises:
        UnsupportedContentTypeError: none of the media types in CODECS (status 415).
        DecodeError: the body does not hold what its content type promises (status 400).

    Source: contract S-24, S-40, S-42, C-01 to C-09.
    """
    codec = CODECS.get(media_types.essence(content_type))
    if codec is None:
        raise UnsupportedContentTypeError(
            f"The content type {_shown(content_type)} cannot be read; send one of: {', '.join(CODECS)}, "
            "or define input_fn."
        )
    return codec.decode(body)


def encode(prediction: Any, accept: str) -> tuple[bytes, str]:
    """The response body for a prediction, and its media type.

    Args:
        prediction: What predict_fn returned.
        accept: Value of the Accept header: a type, or a list with wildcards and q-values.

    Raises:
        UnsupportedAcceptError: no accepted type is one that CODECS can write (status 406).
        EncodeError: the prediction has no form in the chosen type (status 500).

    Source: contract S-27, S-41, C-09, C-20 to C-23, D-3.
    """
    media_type = media_types.negotiate(accept, _WRITTEN)
    if media_type is None:
        raise UnsupportedAcceptError(
            f"Accept is {_shown(accept)}; this server writes: {', '.join(_WRITTEN)}. Ask for one, or define output_fn."
        )
    return _ENCODERS[media_type](prediction), media_type


def _shown(value: str) -> str:
    return repr(value if len(value) <= _SHOWN_CHARACTERS else value[:_SHOWN_CHARACTERS] + "...")
