"""Estimators of the extension library, trained in one container and served in another.

Every case takes the fixture `platform`. Names come from `library.py`, which the user's code of each case contains.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import requests

from tests.image.extension import library
from tests.support.many_models import serve_many
from tests.support.platform import MlTree, Platform

TIMEOUT_S = 120

_TRAIN = """
import json
import os

import joblib
import library

models = {name: library.fitted(name) for name in library.ESTIMATORS}
folder = os.environ["SM_MODEL_DIR"]
joblib.dump(models, os.path.join(folder, "model.joblib"))
results = {name: library.transformed(name, model) for name, model in models.items()}
with open(os.path.join(folder, "results.json"), "w") as stream:
    json.dump(results, stream)
"""

# The body names an estimator; the model comes from the default model_fn.
_SERVE = """
import json
import os

import library

forks = 0

def count():
    global forks
    forks += 1

os.register_at_fork(after_in_parent=count)

def input_fn(body, content_type):
    return json.loads(body)

def predict_fn(name, models):
    before = forks
    result = library.transformed(name, models[name])
    program = os.environ.get("SAGEMAKER_PROGRAM")
    return {"result": result, "forks": forks - before, "program": program}

def output_fn(prediction, accept):
    return json.dumps(prediction), "application/json"
"""
_EXTRACTOR = "feature_extraction.sequences.TSFeatureExtractor"


def _code(tree: MlTree, folder: str = "code", **scripts: str) -> None:
    texts = {"library": Path(library.__file__).read_text(encoding="utf-8"), **scripts}
    for name, text in texts.items():
        tree.write(f"{folder}/{name}.py", text)


def _trained(platform: Platform, tree: MlTree) -> dict[str, Any]:
    """The results of all estimators in the training job, whose model is in the tree."""
    _code(tree, train=_TRAIN)
    tree.hyperparameters(sagemaker_program="train.py")
    job = platform.train(tree)
    assert job.exit_code == 0, job.stderr.decode("utf-8", errors="replace")
    results: dict[str, Any] = json.loads((job.model_dir / "results.json").read_text(encoding="utf-8"))
    return results


def _answer(url: str, name: str) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    answer = requests.post(url, data=json.dumps(name), headers=headers, timeout=TIMEOUT_S)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_every_estimator_is_served_as_it_was_trained(platform: Platform) -> None:
    """L-14, A-02, A-07: no request forks a process, though the program is not the one that the library knows."""
    tree = platform.tree()
    expected = _trained(platform, tree)
    assert sorted(expected) == sorted(library.ESTIMATORS)
    _code(tree, inference=_SERVE)
    with platform.serve(tree, {"SAGEMAKER_PROGRAM": "inference.py"}) as server:
        for name, result in expected.items():
            answer = _answer(f"{server.base_url}/invocations", name)
            assert answer == {"result": result, "forks": 0, "program": "inference.py"}, name


def test_time_series_of_many_models_are_computed_in_the_worker(platform: Platform) -> None:
    """L-14, A-02: no pool there either; a model's own code and that of all."""
    tree = platform.tree()
    expected = _trained(platform, tree)[_EXTRACTOR]
    model = (tree.root / "model" / "model.joblib").read_bytes()
    _code(tree, inference=_SERVE)
    for name in ("plain", "own"):
        tree.write(f"models/{name}/model.joblib", model)
    _code(tree, "models/own/code", inference=_SERVE)
    with serve_many(platform, {"SAGEMAKER_PROGRAM": "inference.py"}, tree=tree, script=None) as many:
        for name in ("plain", "own"):
            many.load(name, tree.inside(f"models/{name}"))
            answer = many.invoke(name, json.dumps(_EXTRACTOR), **{"Content-Type": "application/json"})
            assert answer.status_code == 200, answer.text
            assert answer.json() == {"result": expected, "forks": 0, "program": "inference.py"}, name
