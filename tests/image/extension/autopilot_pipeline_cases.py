"""From raw rows to answers: a batch of the training data, a predictor trained on it, and an endpoint of all containers.

Every case takes the fixture `platform`.
"""

from __future__ import annotations

import io
import json
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from tests.support import autopilot, records
from tests.support.autopilot import RECORDIO, Candidates, answered, data, post, refused, rows_of, text_of
from tests.support.platform import MlTree, Platform, Together

# Reads records as the container's default does, and answers as an algorithm's container.
PREDICTOR = """
import json, os
import joblib
import numpy as np

KEYS = [key for key in os.environ.get("SAGEMAKER_INFERENCE_OUTPUT", "").split(",") if key]

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))

def predict_fn(data, model):
    if not KEYS:
        return model.predict(data)
    chances = model.predict_proba(data)
    columns = {
        "predicted_label": model.predict(data),
        "probability": chances.max(axis=1),
        "probabilities": [json.dumps(row) for row in chances.tolist()],
    }
    return np.array([columns[key] for key in KEYS], dtype=object).T
"""

KEYS = "predicted_label,probability,probabilities"


def _transformed(platform: Platform, candidates: Candidates, processor: str, accept: str) -> np.ndarray[Any, Any]:
    """What a batch job makes of the training data: float32, shape (n_rows, 1 + n_features), labels first."""
    tree = candidates.tree(platform, processor)
    environ = autopilot.serving(tree, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT=accept, SAGEMAKER_BATCH="true")
    with platform.serve(tree, environ) as server:
        answer = answered(post(server, text_of(data(processor).rows)))
    if accept == RECORDIO:
        found = records.read(answer.content)
        return np.array([[record.label, *record.features.dense] for record in found], dtype=np.float32)
    return np.array(rows_of(answer.text), dtype=np.float32)


def _fitted(processor: str, labels: np.ndarray[Any, Any], features: np.ndarray[Any, Any]) -> Any:
    model = LinearRegression() if processor in ("dpp1", "dpp4") else LogisticRegression(max_iter=2000)
    return model.fit(features, labels)


def _predictor(platform: Platform, model: Any) -> MlTree:
    tree = platform.tree()
    file = io.BytesIO()
    joblib.dump(model, file)
    tree.write("model/model.joblib", file.getvalue())
    tree.write("model/code/inference.py", PREDICTOR)
    return tree


def _through(together: Together, body: str, accept: str) -> Any:
    """The last container's answer; each gets the body and type of the one before, and the last the client's Accept."""
    content, content_type = body.encode(), "text/csv"
    for server in together.servers[:-1]:
        answer = answered(post(server, content, content_type))
        content, content_type = answer.content, answer.headers["Content-Type"]
    return answered(post(together.servers[-1], content, content_type, accept))


def _data_are_as_expected(
    platform: Platform, candidates: Candidates, processor: str, accept: str
) -> tuple[np.ndarray[Any, Any], Any, Any]:
    """Features of all rows; the predictor trained on what a batch gave; one trained on what is right."""
    table = _transformed(platform, candidates, processor, accept)
    expected = candidates.expected(platform, processor)
    features = expected.features.astype(np.float32)
    right = np.column_stack([expected.labels, features])[expected.is_labelled]
    np.testing.assert_array_equal(table, right)
    model = _fitted(processor, table[:, 0], table[:, 1:])
    return features, model, _fitted(processor, right[:, 0], right[:, 1:])


@pytest.mark.parametrize(
    ("processor", "accept", "names", "at_least"),
    [
        ("dpp0", RECORDIO, ["high", "low", "normal"], 0.9),
        ("dpp2", "text/csv", ["setosa", "versicolor", "virginica"], 0.9),
        ("dpp3", RECORDIO, ["benign", "malignant"], 0.95),
        ("dpp5", "text/csv", ["0.0", "1.0", "2.0"], 0.95),
    ],
    ids=["text and dates", "multiclass", "binary", "multiclass of numbers"],
)
def test_classes_and_probabilities_for_raw_rows(
    platform: Platform, candidates: Candidates, processor: str, accept: str, names: list[str], at_least: float
) -> None:
    """A-02 to A-05, A-09, P-01 to P-05: three containers give what plain Python gives."""
    features, model, reference = _data_are_as_expected(platform, candidates, processor, accept)
    chances = reference.predict_proba(features)
    labels = [names[int(number)] for number in reference.predict(features)]
    assert np.mean(np.array(labels) == np.array(data(processor).targets)) > at_least
    first, predictor = candidates.tree(platform, processor), _predictor(platform, model)
    last = candidates.tree(platform, processor)
    wanted = KEYS if processor == "dpp5" else f"{KEYS},labels"
    together = platform.serve_together(
        (first, autopilot.feature_transform(first)),
        (
            predictor,
            {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": predictor.inside("model/code"),
                "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
                "SAGEMAKER_INFERENCE_OUTPUT": KEYS,
                "MAX_CONTENT_LENGTH": "20971520",
            },
        ),
        (
            last,
            autopilot.inverse_label_transform(
                last,
                SAGEMAKER_INFERENCE_INPUT=KEYS,
                SAGEMAKER_INFERENCE_OUTPUT=wanted,
                SAGEMAKER_INFERENCE_SUPPORTED=f"{KEYS},labels",
            ),
        ),
    )
    with together:
        body = text_of(data(processor).features)
        rows = rows_of(_through(together, body, "text/csv").text)
        assert [row[0] for row in rows] == labels
        np.testing.assert_allclose([float(row[1]) for row in rows], chances.max(axis=1), rtol=1e-6)
        np.testing.assert_allclose([json.loads(row[2]) for row in rows], chances, rtol=1e-6, atol=1e-9)
        assert {"".join(row[3:]) for row in rows} == {"" if processor == "dpp5" else str(names)}
        predictions = json.loads(_through(together, body, "application/json").text)["predictions"]
        assert [entry["predicted_label"] for entry in predictions] == labels
        one = _through(together, text_of(data(processor).features[:1]), "*/*")
        assert rows_of(one.text)[0][0] == labels[0]
        # What the first refuses ends the request there.
        refused(post(together.servers[0], "1,2\n"), 400, "Number of columns in the received data is 2.")


@pytest.mark.parametrize(
    ("processor", "accept", "error"),
    [("dpp1", "text/csv", 0.1), ("dpp4", RECORDIO, 0.35)],
    ids=["text and dates", "numbers"],
)
def test_numbers_for_raw_rows(
    platform: Platform, candidates: Candidates, processor: str, accept: str, error: float
) -> None:
    """A-02 to A-05, A-09, P-01 to P-05: two containers."""
    features, model, reference = _data_are_as_expected(platform, candidates, processor, accept)
    right = reference.predict(features)
    kept = candidates.expected(platform, processor).is_labelled
    targets = np.array(data(processor).targets)[kept].astype(float)
    assert np.mean(np.abs(right[kept] - targets)) / targets.mean() < error
    first, predictor = candidates.tree(platform, processor), _predictor(platform, model)
    together = platform.serve_together(
        (first, autopilot.feature_transform(first)),
        (
            predictor,
            {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": predictor.inside("model/code"),
                "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
            },
        ),
    )
    with together:
        answer = _through(together, text_of(data(processor).features), "*/*")
        np.testing.assert_allclose([float(line) for line in answer.text.split()], right, rtol=1e-5)
