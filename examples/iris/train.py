"""Trains a classifier of iris flowers, and serves it: the same file is the program of both jobs."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

MODEL_FILE = "model.joblib"
TARGET = "species"


def train(data_dir: Path, model_dir: Path, c: float) -> Pipeline:
    """Fit the classifier to iris.csv in `data_dir` and write it to `model_dir`.

    Args:
        data_dir: Directory of iris.csv.
        model_dir: Directory for the model.
        c: Inverse strength of regularisation, above 0.
    """
    table = pd.read_csv(data_dir / "iris.csv")
    features, species = table.drop(columns=TARGET).to_numpy(), table[TARGET].to_numpy(dtype=str)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=c))
    print(f"accuracy={cross_val_score(model, features, species).mean():.4f};")
    model.fit(features, species)
    joblib.dump(model, model_dir / MODEL_FILE)
    return model


def model_fn(model_dir: str) -> Any:
    """The model, for serving."""
    return joblib.load(os.path.join(model_dir, MODEL_FILE))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-c", type=float, default=1.0, help="inverse strength of regularisation")
    parser.add_argument("--train", type=Path, default=os.environ.get("SM_CHANNEL_TRAIN"), help="directory of iris.csv")
    parser.add_argument(
        "--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR"), help="directory for the model"
    )
    arguments = parser.parse_args()
    train(arguments.train, arguments.model_dir, arguments.c)
