"""Serving of generated code in its three modes, as one container.

Every case takes the fixture `platform`. Requests of one set of variables share a server, since a start takes seconds.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import requests

from tests.contract.training_code_cases import tar_gz
from tests.support import autopilot, records
from tests.support.autopilot import (
    RECORDIO,
    Candidates,
    answered,
    data,
    feature_transform,
    inverse_label_transform,
    post,
    refused,
    rows_of,
    serving,
    text_of,
)
from tests.support.local_transform import LocalTransform
from tests.support.loopback import Bucket
from tests.support.platform import Platform, Server

TIMEOUT_S = 60
SERVE = "sagemaker_serve"
SPECIES = ["setosa", "versicolor", "virginica"]


def _parameters(server: Server) -> Any:
    answer = requests.get(f"{server.base_url}/execution-parameters", timeout=TIMEOUT_S)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    return answer.text


def _numbers(text: str) -> np.ndarray[Any, Any]:
    return np.array(rows_of(text), dtype=np.float64)


# Features for the predictor


def test_features_of_text_dates_and_categories(platform: Platform, candidates: Candidates) -> None:
    """A-02 to A-06, A-08: sparse features, whatever types a client names."""
    tree = candidates.tree(platform, "dpp0")
    rows = data("dpp0").features
    expected = candidates.expected(platform, "dpp0").features.astype(np.float32)
    with platform.serve(tree, feature_transform(tree)) as server:
        assert _parameters(server) == '{"MaxPayloadInMB":1}'
        ping = requests.get(f"{server.base_url}/ping", timeout=TIMEOUT_S)
        assert (ping.status_code, ping.content) == (200, b"")
        for content_type in ("text/csv", "text/csv; charset=utf-8", "TEXT/CSV", "text/csv ; header=absent"):
            for accept in (None, "", "*/*", RECORDIO):
                answer = answered(post(server, text_of(rows[:9]), content_type, accept))
                assert answer.headers["Content-Type"] == RECORDIO
                np.testing.assert_array_equal(records.dense(answer.content), expected[:9])
        found = records.read(answered(post(server, text_of(rows))).content)
        np.testing.assert_array_equal([record.features.dense for record in found], expected)
        assert {record.label for record in found} == {None}
        assert {tuple(record.features.shape) for record in found} == {(expected.shape[1],)}
        assert sum(len(record.features.values) for record in found) == np.count_nonzero(expected)
        # Line ends of all kinds, none at the end, and marks that spreadsheets put in front.
        two = text_of(rows[1:3])
        for text in (two.rstrip("\n"), two.replace("\n", "\r\n"), "\ufeff" + two, two.replace("\n", "\n\n")):
            np.testing.assert_array_equal(records.dense(answered(post(server, text)).content), expected[1:3])
        # As CSV, all columns.
        answer = answered(post(server, text_of(rows[:9]), accept="text/csv"))
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        np.testing.assert_allclose(
            _numbers(answer.text), candidates.expected(platform, "dpp0").features[:9], rtol=1e-12
        )
        refused(post(server, text_of(rows[:2]), accept="application/json"), 406)
        for content_type in ("application/json", "application/x-npy", RECORDIO, "text/plain"):
            refused(post(server, text_of(rows[:2]), content_type), 415)
        # Without a type a body is JSON, which the script does not take.
        refused(post(server, text_of(rows[:2]), None), 415)


def test_rows_with_their_target_in_a_pipeline(platform: Platform, candidates: Candidates) -> None:
    """A-02, A-05: the target is one column more, and first in what comes out; all of it are features there."""
    tree = candidates.tree(platform, "dpp2")
    expected = candidates.expected(platform, "dpp2")
    with platform.serve(tree, {**feature_transform(tree), "AUTOML_SPARSE_ENCODE_RECORDIO_PROTOBUF": "0"}) as server:
        found = records.read(answered(post(server, text_of(data("dpp2").rows))).content)
        assert {(record.label, tuple(record.features.shape)) for record in found} == {(None, ())}
        together = np.column_stack([expected.labels, expected.features.astype(np.float32)])
        np.testing.assert_array_equal([record.features.values for record in found], together)
        found = records.read(answered(post(server, text_of(data("dpp2").features[:1]))).content)
        np.testing.assert_array_equal([record.features.values for record in found], expected.features[:1].astype("f4"))


# Labels for the client


def test_labels_of_numbers(platform: Platform, candidates: Candidates) -> None:
    """A-02, A-05, A-06: the older form, without keys."""
    tree = candidates.tree(platform, "dpp2")
    with platform.serve(tree, inverse_label_transform(tree)) as server:
        assert _parameters(server) == '{"MaxPayloadInMB":6}'
        for body in ("0\n2\n1\n", "0.0\r\n2\r\n1e0", "0,2,1"):
            answer = answered(post(server, body, "text/csv; charset=utf-8"))
            assert (answer.text, answer.headers["Content-Type"]) == (
                "setosa\nvirginica\nversicolor\n",
                "text/csv; charset=utf-8",
            )
        assert answered(post(server, "7\n-1\n")).text == "<unseen_label>\n<unseen_label>\n"
        for accept in ("application/json", "application/jsonlines", RECORDIO):
            refused(post(server, "0\n", accept=accept), 406)
        refused(post(server, "[0]", "application/json"), 415)


def test_the_oldest_script_says_413_for_a_type_it_cannot_write(platform: Platform, candidates: Candidates) -> None:
    """A-02, A-05: a single file as the code; the status is the script's own."""
    tree = candidates.tree(platform, "dpp2")
    script = autopilot.modules()[f"{SERVE}.py"]
    assert script.count("http_client.NOT_ACCEPTABLE") == 2
    tree.write(
        f"model/{SERVE}.py",
        script.replace("http_client.NOT_ACCEPTABLE", "http_client.REQUEST_ENTITY_TOO_LARGE", 1),
    )
    environ = inverse_label_transform(tree, SAGEMAKER_SUBMIT_DIRECTORY=tree.inside(f"model/{SERVE}.py"))
    with platform.serve(tree, environ) as server:
        assert answered(post(server, "1\n")).text == "versicolor\n"
        refused(post(server, "1\n", accept="application/json"), 413)


ANSWERS = text_of([["1", "0.75", "[0.2, 0.75, 0.05]"], ["0.0", "0.5", "[0.5, 0.3, 0.2]"]])
LABELS = str(SPECIES)


@pytest.mark.parametrize(
    ("given", "wanted", "expected"),
    [
        ("predicted_label", "predicted_label", [["versicolor"], ["setosa"]]),
        (
            "predicted_label,probability,probabilities",
            "predicted_label,probability,probabilities,labels",
            [
                ["versicolor", "0.75", "[0.2, 0.75, 0.05]", LABELS],
                ["setosa", "0.5", "[0.5, 0.3, 0.2]", LABELS],
            ],
        ),
        (" Predicted_Label , PROBABILITY ,probabilities", " labels , probability", [[LABELS, "0.75"], [LABELS, "0.5"]]),
        # What nobody gives is NaN.
        (
            "predicted_label,probability",
            "probabilities,predicted_label",
            [[None, "versicolor"], [None, "setosa"]],
        ),
    ],
    ids=["label", "all", "spaces", "missing"],
)
def test_labels_with_what_a_client_chose(
    platform: Platform, candidates: Candidates, given: str, wanted: str, expected: list[list[str | None]]
) -> None:
    """A-02, A-04, A-05: as CSV, JSON and JSON Lines."""
    tree = candidates.tree(platform, "dpp2")
    environ = inverse_label_transform(
        tree,
        SAGEMAKER_INFERENCE_INPUT=given,
        SAGEMAKER_INFERENCE_OUTPUT=wanted,
        SAGEMAKER_INFERENCE_SUPPORTED="predicted_label,probability,probabilities,labels",
    )
    body = text_of([row[: given.count(",") + 1] for row in rows_of(ANSWERS)])
    keys = [key.strip() for key in wanted.split(",")]
    with platform.serve(tree, environ) as server:
        answer = answered(post(server, body))
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert rows_of(answer.text) == [["nan" if cell is None else cell for cell in row] for row in expected]
        answer = answered(post(server, body, "text/csv; charset=utf-8", "application/json"))
        assert answer.headers["Content-Type"] == "application/json"
        assert _without_nan(json.loads(answer.text)["predictions"]) == [dict(zip(keys, row)) for row in expected]
        answer = answered(post(server, body, accept="application/jsonlines"))
        assert answer.headers["Content-Type"] == "application/jsonlines"
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert _without_nan(lines) == [dict(zip(keys, row)) for row in expected]
        refused(post(server, body, accept=RECORDIO), 406)


def _without_nan(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: None if value != value else value for key, value in entry.items()} for entry in found]


# Batches of training data


def test_batches_of_rows_with_their_target(platform: Platform, candidates: Candidates) -> None:
    """A-02, A-04, A-06, A-09, B-01 to B-06: the file split at its line ends, dense and labelled, as CSV and records."""
    tree = candidates.tree(platform, "dpp1")
    rows = data("dpp1").rows
    expected = candidates.expected(platform, "dpp1")
    kept = expected.is_labelled
    assert 0 < kept.sum() < len(rows)
    environ = serving(
        tree,
        SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/csv",
        MAX_CONTENT_LENGTH="20000000",
        SAGEMAKER_BATCH="true",
        SAGEMAKER_BATCH_STRATEGY="MULTI_RECORD",
        SAGEMAKER_MAX_PAYLOAD_IN_MB="6",
    )
    right = np.column_stack([expected.labels, expected.features])[kept]
    # A record is a line to the platform, and here a row may have two, as long as a batch does not end in it.
    batches = [text_of(rows[at : at + 130]) for at in range(0, len(rows), 130)]
    with platform.serve(tree, environ) as server:
        assert _parameters(server) == '{"MaxPayloadInMB":6}'
        answers = [answered(post(server, batch)).text for batch in batches]
        assert {text[-1] for text in answers} == {"\n"}
        np.testing.assert_allclose(_numbers("".join(answers)), right, rtol=1e-6)
        answers_in_records = [answered(post(server, batch, accept=RECORDIO)).content for batch in batches]
        found = records.read(b"".join(answers_in_records))
        assert {tuple(record.features.shape) for record in found} == {()}
        assert [record.label for record in found] == right[:, 0].astype("f4").tolist()
        np.testing.assert_array_equal([record.features.values for record in found], right[:, 1:].astype("f4"))
        # One record at a time.
        lines = [answered(post(server, text_of([row]).rstrip("\n"))).text for row in rows[:5]]
        np.testing.assert_allclose(_numbers("".join(lines)), right[: int(kept[:5].sum())], rtol=1e-6)


@pytest.mark.parametrize("encode", ["0", "1"])
def test_batches_of_rows_with_sparse_features(platform: Platform, candidates: Candidates, encode: str) -> None:
    """A-02, A-04, A-09: the library makes rows with a target dense; the variable makes them sparse again."""
    tree = candidates.tree(platform, "dpp0")
    rows = data("dpp0").rows
    expected = candidates.expected(platform, "dpp0")
    environ = serving(
        tree, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT=RECORDIO, AUTOML_SPARSE_ENCODE_RECORDIO_PROTOBUF=encode
    )
    with platform.serve(tree, environ) as server:
        found = records.read(answered(post(server, text_of(rows))).content)
        assert {bool(record.features.shape) for record in found} == {encode == "1"}
        assert [record.label for record in found] == expected.labels.tolist()
        np.testing.assert_array_equal([record.features.dense for record in found], expected.features.astype("f4"))
        # As CSV, dense or not at all.
        answer = post(server, text_of(rows[:5]), accept="text/csv")
        if encode == "0":
            right = np.column_stack([expected.labels, expected.features])[:5]
            np.testing.assert_allclose(_numbers(answered(answer).text), right, rtol=1e-6)
        else:
            refused(answer, 406, RECORDIO)
            refused(post(server, text_of(rows[:1]), accept="text/csv"), 406, RECORDIO)


@pytest.mark.parametrize(("strategy", "requests_sent"), [("MultiRecord", 2), ("SingleRecord", 569)])
def test_a_file_is_split_at_its_lines(
    platform: Platform, candidates: Candidates, strategy: str, requests_sent: int
) -> None:
    """A-09, B-02, B-05, K-12: filled up to the payload that the job names, or one by one; one line for each."""
    tree = candidates.tree(platform, "dpp3")
    times = 12 if strategy == "MultiRecord" else 1
    rows = data("dpp3").rows * times
    job = LocalTransform("text/csv", batch_strategy=strategy, max_payload_mb=1)
    environ = serving(tree, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/csv", MAX_CONTENT_LENGTH="20000000")
    with platform.serve(tree, {**environ, **job.environ()}) as server:
        out = job.run(server, text_of(rows))
    assert len(job.sent) == requests_sent
    expected = candidates.expected(platform, "dpp3")
    right = np.column_stack([expected.labels, expected.features])
    np.testing.assert_allclose(_numbers(out.decode()), np.tile(right, (times, 1)), rtol=1e-6, atol=1e-9)


# Where the code is


@pytest.mark.parametrize("program", [SERVE, f"{SERVE}.py"])
@pytest.mark.parametrize("place", ["model/code", f"model/{SERVE}.py", "file", "s3"])
def test_code_is_found_in_every_place(
    platform: Platform, candidates: Candidates, bucket: Bucket, place: str, program: str
) -> None:
    """A-02, U-02: a directory, a single file, a directory as an address, a tar file in S3."""
    tree = candidates.tree(platform, "dpp2")
    variables = {"SAGEMAKER_PROGRAM": program, "SAGEMAKER_CONTAINER_LOG_LEVEL": "20", "SAGEMAKER_REGION": "eu-west-1"}
    if place == "s3":
        script = {f"{SERVE}.py": autopilot.modules()[f"{SERVE}.py"]}
        address = bucket.put("model/sourcedir.tar.gz", tar_gz(script))
        variables.update(bucket.environ)
    elif place == "file":
        tree.write(f"local/{SERVE}.py", autopilot.modules()[f"{SERVE}.py"])
        address = f"file://{tree.inside('local')}"
    else:
        address = tree.inside(place)
    environ = inverse_label_transform(tree, **{**variables, "SAGEMAKER_SUBMIT_DIRECTORY": address})
    with platform.serve(tree, environ, loopback=place == "s3") as server:
        assert answered(post(server, "2\n")).text == "virginica\n"


ENVIRONMENT = """
import json, os
SEEN = dict(os.environ)

def model_fn(model_dir):
    return None

def input_fn(body, content_type):
    return [type(body).__name__, body if isinstance(body, str) else body.decode()]

def predict_fn(data, model):
    return data

def output_fn(prediction, accept):
    return json.dumps({"env": SEEN, "accept": accept, "body": prediction})
"""


def test_variables_and_bodies_reach_the_script_as_they_are(platform: Platform) -> None:
    """A-02, A-08: text of any kind, unparsed; str for exactly text/csv, else bytes."""
    tree = platform.tree()
    tree.write(f"model/code/{SERVE}.py", ENVIRONMENT)
    variables = feature_transform(
        tree,
        MAX_CONTENT_LENGTH="20000000",
        SAGEMAKER_INFERENCE_INPUT="predicted_label, probability",
        SAGEMAKER_INFERENCE_OUTPUT="labels",
        SAGEMAKER_INFERENCE_SUPPORTED="predicted_label,probability,probabilities,labels",
    )
    body = '1.50,"a, ""b""\r\nc",\u00e9,,NA,2020-01-01\n'
    with platform.serve(tree, variables) as server:
        seen = answered(post(server, body)).json()
        assert {name: seen["env"].get(name) for name in variables} == variables
        assert (seen["accept"], seen["body"]) == (RECORDIO, ["str", body])
        assert answered(post(server, body, "text/csv; charset=utf-8")).json()["body"] == ["bytes", body]


def test_models_written_with_the_same_versions_load(platform: Platform, candidates: Candidates) -> None:
    """A-07: also what the scripts name and newer versions of NumPy lack."""
    tree = candidates.tree(platform, "dpp2")
    tree.write(
        f"model/code/{SERVE}.py",
        autopilot.modules()[f"{SERVE}.py"]
        + """

assert (np.float, np.int, np.bool, np.object) == (float, int, bool, object)

def output_fn(prediction, accept):
    return json.dumps({"types": [type(step).__module__ for _, step in prediction.feature_transformer.steps]})

def predict_fn(rows, model):
    return model
""",
    )
    with platform.serve(tree, feature_transform(tree)) as server:
        answer = answered(post(server, "1,2,3,4\n"))
    assert json.loads(answer.text) == {
        "types": ["sklearn.compose._column_transformer", "sagemaker_sklearn_extension.preprocessing.data"]
    }


TIME_SERIES = """
import json
import numpy as np
from sagemaker_sklearn_extension.feature_extraction.sequences import TSFeatureExtractor

def model_fn(model_dir):
    rows = np.array([["1, 2, 44"], ["1, 3, 4"], ["2, 2, 9"]])
    return TSFeatureExtractor(augment=False, extraction_type="minimal").fit(rows)

def input_fn(body, content_type):
    return np.array([[line] for line in body.splitlines()])

def predict_fn(rows, model):
    return model.transform(rows)

def output_fn(features, accept):
    return json.dumps(list(features.shape))
"""


@pytest.mark.parametrize("program", [SERVE, f"{SERVE}.py"])
def test_time_series_are_extracted_in_a_worker(platform: Platform, program: str) -> None:
    """A-02, L-14: the library takes several processes unless the variable has exactly the first name."""
    tree = platform.tree()
    (tree.root / "model").mkdir()
    tree.write(f"model/code/{SERVE}.py", TIME_SERIES)
    with platform.serve(tree, {**serving(tree), "SAGEMAKER_PROGRAM": program}) as server:
        for _ in range(2):
            assert answered(post(server, "1, 2, 44\n1, 3, 4\n2, 2, 9\n")).json() == [3, 9]
