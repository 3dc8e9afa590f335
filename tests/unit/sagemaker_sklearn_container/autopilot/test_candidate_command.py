"""The whole command: real training jobs and servers, with a package that needs no library."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Mapping

import pytest

from tests.support import small_candidate

TIMEOUT_S = 120


class Finished:
    """How the command ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


def _environ(tmp_path: Path) -> dict[str, str]:
    path = os.pathsep.join(map(os.path.abspath, filter(None, sys.path)))
    (tmp_path / "tmp").mkdir(exist_ok=True)
    # A mark that every process of the run inherits.
    return {**os.environ, "PYTHONPATH": path, "TMPDIR": str(tmp_path / "tmp"), "CANDIDATE_RUN": str(tmp_path)}


def _started(tmp_path: Path, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sagemaker_sklearn_container.autopilot", *map(str, words)],
        env=_environ(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _run(tmp_path: Path, *words: object) -> Finished:
    process = _started(tmp_path, *words)
    try:
        out, err = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
        process.wait()
    _check_nothing_left(tmp_path)
    return Finished(process.returncode, out, err)


def _running(tmp_path: Path) -> list[int]:
    """Processes of a run of this test."""
    mark = f"CANDIDATE_RUN={tmp_path}".encode()
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            if mark in Path("/proc", entry, "environ").read_bytes().split(b"\0"):
                found.append(int(entry))
        except OSError:
            continue
    return found


def _check_nothing_left(tmp_path: Path) -> None:
    deadline = time.monotonic() + 10
    while _running(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _running(tmp_path) == []


def _write(tmp_path: Path, table: list[list[str]], **modules: str) -> tuple[Path, Path]:
    data = tmp_path / "data.csv"
    data.write_text(small_candidate.text(table), encoding="utf-8")
    return small_candidate.write(tmp_path / "package", **modules), data


def _trees(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "tmp").iterdir())


def test_a_classifier_runs_through_every_step(tmp_path: Path) -> None:
    """A-01, A-02, A-05, A-09, P-01: header left out, table of steps, predictions, nothing left."""
    package, data = _write(tmp_path, [list(small_candidate.COLUMNS), *small_candidate.rows()])
    done = _run(tmp_path, package, data)
    assert (done.code, _trees(tmp_path)) == (0, [])
    assert f"{data}:1: the column names are left out" in done.err
    lines = {line[:25].strip(): line for line in done.out.splitlines()}
    assert done.out.startswith("dpp0: binary, 2 classes, target 'kind'\n")
    assert "60 x 5 recordio with label" in lines["batch transform"]
    assert "application/x-recordio-protobuf" in lines["feature-transform"]
    assert "text/csv" in lines["inverse-label-transform"]
    assert "60 rows" in lines["inverse-label-transform"]
    assert "accuracy 1.000 on 60 rows.\nThat is the stand-in's figure" in done.out
    assert {"box", "tin"} & set(done.out.split())


def test_a_regression_has_two_containers_and_csv_between(tmp_path: Path) -> None:
    """A-02, P-01: HEADER is computed, so the module is asked; values are numbers."""
    package, data = _write(tmp_path, small_candidate.rows())
    done = _run(tmp_path, package, data, "--processor-module", "dpp1")
    assert done.code == 0, done.err
    assert "60 x 5 csv with label" in done.out
    assert "2 containers" in done.out
    assert "inverse-label-transform" not in done.out
    assert "R2 1.000 on 60 rows" in done.out


def test_every_processor_of_an_archive(tmp_path: Path) -> None:
    """A-01, A-09: --all, a directory of files, fewer rows, a tree that is kept."""
    package, data = _write(tmp_path, small_candidate.rows())
    archive = tmp_path / "package.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(package / small_candidate.PACKAGE, small_candidate.PACKAGE)
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text(small_candidate.text(small_candidate.rows()), encoding="utf-8")
    work = tmp_path / "work"
    done = _run(tmp_path, archive, folder, "--all", "--rows", "70", "--work", work, "--keep")
    assert done.code == 0, done.err
    assert done.out.count("70 rows, ") >= 4
    assert "dpp0: binary" in done.out
    assert "dpp1: regression" in done.out
    (tree,) = work.iterdir()
    assert f"kept: {tree}" in done.err
    assert {path.name for path in tree.iterdir()} == {"logs", "package", "dpp0", "dpp1"}


def test_a_large_table_is_cut_into_mini_batches(tmp_path: Path) -> None:
    """B-02, B-05: the container says 1 MiB, and no row is lost or doubled."""
    package, data = _write(tmp_path, small_candidate.rows(50) * 1000)
    done = _run(tmp_path, package, data)
    assert done.code == 0, done.err
    assert "50,000 x 5 recordio" in done.out
    assert ", 2 mini-batches" in done.out


def test_a_package_with_setup_is_installed_as_the_service_does(tmp_path: Path) -> None:
    """A-01, T-43: `train` installs it; the trainer then runs from what was installed."""
    package, data = _write(tmp_path, small_candidate.rows())
    setup = "from setuptools import setup\nsetup(name='candidates', packages=['candidate_data_processors/'])\n"
    (package / "setup.py").write_text(setup, encoding="utf-8")
    done = _run(tmp_path, package, data, "--keep")
    assert done.code == 0, done.err
    (tree,) = _trees(tmp_path)
    assert "-m candidate_data_processors.trainer" in (tree / "logs/dpp0-1-train.log").read_text(encoding="utf-8")


def test_a_script_that_knows_no_keys_gets_one_column(tmp_path: Path) -> None:
    """A-02: as those of 2020, which the endpoint then names as a single file."""
    line = 'KEYS = os.environ.get("SAGEMAKER_INFERENCE_INPUT", "").split(",")\n'
    check = "    if INVERSE:\n        assert {len(row) for row in rows} == {1}\n"
    serving = small_candidate.SERVING.replace(line, "").replace("    if INVERSE:\n", check, 1)
    package, data = _write(tmp_path, small_candidate.rows(), sagemaker_serve=serving)
    done = _run(tmp_path, package, data)
    assert done.code == 0, done.err
    assert "accuracy 1.000 on 60 rows" in done.out


def test_a_script_in_the_code_directory_of_the_model(tmp_path: Path) -> None:
    """A-02: as later trainers leave it; the module beside it is imported from there."""
    trainer = small_candidate.TRAINER.replace(
        'shutil.copy(os.path.join(here, "sagemaker_serve.py"), arguments.model_dir)',
        "shutil.copytree(here, os.path.join(arguments.model_dir, 'code'))",
    )
    serving = small_candidate.SERVING + "\nimport beside_it\n"
    package, data = _write(
        tmp_path, small_candidate.rows(), trainer=trainer, sagemaker_serve=serving, beside_it="assert True\n"
    )
    done = _run(tmp_path, package, data, "--keep")
    assert done.code == 0, done.err
    (tree,) = _trees(tmp_path)
    assert not (tree / "dpp0/processor/model/sagemaker_serve.py").exists()
    assert "inverse-label-transform" in done.out


def test_a_trainer_that_fails(tmp_path: Path) -> None:
    """A-01, T-04: the failure file's text, and the log, which alone stays of the tree."""
    broken = small_candidate.TRAINER + "\nraise ValueError('no memory of the rows')\n"
    package, data = _write(tmp_path, small_candidate.rows(), trainer=broken)
    done = _run(tmp_path, package, data)
    assert done.code == 1
    assert "train data processor failed: train ended with exit code 1:\nValueError: no memory of the rows" in done.err
    (tree,) = _trees(tmp_path)
    assert f"log: {tree}/logs/dpp0-1-train.log" in done.err
    assert [path.name for path in tree.iterdir()] == ["logs"]
    assert "Traceback" in (tree / "logs/dpp0-1-train.log").read_text(encoding="utf-8")


def test_a_trainer_that_leaves_no_model(tmp_path: Path) -> None:
    """A-01: the error says what is there instead."""
    trainer = small_candidate.TRAINER.replace('"model.joblib"', '"other.joblib"')
    package, data = _write(tmp_path, small_candidate.rows(), trainer=trainer)
    done = _run(tmp_path, package, data)
    assert done.code == 1
    assert "no model.joblib in the model directory, but other.joblib, sagemaker_serve.py" in done.err


def test_a_cell_that_the_transform_refuses_is_found(tmp_path: Path) -> None:
    """A-05, A-09: step, file, line and column, and the server's answer."""
    table = small_candidate.rows()
    table[40][3] = "deep"
    package, data = _write(tmp_path, [list(small_candidate.COLUMNS), *table])
    done = _run(tmp_path, package, data)
    assert done.code == 1
    assert f"batch transform failed: {data}:42:4 (column 'depth', value 'deep'): status 400: could not" in done.err
    assert "dpp0-2-batch-transform.log" in done.err
    # What had been done is reported.
    assert "train data processor" in done.out


def test_an_endpoint_that_fails_names_container_and_row(tmp_path: Path) -> None:
    """A-05, P-02: only the container for features refuses; the row is one of those that were sent."""
    refusing = small_candidate.SERVING.replace(
        'if MODE == "feature-transform":', 'if MODE == "feature-transform":\n            refuse(rows)'
    )
    refusing += (
        "\n\ndef refuse(rows):\n    if '7.000' in [row[0] for row in rows]:\n        raise ValueError('seven')\n"
    )
    table = small_candidate.rows()
    table[30][0] = "7.000"
    package, data = _write(tmp_path, table, sagemaker_serve=refusing)
    done = _run(tmp_path, package, data)
    assert done.code == 1
    assert f"endpoint failed: feature-transform: {data}:31: status 400: seven" in done.err


def test_a_server_that_does_not_start(tmp_path: Path) -> None:
    """A-02, S-06: the log's last lines are shown."""
    serving = small_candidate.SERVING + "\nimport there_is_no_such_library\n"
    package, data = _write(tmp_path, small_candidate.rows(), sagemaker_serve=serving)
    done = _run(tmp_path, package, data)
    assert done.code == 1
    assert "batch transform failed: serve (dpp0-2-batch-transform) ended with exit code 1:" in done.err
    assert "No module named 'there_is_no_such_library'" in done.err


def test_a_step_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """Every wait has an end."""
    package, data = _write(tmp_path, small_candidate.rows(), trainer="import time\ntime.sleep(100)\n")
    done = _run(tmp_path, package, data, "--timeout", "2")
    assert done.code == 1
    assert "it has not ended after 2 s; --timeout gives it longer" in done.err


@pytest.mark.parametrize(
    ("modules", "ready"),
    [
        ({"trainer": "import time\nprint('waiting', flush=True)\ntime.sleep(100)\n"}, "train.log"),
        ({"sagemaker_serve": small_candidate.SERVING + "\nimport time\ntime.sleep(100)\n"}, "transform.log"),
    ],
    ids=["training", "serving"],
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_everything(
    tmp_path: Path, modules: Mapping[str, str], ready: str, number: signal.Signals
) -> None:
    """A-01, A-02, T-08, S-07: whatever runs ends, and the tree goes, where the signal can be handled."""
    package, data = _write(tmp_path, small_candidate.rows(), **modules)
    process = _started(tmp_path, package, data)
    try:
        deadline = time.monotonic() + TIMEOUT_S
        # Long enough for the process that sleeps to be there: command, `train` or `serve`, and the script's.
        while not (list(tmp_path.glob(f"tmp/*/logs/*{ready}")) and len(_running(tmp_path)) >= 2):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(1)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    _check_nothing_left(tmp_path)
    if number is not signal.SIGKILL:
        assert (process.returncode, _trees(tmp_path)) == (128 + number, [])
        assert f"stopped by {number.name}" in err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table[5].pop(), ":6:4: the row has 4 columns; expected are 5, as in other rows"),
        (lambda table: [row.pop(2) for row in table], ":1: the row has 4 columns; the data processor dpp0 expects 5"),
        (lambda table: table[7].__setitem__(2, " "), ":8:3: the label is missing (column 'kind')"),
    ],
    ids=["ragged", "no-target", "no-label"],
)
def test_bad_data_is_refused_before_anything_runs(tmp_path: Path, change: object, said: str) -> None:
    """Exit code 2, file, row and column, and no table."""
    table = small_candidate.rows()
    assert callable(change)
    change(table)
    package, data = _write(tmp_path, table)
    done = _run(tmp_path, package, data)
    assert (done.code, done.out, _trees(tmp_path)) == (2, "", [])
    assert f"{data}{said}" in done.err


def test_a_package_that_is_none(tmp_path: Path) -> None:
    """Exit code 2, and what is there."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "model.py").touch()
    done = _run(tmp_path, tmp_path / "package", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "is no generated package" in done.err
    assert "there are: model.py" in done.err


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """Exit code 2 and the way out."""
    package, data = _write(tmp_path, small_candidate.rows())
    done = _run(tmp_path, package, data, "--work", data)
    assert done.code == 2
    assert "--work" in done.err
