"""What only a container shows of training: mounts, users, full disks, no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator

import pytest

from tests.contract.training_cases import example
from tests.support.container_platform import ContainerPlatform
from tests.support.engine import Image
from tests.support.platform import MlTree, Platform
from tests.support.recorder import RECORDER, seen_by


@pytest.fixture()
def containers(image: Image, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[ContainerPlatform]:
    """`docker run` with the options that the test is parametrized with."""
    platform = ContainerPlatform(image, tmp_path, **getattr(request, "param", {}))
    yield platform
    platform.close()


def _job(platform: Platform, script: str, **hyperparameters: Any) -> MlTree:
    tree = platform.tree()
    tree.code(train=script)
    tree.hyperparameters(sagemaker_program="train.py", **hyperparameters)
    return tree


@pytest.mark.parametrize("containers", [{"network_mode": "none"}], indirect=True)
def test_training_needs_no_network(containers: ContainerPlatform) -> None:
    """T-47, U-05: neither for a script nor for a package without requirements."""
    seen_by(containers.train(_job(containers, RECORDER)))
    tree = containers.tree()
    tree.package("flowers", train=RECORDER)
    tree.hyperparameters(sagemaker_program="flowers/train.py")
    seen_by(containers.train(tree))


_FILL = """
import os
with open(os.path.join(os.environ["SM_MODEL_DIR"], "model.bin"), "wb", buffering=0) as f:
    while True:
        f.write(b"x" * 65536)
"""


# The disk is gone with the container, so that what is on it is told by a program around train.
_TRAIN_AND_TELL = """
import os, subprocess
print(subprocess.run(["train"], stderr=subprocess.DEVNULL).returncode, os.statvfs("/opt/ml").f_bavail)
print(open("/opt/ml/output/failure").read())
"""


def test_a_full_disk_is_said_in_the_failure_file_on_that_very_disk(image: Image, tmp_path: Path) -> None:
    """T-04, T-05: the program fills it up to the last byte, and the reason still fits."""
    (tmp_path / "train.py").write_text(_FILL)
    environment = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/given"}
    text = image.python(
        _TRAIN_AND_TELL, environment=environment, mounts={tmp_path: "/given"}, tmpfs={"/opt/ml": "size=2m"}
    )
    assert text.startswith("1 0\nOSError: [Errno 28] No space left on device\n")


@pytest.mark.parametrize("containers", [{"tmpfs": {"/opt/ml/model": "size=1m"}}], indirect=True)
def test_a_full_model_directory_is_said_in_the_failure_file(containers: ContainerPlatform) -> None:
    """T-05."""
    result = containers.train(_job(containers, _FILL))
    assert (result.exit_code, result.succeeded) == (1, False)
    assert result.failure is not None
    assert result.failure.startswith("OSError: [Errno 28] No space left on device\n")


@pytest.mark.parametrize("containers", [{"unwritable": ["input"]}], indirect=True)
def test_input_that_cannot_be_written_is_read(containers: ContainerPlatform) -> None:
    """T-24: FastFile channels, and the configuration beside them."""
    tree = _job(containers, example("iris/train.py"))
    tree.channel("train", mode="FastFile", iris_csv=example("iris/iris.csv"))
    result = containers.train(tree)
    assert result.exit_code == 0, result.failure
    assert b"accuracy=" in result.stdout


@pytest.mark.parametrize("containers", [{"user": "54321:54321", "cap_drop": ["ALL"]}], indirect=True)
@pytest.mark.parametrize(
    "unreadable", ["input/config/hyperparameters.json", "input/config/resourceconfig.json", "code"]
)
def test_what_cannot_be_read_is_named(containers: ContainerPlatform, unreadable: str) -> None:
    """T-04, L-06."""
    tree = _job(containers, RECORDER)
    tree.resources(current_host="algo-1", hosts=["algo-1"])
    for directory in ("output", "model"):
        (tree.root / directory).mkdir()
        (tree.root / directory).chmod(0o777)
    (tree.root / unreadable).chmod(0)
    result = containers.train(tree, {"SAGEMAKER_PROGRAM": "train.py"})
    assert result.exit_code != 0
    assert result.failure is not None
    assert f"/opt/ml/{unreadable}" in result.failure[:300]
    assert "Permission denied" in result.failure[:300]


@pytest.mark.parametrize("containers", [{"base_dir": "/mnt/job"}], indirect=True)
def test_another_base_directory_replaces_opt_ml(containers: ContainerPlatform) -> None:
    """T-30."""
    seen = seen_by(containers.train(_job(containers, RECORDER), {"SAGEMAKER_BASE_DIR": "/mnt/job"}))
    assert (seen["cwd"], seen["env"]["SM_MODEL_DIR"]) == ("/mnt/job/code", "/mnt/job/model")


@pytest.mark.parametrize("containers", [{"tty": True, "stdin_open": True}], indirect=True)
def test_output_reaches_a_terminal(containers: ContainerPlatform) -> None:
    """K-01: local mode has one."""
    result = containers.train(_job(containers, "import sys; print('out'); print('err', file=sys.stderr)"))
    assert result.exit_code == 0
    assert b"out\r\n" in result.stdout
    assert b"err\r\n" in result.stdout


@pytest.mark.parametrize("containers", [{"mem_limit": "200m", "memswap_limit": "200m"}], indirect=True)
def test_a_program_without_memory_is_said_to_be_out_of_it(containers: ContainerPlatform) -> None:
    """T-10: the kernel's own SIGKILL."""
    result = containers.train(_job(containers, "blocks = []\nwhile True:\n    blocks.append(bytearray(1 << 24))"))
    assert result.exit_code == 137
    assert result.failure is not None
    assert result.failure.startswith(
        "The program was ended by SIGKILL (exit code 137). Most often the instance is out of"
    )
