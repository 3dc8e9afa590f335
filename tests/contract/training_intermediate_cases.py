"""Results that are uploaded while training runs.

Every case takes the fixture `platform`.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.support.loopback import Bucket, package_index
from tests.support.platform import MlTree, Platform
from tests.support.wheels import build_wheel

_WRITER = textwrap.dedent(
    """
    import os, signal, sys
    place = os.environ["SM_OUTPUT_INTERMEDIATE_DIR"]
    os.makedirs(os.path.join(place, "epoch-1"))
    with open(os.path.join(place, "epoch-1", "metrics.json"), "w") as f:
        f.write("{}")
    still_open = open(os.path.join(place, "log.txt"), "w")
    still_open.write("last line")
    still_open.flush()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
    print("written", flush=True)
    signal.pause()
    """
)


def _job(platform: Platform, script: str, **hyperparameters: Any) -> MlTree:
    tree = platform.tree()
    tree.code(train=script)
    tree.hyperparameters(sagemaker_program="train.py", **hyperparameters)
    return tree


def test_closed_files_are_uploaded_while_the_program_runs_and_the_rest_when_it_ends(
    platform: Platform, bucket: Bucket
) -> None:
    """T-56: also after a failure."""
    tree = _job(platform, _WRITER, sagemaker_s3_output=f"s3://{bucket.name}/results")
    run = platform.start_training(tree, {**bucket.environ, "TRAINING_JOB_NAME": "job-7"}, loopback=True)
    run.wait_for_output(b"written\n")
    prefix = "results/job-7/output/intermediate"
    bucket.wait_for(f"{prefix}/epoch-1/metrics.json")
    run.terminate()
    assert run.wait().exit_code == 3
    assert bucket.objects() == {f"{prefix}/epoch-1/metrics.json": b"{}", f"{prefix}/log.txt": b"last line"}


def test_requirements_cannot_break_the_uploads(platform: Platform, bucket: Bucket, tmp_path: Path) -> None:
    """T-47, T-56."""
    broken = {f"{name}/__init__.py": "raise ImportError\n" for name in ("boto3", "botocore", "inotify_simple")}
    build_wheel(tmp_path / "wheels", "breaker", broken)
    script = "import os; open(os.environ['SM_OUTPUT_INTERMEDIATE_DIR'] + '/a', 'w').close()"
    tree = _job(platform, script, sagemaker_s3_output=f"s3://{bucket.name}")
    tree.write("code/requirements.txt", "breaker\n")
    with package_index(tmp_path / "wheels") as index:
        environ = {**bucket.environ, "PIP_INDEX_URL": f"{index.url}/simple"}
        result = platform.train(tree, environ, loopback=True)
    assert result.exit_code == 0, result.failure
    assert bucket.objects() == {"output/intermediate/a": b""}


@pytest.mark.parametrize("output", ["s3://bucket/results", "file:///tmp/results"])
def test_nothing_is_uploaded_where_the_platform_does_it_or_nobody_asks(
    platform: Platform, bucket: Bucket, output: str
) -> None:
    """T-56: a directory that is there belongs to the platform; a local address only makes it."""
    script = "import os; open(os.environ['SM_OUTPUT_INTERMEDIATE_DIR'] + '/a', 'w').close()"
    tree = _job(platform, script, sagemaker_s3_output=output)
    if output.startswith("s3"):
        (tree.root / "output/intermediate").mkdir(parents=True)
    result = platform.train(tree, bucket.environ, loopback=True)
    assert result.exit_code == 0, result.failure
    assert (tree.root / "output/intermediate/a").exists()
    assert bucket.objects() == {}


def test_an_address_of_another_kind_is_a_clear_failure(platform: Platform) -> None:
    """T-04, T-56."""
    result = platform.train(_job(platform, "print('started')", sagemaker_s3_output="ftp://host/results"))
    assert result.exit_code != 0
    assert result.failure is not None
    assert result.failure.startswith("The hyperparameter sagemaker_s3_output is 'ftp://host/results'")
    assert b"started" not in result.stdout


def test_a_bucket_that_is_not_there_costs_the_uploads_not_the_job(platform: Platform, bucket: Bucket) -> None:
    """T-56."""
    script = "import os; open(os.environ['SM_OUTPUT_INTERMEDIATE_DIR'] + '/a', 'w').close()"
    tree = _job(platform, script, sagemaker_s3_output="s3://no-such-bucket/results")
    result = platform.train(tree, bucket.environ, loopback=True)
    assert (result.exit_code, result.succeeded) == (0, True)
    assert b"Intermediate results are missing in s3://no-such-bucket/results" in result.stderr
