"""The stand-in for the algorithm that Autopilot trains: program of a training job, and script of its container.

It takes what the real ones take, rows that start with the label in CSV or RecordIO-protobuf, and answers as they do: a
line per row with the keys that SAGEMAKER_INFERENCE_OUTPUT lists.
"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from scipy import sparse

# No requirement of this package: it is the image that has scikit-learn, and in one version (D-10).
from sklearn.impute import SimpleImputer  # pants: no-infer-dep
from sklearn.linear_model import LogisticRegression, Ridge  # pants: no-infer-dep
from sklearn.pipeline import Pipeline, make_pipeline  # pants: no-infer-dep
from sklearn.preprocessing import MaxAbsScaler  # pants: no-infer-dep

from sagemaker_sklearn_container.autopilot import records
from sagemaker_sklearn_container.codecs import csv_codec, recordio_codec

MODEL_FILE = "model.joblib"
# More do not make a stand-in better.
_MOST_ROWS = 20_000


def read(file: Path, content_type: str) -> tuple[Any, np.ndarray[Any, Any]]:
    """Features, array or csr matrix of shape (n_rows, n_columns), and labels of one file of transformed data."""
    body = file.read_bytes()
    if content_type == records.RECORDIO:
        return recordio_codec.decode(body), np.array(records.labels(body))
    table = csv_codec.decode(body)
    return table[:, 1:], table[:, 0]


def fitted(features: Any, labels: np.ndarray[Any, Any], is_regression: bool) -> Pipeline:
    """A linear model of the first rows."""
    features, labels = features[:_MOST_ROWS], labels[:_MOST_ROWS]
    last = Ridge(alpha=1e-3) if is_regression else LogisticRegression(max_iter=200, C=10.0)
    # Algorithms of trees take missing values; this does not.
    return make_pipeline(SimpleImputer(), MaxAbsScaler(), last).fit(features, labels)


def train() -> None:
    """Fit the model to the channel `train` and write it to the model directory."""
    channel = json.loads(os.environ["SM_INPUT_DATA_CONFIG"])["train"]
    files = sorted(path for path in Path(os.environ["SM_CHANNEL_TRAIN"]).iterdir() if path.stat().st_size)
    parts = [read(path, channel["ContentType"]) for path in files]
    features = [part[0] for part in parts]
    stacked = sparse.vstack(features, format="csr") if sparse.issparse(features[0]) else np.concatenate(features)
    problem = json.loads(os.environ["SM_HPS"])["problem"]
    model = fitted(stacked, np.concatenate([part[1] for part in parts]), problem == "regression")
    joblib.dump(model, Path(os.environ["SM_MODEL_DIR"], MODEL_FILE))


def model_fn(model_dir: str) -> Any:
    """The fitted model."""
    return joblib.load(Path(model_dir, MODEL_FILE))


def predict_fn(data: Any, model: Any) -> dict[str, np.ndarray[Any, Any]]:
    """Predictions by key, each of shape (n_rows,)."""
    answers = {"predicted_label": model.predict(data)}
    if hasattr(model, "predict_proba"):
        answers["probability"] = model.predict_proba(data).max(axis=1)
    return answers


def output_fn(prediction: dict[str, np.ndarray[Any, Any]], accept: str) -> Any:
    """One line per row, text/csv whatever is asked for."""
    keys = os.environ.get("SAGEMAKER_INFERENCE_OUTPUT", "predicted_label").split(",")
    lines = io.StringIO()
    for row in np.column_stack([prediction[key] for key in keys]).tolist():
        lines.write(",".join(map(repr, row)) + "\n")
    return lines.getvalue(), "text/csv"


if __name__ == "__main__":
    train()
