"""Serves the transforms that the trainer has fitted: features for a predictor, labels for its answers, or batches."""

from __future__ import annotations

import http.client as http_client
import io
import json
import logging
import os
from typing import Any

import numpy as np
from joblib import load
from sagemaker_sklearn_extension.externals import read_csv_data
from scipy import sparse

from sagemaker_containers.beta.framework import encoders, worker

logger = logging.getLogger(__name__)

CSV = "text/csv"
JSON = "application/json"
JSON_LINES = "application/jsonlines"
RECORDIO = "application/x-recordio-protobuf"

FEATURE_TRANSFORM = "feature-transform"
INVERSE_LABEL_TRANSFORM = "inverse-label-transform"

PREDICTED_LABEL = "predicted_label"
LABELS = "labels"


def transform_mode() -> str:
    """What this container does in a pipeline; empty if it transforms batches."""
    return os.environ.get("AUTOML_TRANSFORM_MODE", "")


def keys_of(variable: str) -> list[str]:
    """The keys that a variable lists, for example `predicted_label, probability`."""
    return [key.strip().lower() for key in os.environ.get(variable, "").split(",") if key.strip()]


def failed(status: int, text: str = "") -> worker.Response:
    """The answer to a request that cannot be served."""
    return worker.Response(response=text or None, status=status)


def model_fn(model_dir: str) -> Any:
    """The fitted transforms."""
    return load(os.path.join(model_dir, "model.joblib"))


def execution_parameters_fn() -> worker.Response:
    """Features grow when they are transformed, so less of them is taken at once."""
    megabytes = 1 if transform_mode() == FEATURE_TRANSFORM else 6
    return worker.Response(response='{"MaxPayloadInMB":%d}' % megabytes, status=http_client.OK, mimetype=JSON)


def input_fn(request_body: str | bytes, request_content_type: str) -> Any:
    """The cells of a CSV body, object array of text, shape (n_rows, n_columns)."""
    content_type = request_content_type.lower().split(";")[0].strip() or CSV
    if content_type != CSV:
        return failed(http_client.UNSUPPORTED_MEDIA_TYPE)
    body = request_body.encode("utf-8") if isinstance(request_body, str) else request_body
    return read_csv_data(source=body)


def predict_fn(input_object: Any, model: Any) -> Any:
    """Transformed rows, or labels for the predictor's answers."""
    if isinstance(input_object, worker.Response):
        return input_object
    if transform_mode() == INVERSE_LABEL_TRANSFORM:
        return inverse_label_transform(input_object, model)
    try:
        return model.transform(input_object)
    except ValueError as error:
        return failed(http_client.BAD_REQUEST, str(error))


def inverse_label_transform(rows: Any, model: Any) -> Any:
    """Labels, shape (n_rows,); or if keys are asked for, an object array with one column for each."""
    given, wanted = keys_of("SAGEMAKER_INFERENCE_INPUT"), keys_of("SAGEMAKER_INFERENCE_OUTPUT")
    if not given or not wanted:
        return model.inverse_label_transform(rows.ravel().astype(np.float).astype(np.int))  # type: ignore[attr-defined]
    answer = np.full((rows.shape[0], len(wanted)), np.nan, dtype=object)
    for column, key in enumerate(wanted):
        if key == LABELS:
            answer[:, column] = str(list(model.target_transformer.get_classes()))
        elif key in given:
            cells = rows[:, given.index(key)]
            if key == PREDICTED_LABEL:
                cells = model.inverse_label_transform(cells.astype(np.float).astype(np.int))  # type: ignore[attr-defined]
            answer[:, column] = cells
    return answer


def output_fn(prediction: Any, accept: str) -> worker.Response:
    """The answer, in the accepted type."""
    if isinstance(prediction, worker.Response):
        return prediction
    if transform_mode() == INVERSE_LABEL_TRANSFORM:
        return labels_as(prediction, accept, keys_of("SAGEMAKER_INFERENCE_OUTPUT"))
    if isinstance(prediction, tuple):
        features, target = prediction
    else:
        features, target = split_target(prediction)
    return features_as(features, target, accept)


def labels_as(answer: Any, accept: str, keys: list[str]) -> worker.Response:
    """Labels, and what else was asked for, as CSV or as objects with the keys."""
    if accept == CSV:
        return worker.Response(response=encoders.array_to_csv(answer), status=http_client.OK, mimetype=CSV)
    objects = [dict(zip(keys, row)) for row in answer] if keys else []
    if keys and accept == JSON:
        text = json.dumps({"predictions": objects})
        return worker.Response(response=text, status=http_client.OK, mimetype=JSON)
    if keys and accept == JSON_LINES:
        lines = io.StringIO()
        for entry in objects:
            lines.write(json.dumps(entry) + "\n")
        return worker.Response(response=lines.getvalue(), status=http_client.OK, mimetype=JSON_LINES)
    return failed(http_client.NOT_ACCEPTABLE)


def split_target(rows: Any) -> tuple[Any, Any]:
    """Features and target; rows of a batch have the target in their first column."""
    if transform_mode() == FEATURE_TRANSFORM:
        return sparse_if_asked(rows), None
    if sparse.issparse(rows):
        return rows[:, 1:], rows[:, 0].toarray()
    return sparse_if_asked(rows[:, 1:]), np.ravel(rows[:, 0])


def sparse_if_asked(rows: Any) -> Any:
    """Rows, as a sparse matrix if the container is told so."""
    if os.environ.get("AUTOML_SPARSE_ENCODE_RECORDIO_PROTOBUF") == "1" and not sparse.issparse(rows):
        return sparse.csr_matrix(rows)
    return rows


def features_as(features: Any, target: Any, accept: str) -> worker.Response:
    """Features, and the target if there is one, as records or CSV."""
    if accept == RECORDIO:
        labels = None if target is None else target.astype("float32")
        records = encoders.array_to_recordio_protobuf(features.astype("float32"), labels)
        return worker.Response(response=records, status=http_client.OK, mimetype=RECORDIO)
    if accept == CSV:
        rows = features if target is None else np.column_stack((np.ravel(target), features))
        return worker.Response(response=encoders.encode(rows, CSV), status=http_client.OK, mimetype=CSV)
    return failed(http_client.NOT_ACCEPTABLE)
