"""Training of generated code, in both ways that it is started.

Every case takes the fixture `platform`.
"""

from __future__ import annotations

import errno
import gzip
import os
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import numpy as np
import pytest

from tests.contract.training_code_cases import tar_gz
from tests.support import autopilot, records
from tests.support.autopilot import Candidates, answered, data, notebook_job, post, service_job, succeed, text_of
from tests.support.loopback import Bucket
from tests.support.platform import MlTree, Platform, TrainingResult

_PIPE_TIMEOUT_S = 60.0
_MODULES = {f"code/{name}" for name in autopilot.modules()}
_LEFT = {"model.joblib", "sagemaker_serve.py"} | _MODULES


def _left(result: TrainingResult) -> set[str]:
    return set(autopilot.files_below(succeed(result).model_dir))


def _transforms_as_expected(platform: Platform, candidates: Candidates, result: TrainingResult, processor: str) -> None:
    """Check the model of a job by what a server makes of its training rows."""
    tree = platform.tree()
    for path, content in autopilot.files_below(result.model_dir).items():
        tree.write(f"model/{path}", content)
    with platform.serve(tree, autopilot.feature_transform(tree)) as server:
        answer = answered(post(server, text_of(data(processor).features)))
    expected = candidates.expected(platform, processor).features.astype(np.float32)
    np.testing.assert_array_equal(records.dense(answer.content), expected)


def test_the_service_trains_a_package_out_of_a_channel(platform: Platform, candidates: Candidates) -> None:
    """A-01, A-03, A-07, T-46: installed without network, run as a module, read as files."""
    tree = service_job(platform.tree(), "dpp0")
    tree.channel("train", train_csv=text_of(data("dpp0").rows))
    result = platform.train(tree, {"PIP_NO_INDEX": "1"})
    assert _left(result) == _LEFT
    _transforms_as_expected(platform, candidates, result, "dpp0")


def test_the_notebook_trains_modules_out_of_s3(platform: Platform, candidates: Candidates, bucket: Bucket) -> None:
    """A-01, A-03, T-42: data in several files, in the order of their numbers, one of them compressed."""
    address = bucket.put("job/source/sourcedir.tar.gz", tar_gz(autopilot.modules()))
    tree = notebook_job(platform.tree(), "dpp1", source=address)
    rows = data("dpp1").rows
    tree.channel("train")
    tree.write("input/data/train/chunk_2.csv", text_of(rows[:150]).rstrip("\n"))
    tree.write("input/data/train/chunk_10.csv.gz", gzip.compress(text_of(rows[150:310]).encode()))
    tree.write("input/data/train/chunk_11.csv", "")
    tree.write("input/data/train/deeper/chunk_1.csv", text_of(rows[310:]))
    result = platform.train(tree, bucket.environ, loopback=True)
    assert _left(result) == _LEFT
    _transforms_as_expected(platform, candidates, result, "dpp1")


def test_training_reads_a_pipe(platform: Platform, candidates: Candidates) -> None:
    """A-01, A-03: named after the channel and the epoch; its length is not known before."""
    tree = notebook_job(platform.tree(), "dpp2")
    with _pipe(tree, text_of(data("dpp2").rows)):
        result = platform.train(tree)
    assert _left(result) == _LEFT
    _transforms_as_expected(platform, candidates, result, "dpp2")


def test_older_trainers_leave_one_script(platform: Platform, candidates: Candidates) -> None:
    """A-01, A-02: beside the model, where a variable names it as a file."""
    script = autopilot.modules()["trainer.py"]
    calls = "    copy_code(arguments.model_dir)\n"
    copy = "    shutil.copyfile(os.path.join(HERE, SERVING_FILE), os.path.join(arguments.model_dir, SERVING_FILE))\n"
    assert script.count(calls) == 1
    tree = notebook_job(platform.tree(), "dpp3", trainer=script.replace(calls, copy))
    tree.channel("train", train_csv=text_of(data("dpp3").rows))
    result = platform.train(tree)
    assert _left(result) == {"model.joblib", "sagemaker_serve.py"}
    served = platform.tree()
    for path, content in autopilot.files_below(result.model_dir).items():
        served.write(f"model/{path}", content)
    environ = autopilot.feature_transform(served, SAGEMAKER_SUBMIT_DIRECTORY=served.inside("model/sagemaker_serve.py"))
    with platform.serve(served, environ) as server:
        answer = answered(post(server, text_of(data("dpp3").features)))
    expected = candidates.expected(platform, "dpp3").features.astype(np.float32)
    np.testing.assert_array_equal(records.dense(answer.content), expected)


# Bad input


@pytest.mark.parametrize(
    ("processor", "target", "said"),
    [
        ("dpp9", "species", "ModuleNotFoundError: No module named 'dpp9'"),
        ("argparse", "species", "AttributeError: module 'argparse' has no attribute 'HEADER'"),
        ("dpp2", "genus", "ValueError: Specified target column 'genus' is not a valid column name."),
    ],
    ids=["no module", "no header", "no target"],
)
def test_a_wrong_processor_module_is_named_in_the_failure(
    platform: Platform, processor: str, target: str, said: str
) -> None:
    """A-01, T-04, T-05."""
    script = autopilot.modules()["dpp2.py"]
    named = 'target_column_name="{}"'
    assert script.count(named.format("species")) == 1
    tree = notebook_job(platform.tree(), processor, dpp2=script.replace(named.format("species"), named.format(target)))
    tree.channel("train", train_csv=text_of(data("dpp2").rows))
    _fail(platform, tree, said)


def _columns(count: int) -> str:
    return text_of([row[:count] for row in data("dpp2").rows])


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"train.csv": _columns(3)}, ["Invalid target_column_index 4 in data with 3 columns."]),
        ({"train.csv": _columns(5) + "1,2,3\n"}, ["InvalidInstanceError", "train.csv': row 151 has 3 columns"]),
        (
            {"1.csv": _columns(5), "2.csv": "1,2,3,4,setosa\n1,2,3,4,5,setosa\n"},
            ["InvalidInstanceError", "2.csv'", "has 6 columns"],
        ),
        ({"train.csv": _columns(5) + '1,2,3,4,"setosa\n'}, ["train.csv': record 151: a quote is opened"]),
        (
            {"train.csv.gz": gzip.compress(_columns(5).encode())[:-20]},
            ["train.csv.gz'", "the compressed data ends too early"],
        ),
        ({"train.csv": ""}, []),
        ({}, []),
    ],
    ids=["no target column", "short row", "long row in the second file", "open quote", "cut gzip", "empty", "no files"],
)
def test_data_that_cannot_be_read_are_a_clear_failure(
    platform: Platform, files: dict[str, str | bytes], said: list[str]
) -> None:
    """A-01, A-03, T-04, T-05: the file says what, and of the data where."""
    tree = notebook_job(platform.tree(), "dpp2")
    tree.channel("train")
    for name, content in files.items():
        tree.write(f"input/data/train/{name}", content)
    _fail(platform, tree, *said)


def test_a_channel_that_is_missing_is_named_in_the_failure(platform: Platform) -> None:
    """A-01, A-03, T-04."""
    tree = notebook_job(platform.tree(), "dpp2")
    tree.channel("validation", train_csv=text_of(data("dpp2").rows))
    _fail(platform, tree, "train")


def test_a_pipe_that_does_not_exist_is_named_in_the_failure(platform: Platform) -> None:
    """A-01, A-03, T-04: after some tries, since the platform may make it late."""
    tree = notebook_job(platform.tree(), "dpp2")
    tree.channel("train", mode="Pipe")
    _fail(platform, tree, "DataReaderError", "No such file or directory", "train_0")


def _fail(platform: Platform, tree: MlTree, *said: str) -> None:
    result = platform.train(tree)
    assert result.exit_code != 0
    assert result.failure is not None
    assert [text for text in said if text not in result.failure] == [], result.failure
    assert not (result.model_dir / "model.joblib").exists()


@contextmanager
def _pipe(tree: MlTree, content: str) -> Iterator[Path]:
    """The pipe of channel `train`, with somebody who writes to it once it is read."""
    tree.channel("train", mode="Pipe")
    path = tree.root / "input/data/train_0"
    os.mkfifo(path)
    written: list[int] = []

    def write() -> None:
        deadline = time.monotonic() + _PIPE_TIMEOUT_S
        while time.monotonic() < deadline:
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as exc:
                if exc.errno != errno.ENXIO:
                    raise
                time.sleep(0.05)  # nobody reads yet
                continue
            os.set_blocking(descriptor, True)
            with os.fdopen(descriptor, "wb") as file:
                written.append(file.write(content.encode()))
            return

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    yield path
    writer.join(_PIPE_TIMEOUT_S)
    assert written == [len(content.encode())]
