"""A package as Autopilot lays it out that needs no library: four numbers, the kind of a thing or its price."""

from __future__ import annotations

import random
from pathlib import Path

PACKAGE = "candidate_data_processors"
COLUMNS = ("width", "height", "kind", "depth", "price")

PROCESSOR = """
from collections import namedtuple

Header = namedtuple("Header", "column_names target_column_name")
HEADER = Header(column_names=["width", "height", "kind", "depth", "price"], target_column_name="kind")


def build_feature_transform():
    return ThresholdOneHotEncoder()


def build_label_transform():
    return RobustLabelEncoder(labels=["box", "tin"], include_unseen_class=True)
"""
# Computed, and with the attribute that the library's class has.
REGRESSION = """
class Header:
    def __init__(self, column_names, target_column_name):
        self.column_names = column_names
        self._column_name_indices = dict.fromkeys(column_names)
        self.target_column_name = target_column_name


NAMES = ["width", "height", "depth"]
HEADER = Header(column_names=[NAMES[0], NAMES[1], "kind", NAMES[2], "price"], target_column_name="price")


def build_feature_transform():
    return None
"""
TRAINER = """
import argparse
import csv
import importlib
import os
import shutil

from joblib import dump

parser = argparse.ArgumentParser()
parser.add_argument("-p", "--processor_module", required=True)
parser.add_argument("-d", "--data_dir", default="/opt/ml/input/data/train")
parser.add_argument("-m", "--model_dir", default="/opt/ml/model")
arguments, _ = parser.parse_known_args()
header = importlib.import_module(arguments.processor_module).HEADER
rows = []
for name in sorted(os.listdir(arguments.data_dir)):
    with open(os.path.join(arguments.data_dir, name), newline="") as stream:
        rows += csv.reader(stream)
target = list(header.column_names).index(header.target_column_name)
labels = sorted({row[target] for row in rows}) if header.target_column_name == "kind" else None
print("trained with", len(rows), "rows")
dump({"target": target, "labels": labels}, os.path.join(arguments.model_dir, "model.joblib"))
here = os.path.dirname(os.path.abspath(__file__))
shutil.copy(os.path.join(here, "sagemaker_serve.py"), arguments.model_dir)
"""
SERVING = """
import csv
import io
import os

import numpy as np
from joblib import load
from sagemaker_containers.beta.framework import encoders, worker
from scipy import sparse

MODE = os.environ.get("AUTOML_TRANSFORM_MODE")
INVERSE = MODE == "inverse-label-transform"
KEYS = os.environ.get("SAGEMAKER_INFERENCE_INPUT", "").split(",")


def model_fn(model_dir):
    return load(os.path.join(model_dir, "model.joblib"))


def input_fn(body, content_type):
    text = body if isinstance(body, str) else body.decode("utf-8")
    return list(csv.reader(io.StringIO(text, newline="")))


def number(cell):
    return {"box": 1.0, "tin": 2.0}.get(cell) or float(cell)


def predict_fn(rows, model):
    if INVERSE:
        return [[model["labels"][int(float(row[0]))], *row[1:]] for row in rows]
    try:
        if MODE == "feature-transform":
            return np.array([[number(cell) for cell in row] for row in rows]), None
        labels = [row.pop(model["target"]) for row in rows]
        if model["labels"]:
            labels = [model["labels"].index(label) for label in labels]
        return np.array([[number(cell) for cell in row] for row in rows]), np.array(labels, dtype=float)
    except ValueError as error:
        return worker.Response(response=str(error), status=400)


def output_fn(result, accept):
    if isinstance(result, worker.Response):
        return result
    if INVERSE:
        return worker.Response(response=encoders.array_to_csv(np.array(result, dtype=object)), mimetype=accept)
    features, labels = result
    if accept == "text/csv":
        return worker.Response(response=encoders.encode(np.column_stack([labels, features]), accept), mimetype=accept)
    if os.environ.get("AUTOML_SPARSE_ENCODE_RECORDIO_PROTOBUF") == "1":
        features = sparse.csr_matrix(features)
    labels = None if labels is None else labels.astype("float32")
    body = encoders.array_to_recordio_protobuf(features.astype("float32"), labels)
    return worker.Response(response=body, mimetype=accept)


def execution_parameters_fn():
    return worker.Response(response='{"MaxPayloadInMB":1}', mimetype="application/json")
"""


def write(folder: Path, **modules: str) -> Path:
    """The package below `folder`, with other modules in place of its own; the directory that has it."""
    inner = folder / PACKAGE
    inner.mkdir(parents=True)
    texts = {"dpp0": PROCESSOR, "dpp1": REGRESSION, "trainer": TRAINER, "sagemaker_serve": SERVING, **modules}
    for name, text in texts.items():
        (inner / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def rows(count: int = 60) -> list[list[str]]:
    """Rows as text: tins are much higher than wide, and the price is a sum of all."""
    numbers = random.Random(0)
    found = []
    for _ in range(count):
        width, height, depth = (numbers.uniform(1, 9) for _ in range(3))
        kind = "tin" if height > width else "box"
        height += 3 * (kind == "tin")
        found.append([f"{width:.3f}", f"{height:.3f}", kind, f"{depth:.3f}", f"{width + 2 * height + 3 * depth:.3f}"])
    return found


def text(table: list[list[str]]) -> str:
    """Rows without commas as CSV."""
    return "".join(",".join(row) + "\n" for row in table)
