"""Tunes a classifier by grid search over all cores, tests it on rows it has not seen, and writes it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

MODEL_FILE = "model.joblib"
SEED = 0


def search(table: pd.DataFrame, target: str, folds: int, jobs: int) -> GridSearchCV:
    """The best classifier of the grid, fitted to all rows of `table`.

    Args:
        table: One column per feature, all numbers, and the target.
        target: Name of the column to predict.
        folds: Of the cross-validation, at least 2.
        jobs: How many processes fit at once.
    """
    pipeline = Pipeline([("scale", StandardScaler()), ("forest", RandomForestClassifier(random_state=SEED))])
    grid = {"forest__n_estimators": [20, 50], "forest__max_depth": [2, 4, None]}
    tuned = GridSearchCV(pipeline, grid, scoring="accuracy", cv=folds, n_jobs=jobs)
    return tuned.fit(table.drop(columns=target).to_numpy(), table[target].to_numpy(dtype=str))


def test(model: Any, table: pd.DataFrame, target: str) -> None:
    """Print what a tuning job or a metric definition reads: `name=value;` by line."""
    predicted = model.predict(table.drop(columns=target).to_numpy())
    print(f"test:accuracy={accuracy_score(table[target], predicted):.4f};")
    print(f"test:f1={f1_score(table[target], predicted, average='macro'):.4f};")


def main() -> None:
    """Train as the command line says; its defaults are the platform's variables."""
    environ = os.environ
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="species", help="name of the column to predict")
    parser.add_argument("--folds", type=int, default=5, help="folds of the cross-validation")
    parser.add_argument("--jobs", type=int, default=int(environ.get("SM_NUM_CPUS", "1")), help="processes at once")
    parser.add_argument("--train", type=Path, default=environ.get("SM_CHANNEL_TRAIN"), help="directory of CSV files")
    parser.add_argument("--model-dir", type=Path, default=environ.get("SM_MODEL_DIR"), help="directory for the model")
    parser.add_argument("--output", type=Path, default=environ.get("SM_OUTPUT_DATA_DIR"), help="directory for results")
    arguments = parser.parse_args()

    table = pd.concat([pd.read_csv(path) for path in sorted(arguments.train.glob("*.csv"))])
    seen, unseen = train_test_split(table, test_size=0.2, random_state=SEED, stratify=table[arguments.target])
    tuned = search(seen, arguments.target, arguments.folds, arguments.jobs)
    for mean, parameters in zip(tuned.cv_results_["mean_test_score"], tuned.cv_results_["params"]):
        print(f"validation:accuracy={mean:.4f}; {parameters}")
    print(f"best: {tuned.best_params_} (of {len(tuned.cv_results_['params'])}, by {arguments.jobs} processes)")
    test(tuned.best_estimator_, unseen, arguments.target)
    joblib.dump(tuned.best_estimator_, arguments.model_dir / MODEL_FILE)
    pd.DataFrame(tuned.cv_results_).to_csv(arguments.output / "grid.csv", index=False)


def model_fn(model_dir: str) -> Any:
    """The model, for serving."""
    return joblib.load(os.path.join(model_dir, MODEL_FILE))


if __name__ == "__main__":
    main()
