"""What the SageMaker Python SDK's local mode and its processing jobs find in the final image and the one above it."""

from __future__ import annotations

import io
import json
import socket
import tarfile
import time
from pathlib import Path
from typing import Any

import requests

from tests.contract.training_cases import example
from tests.support.compose import LocalJob, Running
from tests.support.engine import Image
from tests.support.recorder import RECORDER

_START_TIMEOUT_S = 60

_SUM = """
def model_fn(model_dir):
    return sum

def predict_fn(data, model):
    return [float(model(row)) for row in data]
"""


def _write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def _training_job(image: Image, folder: Path, script: str, **hyperparameters: Any) -> LocalJob:
    """A training job with local code, as the SDK sets it up (K-03 to K-06)."""
    job = LocalJob(folder, image.id)
    for inside in ("/opt/ml/model", "/opt/ml/output", "/opt/ml/output/data", "/opt/ml/shared"):
        job.mount(inside)
    code = job.mount("/opt/ml/code")
    (code / "train.py").write_text(script)
    channel = job.mount("/opt/ml/input/data/train")
    (channel / "iris.csv").write_text(example("iris/iris.csv"))
    config = job.mount("/opt/ml/input") / "config"
    every = {
        **hyperparameters,
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": "/opt/ml/code",
        "sagemaker_container_log_level": 20,
        "sagemaker_job_name": "job-1",
        "sagemaker_region": "eu-west-1",
    }
    _write_json(config / "hyperparameters.json", {name: json.dumps(value) for name, value in every.items()})
    _write_json(config / "inputdataconfig.json", {"train": {"TrainingInputMode": "File", "ContentType": "text/csv"}})
    resources = {"current_host": job.host, "hosts": [job.host], "network_interface_name": "eth0"}
    _write_json(config / "resourceconfig.json", {**resources, "current_instance_type": "local"})
    job.environment = {
        "AWS_REGION": "eu-west-1",
        "TRAINING_JOB_NAME": "job-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "never-shown",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
    }
    job.options = {"command": "train"}
    return job


def _mounted(job: LocalJob, inside: str) -> Path:
    return next(path for path, place in job.volumes.items() if place == inside)


def test_local_mode_trains(image: Image, tmp_path: Path) -> None:
    """K-01, K-02, K-03, K-04, K-05, K-06, K-10: on a terminal, and without a trace in the user's own directory."""
    job = _training_job(image, tmp_path, example("iris/train.py"), c=0.5)
    done = job.run()
    assert done.returncode == 0, done.stdout.decode(errors="replace")
    assert b"accuracy=0." in done.stdout
    assert b"exited with code 0" in done.stdout
    assert b"never-shown" not in done.stdout
    assert [path.name for path in _mounted(job, "/opt/ml/model").iterdir()] == ["model.joblib"]
    assert [path.name for path in _mounted(job, "/opt/ml/code").iterdir()] == ["train.py"]
    assert sorted(path.name for path in _mounted(job, "/opt/ml/output").iterdir()) == ["data", "success"]


def test_local_mode_tells_the_program_what_the_sdk_wrote(image: Image, tmp_path: Path) -> None:
    """K-04, K-05, K-06."""
    job = _training_job(image, tmp_path, RECORDER, depth=3)
    done = job.run()
    assert done.returncode == 0, done.stdout.decode(errors="replace")
    seen = json.loads((_mounted(job, "/opt/ml/model") / "seen.json").read_text())
    assert seen["argv"] == ["--depth", "3"]
    wanted = {
        "SM_CURRENT_HOST": job.host,
        "SM_CHANNEL_TRAIN": "/opt/ml/input/data/train",
        "SM_CURRENT_INSTANCE_TYPE": "local",
        "SM_CURRENT_INSTANCE_GROUP": "homogeneousCluster",
        "SAGEMAKER_REGION": "eu-west-1",
        "SAGEMAKER_JOB_NAME": "job-1",
        "AWS_SECRET_ACCESS_KEY": "never-shown",
    }
    assert {name: seen["env"].get(name) for name in wanted} == wanted


def test_local_mode_sees_a_failure(image: Image, tmp_path: Path) -> None:
    """K-02: by the exit code, and in the log."""
    job = _training_job(image, tmp_path, "raise ValueError('no data for May')")
    done = job.run()
    assert done.returncode == 1
    assert b"ValueError: no data for May" in done.stdout
    assert (_mounted(job, "/opt/ml/output") / "failure").read_text().startswith("ValueError: no data for May")


def test_what_train_writes_can_be_removed_by_the_owner_of_the_mounts(image: Image, tmp_path: Path) -> None:
    """K-10: as the user that started the SDK, though the container runs as root."""
    job = _training_job(image, tmp_path, "raise SystemExit(3)")
    for path in job.volumes:
        _chown(image, path, "12345:12345")
    assert job.run().returncode == 3
    mounts = {path: inside for path, inside in job.volumes.items() if inside != "/opt/ml/output/data"}
    script = "set -e; test -s /opt/ml/output/failure; rm -rf /opt/ml/output/* /opt/ml/model/*; ls -A /opt/ml/output"
    finished = image.run(["bash", "-c", script], mounts=mounts, user="12345:12345")
    assert (finished.exit_code, finished.stdout) == (0, ""), finished.stderr


def _chown(image: Image, path: Path, owner: str) -> None:
    finished = image.run(["chown", "-R", owner, "/given"], mounts={path: "/given"})
    assert finished.exit_code == 0, finished.stderr


def test_local_mode_serves(image: Image, tmp_path: Path) -> None:
    """K-01, K-07, K-08, K-09, K-11: until the SDK interrupts it."""
    job = LocalJob(tmp_path, image.id)
    job.mount("/opt/ml/model")
    (job.mount("/opt/ml/code") / "inference.py").write_text(_SUM)
    port = _free_port()
    job.options = {"command": "serve", "ports": [f"127.0.0.1:{port}:8080"]}
    job.environment = {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/code",
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
        "SAGEMAKER_REGION": "eu-west-1",
        "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
    }
    with job.start() as running:
        _wait_until_healthy(running, f"http://localhost:{port}/ping")
        headers = {"Content-type": "text/csv", "Accept": "application/json"}
        answer = requests.post(f"http://localhost:{port}/invocations", "1,2\n3,4\n", headers=headers, timeout=30)
        assert (answer.status_code, answer.json()) == (200, [3.0, 7.0])
    assert [path.name for path in _mounted(job, "/opt/ml/code").iterdir()] == ["inference.py"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(running: Running, url: str) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while True:
        assert not running.ended(), running.log()
        assert time.monotonic() < deadline, running.log()
        try:
            if requests.get(url, timeout=2).status_code == 200:
                return
        except requests.RequestException:
            pass
        time.sleep(0.1)


_PROCESSING = """
import json, pathlib, sys
import pandas, sklearn
config = json.loads(pathlib.Path("/opt/ml/config/processingjobconfig.json").read_text())
rows = pandas.read_csv("/opt/ml/processing/input/data/iris.csv")
out = pathlib.Path("/opt/ml/processing/output/result.json")
out.write_text(json.dumps({"rows": len(rows), "argv": sys.argv[1:], "job": config["ProcessingJobName"]}))
sys.exit(int(sys.argv[2]))
"""


def _processing_job(image: Image, folder: Path, entrypoint: list[str]) -> LocalJob:
    """A processing job as the SDK's local mode sets it up (K-22)."""
    job = LocalJob(folder, image.id)
    config = job.mount("/opt/ml/config")
    _write_json(config / "processingjobconfig.json", {"ProcessingJobName": "job-2"})
    _write_json(config / "resourceconfig.json", {"current_host": job.host, "hosts": [job.host]})
    (job.mount("/opt/ml/processing/input/data") / "iris.csv").write_text(example("iris/iris.csv"))
    job.mount("/opt/ml/processing/output")
    job.options = {"entrypoint": entrypoint}
    return job


def test_a_processing_job_runs_its_script(image: Image, tmp_path: Path) -> None:
    """K-22, L-02, L-10: SKLearnProcessor; its exit code decides."""
    script = "/opt/ml/processing/input/code/prepare.py"
    for number, exit_code in enumerate((0, 4)):
        folder = tmp_path / str(number)
        folder.mkdir()
        job = _processing_job(image, folder, ["python3", script, "--exit", str(exit_code)])
        (job.mount("/opt/ml/processing/input/code") / "prepare.py").write_text(_PROCESSING)
        done = job.run()
        assert done.returncode == exit_code, done.stdout.decode(errors="replace")
        result = json.loads((_mounted(job, "/opt/ml/processing/output") / "result.json").read_text())
        assert result == {"rows": 150, "argv": ["--exit", str(exit_code)], "job": "job-2"}


# What the SDK's FrameworkProcessor sends along, in its steps: unpack the code, install, run.
_RUNPROC = """#!/bin/bash
cd /opt/ml/processing/input/code/
tar -xzf sourcedir.tar.gz
[[ -f 'requirements.txt' ]] && pip install -r requirements.txt
python prepare.py "$@"
"""


def test_a_framework_processing_job_runs_its_shell_script(image: Image, tmp_path: Path) -> None:
    """K-22, L-02, L-10: FrameworkProcessor."""
    entry = "/opt/ml/processing/input/entrypoint"
    job = _processing_job(image, tmp_path, ["/bin/bash", f"{entry}/runproc.sh", "--exit", "0"])
    (job.mount(entry) / "runproc.sh").write_text(_RUNPROC)
    with tarfile.open(job.mount("/opt/ml/processing/input/code") / "sourcedir.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("prepare.py")
        info.size = len(_PROCESSING)
        tar.addfile(info, io.BytesIO(_PROCESSING.encode()))
    done = job.run()
    assert done.returncode == 0, done.stdout.decode(errors="replace")
    assert json.loads((_mounted(job, "/opt/ml/processing/output") / "result.json").read_text())["rows"] == 150
