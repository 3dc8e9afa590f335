"""What the Autopilot cases share: the example's modules, data for them, jobs and servers as Autopilot makes them.

The data are scikit-learn's own sets and the example's orders, as CSV without a header line. What is right comes from
the job `REFERENCE`, in plain Python and with the library, without the readers, writers and servers under test.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np
import requests
from sklearn import datasets

from tests.support.platform import MlTree, Platform, Server, TrainingResult

TIMEOUT_S = 120
RECORDIO = "application/x-recordio-protobuf"

_EXAMPLE = Path(__file__).parents[2] / "examples" / "autopilot"
_PACKAGE = "candidate_data_processors"
_TRAINING_PROGRAM = "trainer.py"
_DEFAULT_BASE_DIR = "/opt/ml"

# Fits every processor to its data and writes what the servers are to answer.
REFERENCE = """
import csv, importlib, os
import numpy as np
from scipy import sparse
from sagemaker_sklearn_extension.externals import AutoMLTransformer

for name in sorted(os.listdir(os.environ["SM_CHANNEL_TRAIN"])):
    processor = importlib.import_module(name[:-4])
    with open(os.path.join(os.environ["SM_CHANNEL_TRAIN"], name), encoding="utf-8", newline="") as file:
        rows = np.array(list(csv.reader(file)), dtype=object)
    at = processor.HEADER.target_column_index
    target, features = rows[:, at], np.delete(rows, at, axis=1)
    make_labels = getattr(processor, "build_label_transform", lambda: None)
    model = AutoMLTransformer(processor.HEADER, processor.build_feature_transform(), make_labels())
    model.fit(features, target)
    transformed = model.transform(features)
    dense = transformed.toarray() if sparse.issparse(transformed) else transformed
    labels = np.asarray(model.label_transform(target), dtype=np.float32)
    np.savez(os.path.join(os.environ["SM_MODEL_DIR"], name[:-4] + ".npz"), features=dense, labels=labels)
"""


@dataclass(frozen=True)
class Data:
    """The rows that one processor module is for.

    Attributes:
        target: Index of the target's column.
        rows: Cells as text, target included.
    """

    target: int
    rows: list[list[str]]

    @property
    def features(self) -> list[list[str]]:
        """The rows without their target."""
        return [row[: self.target] + row[self.target + 1 :] for row in self.rows]

    @property
    def targets(self) -> list[str]:
        """The target of each row."""
        return [row[self.target] for row in self.rows]


@dataclass(frozen=True)
class Expected:
    """What the job `REFERENCE` computed for one processor module.

    Attributes:
        features: Of every row, float ndarray of shape (n_rows, n_features).
        labels: float32 ndarray of shape (n_rows,), NaN where a row has no target.
    """

    features: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]

    @property
    def is_labelled(self) -> np.ndarray[Any, Any]:
        """Which rows have a target; a batch leaves the others out."""
        present: np.ndarray[Any, Any] = ~np.isnan(self.labels)
        return present


class Candidates:
    """Trained processors; each is trained once, by the platform that asks first."""

    def __init__(self) -> None:
        self._models: dict[str, dict[str, bytes]] = {}
        self._expected: dict[str, Expected] = {}

    def model(self, platform: Platform, processor: str) -> Mapping[str, bytes]:
        """The files that a job with this processor leaves in the model directory, by path."""
        if processor not in self._models:
            tree = platform.tree()
            tree.channel("train", train_csv=text_of(data(processor).rows))
            result = succeed(platform.train(notebook_job(tree, processor)))
            self._models[processor] = files_below(result.model_dir)
        return self._models[processor]

    def expected(self, platform: Platform, processor: str) -> Expected:
        """What is right for this processor."""
        if not self._expected:
            tree = platform.tree()
            for name, content in modules().items():
                tree.write(f"code/{name}", content)
            tree.code(reference=REFERENCE)
            tree.channel("train")
            for name in PROCESSORS:
                tree.write(f"input/data/train/{name}.csv", text_of(data(name).rows))
            tree.hyperparameters(sagemaker_program="reference.py")
            result = succeed(platform.train(tree))
            for name in PROCESSORS:
                with np.load(result.model_dir / f"{name}.npz") as arrays:
                    self._expected[name] = Expected(arrays["features"], arrays["labels"])
        return self._expected[processor]

    def tree(self, platform: Platform, processor: str) -> MlTree:
        """A tree whose model directory is that of the trained processor."""
        tree = platform.tree()
        for path, content in self.model(platform, processor).items():
            tree.write(f"model/{path}", content)
        return tree


PROCESSORS = ("dpp0", "dpp1", "dpp2", "dpp3", "dpp4", "dpp5")


@lru_cache(maxsize=None)
def data(processor: str) -> Data:
    """The data set of a processor module of the example."""
    if processor in ("dpp0", "dpp1"):
        with (_EXAMPLE / "orders.csv").open(encoding="utf-8", newline="") as file:
            return Data(4 if processor == "dpp0" else 7, list(csv.reader(file)))
    load, target, named = {
        "dpp2": (datasets.load_iris, 4, True),
        "dpp3": (datasets.load_breast_cancer, 0, True),
        "dpp4": (datasets.load_diabetes, 10, False),
        "dpp5": (datasets.load_wine, 6, False),
    }[processor]
    table, values = load(return_X_y=True)
    # scikit-learn counts malignant tumours as 0.
    names = {"dpp3": ["malignant", "benign"]}.get(processor) or (list(load().target_names) if named else [])
    targets = [names[int(value)] if named else repr(float(value)) for value in values]
    rows = [[repr(cell) for cell in row] for row in table.tolist()]
    return Data(target, [[*row[:target], label, *row[target:]] for row, label in zip(rows, targets)])


def text_of(rows: Sequence[Sequence[object]]) -> str:
    """Rows as CSV text."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def modules() -> dict[str, str]:
    """The files of the example's package, by name."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((_EXAMPLE / _PACKAGE).glob("*.py"))}


def package() -> dict[str, str]:
    """The example's package with what installs it, by path."""
    around = {name: (_EXAMPLE / name).read_text(encoding="utf-8") for name in ("setup.py", "MANIFEST.in")}
    return {**around, **{f"{_PACKAGE}/{name}": text for name, text in modules().items()}}


def service_job(tree: MlTree, processor: str) -> MlTree:
    """The job as the service starts it: the package comes in a channel."""
    tree.channel("code")
    for path, text in package().items():
        tree.write(f"input/data/code/{path}", text)
    tree.hyperparameters(
        processor_module=f"{_PACKAGE}.{processor}",
        sagemaker_program=f"{_PACKAGE}.trainer",
        sagemaker_submit_directory=tree.inside("input/data/code"),
        **_places(tree),
    )
    return tree


def notebook_job(tree: MlTree, processor: str, source: str = "", **files: str) -> MlTree:
    """The job as the notebook starts it: the modules come in a tar file.

    Args:
        tree: Where the job is written.
        processor: Name of the processor module.
        source: Where the tar file is; by default it is one in the tree.
        files: Further modules, or others for those of the example, by name without `.py`.
    """
    if not source:
        source = tree.inside("input/source.tar.gz")
        tree.write_archive("input/source.tar.gz", {**modules(), **{f"{name}.py": text for name, text in files.items()}})
    tree.hyperparameters(
        processor_module=processor,
        sagemaker_program=_TRAINING_PROGRAM,
        sagemaker_submit_directory=source,
        sagemaker_region="eu-west-1",
        **_places(tree),
    )
    return tree


def _places(tree: MlTree) -> dict[str, str]:
    """Autopilot leaves the directories to the trainer, whose defaults are the platform's."""
    if tree.base_dir == _DEFAULT_BASE_DIR:
        return {}
    return {"data_dir": tree.inside("input/data/train"), "model_dir": tree.inside("model")}


def succeed(result: TrainingResult) -> TrainingResult:
    """The result of a job that must have succeeded."""
    assert result.exit_code == 0, f"{result.failure}\n{result.stderr.decode(errors='replace')}"
    assert result.succeeded
    return result


def files_below(directory: Path) -> dict[str, bytes]:
    """Every file below a directory, by path."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def serving(tree: MlTree, **variables: str) -> dict[str, str]:
    """Variables of a serving container as the service sets them: the code is in the model."""
    return {
        "SAGEMAKER_PROGRAM": "sagemaker_serve",
        "SAGEMAKER_SUBMIT_DIRECTORY": tree.inside("model/code"),
        **variables,
    }


def feature_transform(tree: MlTree, **variables: str) -> dict[str, str]:
    """Variables of a pipeline's first container."""
    return serving(
        tree,
        AUTOML_TRANSFORM_MODE="feature-transform",
        SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT=RECORDIO,
        AUTOML_SPARSE_ENCODE_RECORDIO_PROTOBUF="1",
        **variables,
    )


def inverse_label_transform(tree: MlTree, **variables: str) -> dict[str, str]:
    """Variables of a pipeline's last container."""
    return serving(
        tree,
        AUTOML_TRANSFORM_MODE="inverse-label-transform",
        SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/csv",
        **variables,
    )


def post(
    server: Server,
    body: str | bytes,
    content_type: str | None = "text/csv",
    accept: str | None = None,
    **headers: str,
) -> requests.Response:
    """What the server answers to rows; a type that is None is not sent."""
    sent = {"Content-Type": content_type, "Accept": accept, **headers}
    content = body.encode("utf-8") if isinstance(body, str) else body
    return requests.post(f"{server.base_url}/invocations", data=content, headers=sent, timeout=TIMEOUT_S)


def answered(answer: requests.Response) -> requests.Response:
    """An answer that must be one."""
    assert answer.status_code == 200, answer.text
    return answer


def refused(answer: requests.Response, status: int, *texts: str) -> None:
    """Check that a request was refused with a status, and a message with each of the texts."""
    assert answer.status_code == status, answer.text
    message = json.loads(answer.text)["error-message"] if answer.text.startswith("{") else answer.text
    missing = [text for text in texts if text not in message]
    assert missing == [], message


def rows_of(text: str) -> list[list[str]]:
    """The cells of CSV text."""
    return list(csv.reader(io.StringIO(text, newline="")))
