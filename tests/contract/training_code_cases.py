"""Where the user's training code comes from, and what is installed for it.

Every case takes the fixture `platform`. Servers are on this machine's loopback interface.
"""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Mapping

import pytest

from tests.support.loopback import CREDENTIALS, Bucket, code_artifact, package_index
from tests.support.platform import Platform
from tests.support.recorder import RECORDER, seen_by
from tests.support.wheels import build_wheel


def tar_gz(files: Mapping[str, str]) -> bytes:
    """Text files as a tar.gz."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_S3", "S3_ENDPOINT_URL"])
def test_code_is_fetched_from_s3(platform: Platform, bucket: Bucket, variable: str) -> None:
    """T-42, T-45, K-04: the endpoint as either SDK names it."""
    address = bucket.put("jobs/1/source/sourcedir.tar.gz", tar_gz({"train.py": RECORDER, "lib/data.txt": "x"}))
    tree = platform.tree()
    tree.hyperparameters(sagemaker_program="train.py", sagemaker_submit_directory=address)
    environ = {**CREDENTIALS, "AWS_REGION": "eu-west-1", variable: bucket.endpoint_url}
    seen = seen_by(platform.train(tree, environ, loopback=True))
    assert seen["env"]["SM_MODULE_DIR"] == address
    assert (tree.root / "code/lib/data.txt").read_text() == "x"


def test_a_single_script_is_fetched_from_s3(platform: Platform, bucket: Bucket) -> None:
    """T-42."""
    address = bucket.put("train.py", RECORDER.encode())
    tree = platform.tree()
    tree.hyperparameters(sagemaker_program="train.py", sagemaker_submit_directory=address, sagemaker_region="eu-west-1")
    environ = {**CREDENTIALS, "AWS_ENDPOINT_URL_S3": bucket.endpoint_url}
    assert seen_by(platform.train(tree, environ, loopback=True))["env"]["SAGEMAKER_REGION"] == "eu-west-1"


@pytest.mark.parametrize("address", ["s3://bucket/none.tar.gz", "s3://no-such-bucket/x.tar.gz", "s3://bucket"])
def test_code_that_s3_does_not_have_is_a_clear_failure(platform: Platform, bucket: Bucket, address: str) -> None:
    """T-04, T-42."""
    tree = platform.tree()
    tree.hyperparameters(sagemaker_program="train.py", sagemaker_submit_directory=address)
    result = platform.train(tree, bucket.environ, loopback=True)
    assert result.exit_code != 0
    assert result.failure is not None
    assert address in result.failure[:300]
    assert "404" in result.failure or "must have the form s3://bucket/path" in result.failure
    assert list(result.model_dir.iterdir()) == []


def test_an_archive_from_s3_cannot_write_outside_the_code_directory(platform: Platform, bucket: Bucket) -> None:
    """T-44."""
    tree = platform.tree()
    address = bucket.put("sourcedir.tar.gz", tar_gz({"train.py": RECORDER, "../model/planted": "x"}))
    tree.hyperparameters(sagemaker_program="train.py", sagemaker_submit_directory=address)
    result = platform.train(tree, bucket.environ, loopback=True)
    assert result.exit_code != 0
    assert result.failure is not None
    assert "'../model/planted' would be written outside" in result.failure[:300]
    assert list(result.model_dir.iterdir()) == []


@pytest.fixture()
def wheels(tmp_path: Path) -> Path:
    """A directory with one wheel, whose module the image does not have."""
    build_wheel(tmp_path / "wheels", "left_pad", {"left_pad.py": "def pad(text):\n    return ' ' + text\n"})
    return tmp_path / "wheels"


_PADDED = "import left_pad; print(left_pad.pad('padded'))"


@pytest.mark.parametrize("program", ["train.py", "go.sh"])
def test_requirements_are_installed_before_the_program_starts(platform: Platform, wheels: Path, program: str) -> None:
    """T-47: for scripts and for commands."""
    tree = platform.tree()
    tree.code(train=_PADDED)
    tree.write("code/go.sh", "#!/bin/sh\nexec python train.py\n")
    tree.write("code/requirements.txt", "left-pad==1.0\n")
    tree.hyperparameters(sagemaker_program=program)
    with package_index(wheels) as index:
        result = platform.train(tree, {"PIP_INDEX_URL": f"{index.url}/simple"}, loopback=True)
    assert result.exit_code == 0, result.failure
    assert b" padded\n" in result.stdout
    assert "GET /simple/left-pad/" in index.seen


def test_without_requirements_there_is_no_network_attempt(platform: Platform, wheels: Path) -> None:
    """T-47, U-05."""
    tree = platform.tree()
    tree.code(train=RECORDER)
    with package_index(wheels) as index:
        environ = {"SAGEMAKER_PROGRAM": "train.py", "PIP_INDEX_URL": f"{index.url}/simple"}
        environ["AWS_ENDPOINT_URL"] = index.url
        seen_by(platform.train(tree, environ, loopback=True))
    assert index.seen == []


def test_requirements_that_nobody_has_are_named_in_the_failure(platform: Platform, wheels: Path) -> None:
    """T-05, T-47: the program is not started."""
    tree = platform.tree()
    tree.code(train="print('started')")
    tree.write("code/requirements.txt", "left-pad==9.9\n")
    tree.hyperparameters(sagemaker_program="train.py")
    with package_index(wheels) as index:
        result = platform.train(tree, {"PIP_INDEX_URL": f"{index.url}/simple"}, loopback=True)
    assert result.exit_code != 0
    assert result.failure is not None
    assert "Installing the user's requirements.txt failed: No matching distribution" in result.failure[:300]
    assert "left-pad==9.9" in result.failure[:300]
    assert b"started" not in result.stdout


def test_requirements_cannot_break_train_itself(platform: Platform, tmp_path: Path) -> None:
    """T-47: what they overwrite is not used any more, and the job's end is reported."""
    broken = {
        f"{package}/__init__.py": "raise ImportError('broken by a requirement')\n"
        for package in (
            "boto3",
            "inotify_simple",
            "sagemaker_sklearn_container",
            "sagemaker_sklearn_container/training",
        )
    }
    build_wheel(tmp_path / "wheels", "breaker", broken)
    tree = platform.tree()
    tree.code(train="raise SystemExit(5)")
    tree.write("code/requirements.txt", "breaker\n")
    tree.hyperparameters(sagemaker_program="train.py")
    with package_index(tmp_path / "wheels") as index:
        result = platform.train(tree, {"PIP_INDEX_URL": f"{index.url}/simple"}, loopback=True)
    assert (result.exit_code, result.succeeded) == (5, False)
    assert result.failure is not None
    assert result.failure.startswith("The program ended with exit code 5.")


def test_requirements_come_from_code_artifact(platform: Platform, wheels: Path) -> None:
    """T-47: the token reaches pip and no log."""
    tree = platform.tree()
    tree.code(train=_PADDED)
    tree.write("code/requirements.txt", "left-pad\n")
    tree.hyperparameters(sagemaker_program="train.py")
    with package_index(wheels) as index, code_artifact("s3cr3t/tok", f"{index.url}/pypi/repo/") as api:
        environ = {
            **CREDENTIALS,
            "CA_REPOSITORY_ARN": "arn:aws:codeartifact:eu-west-1:123456789012:repository/dom/repo",
            "AWS_ENDPOINT_URL_CODEARTIFACT": api.url,
        }
        result = platform.train(tree, environ, loopback=True)
    assert result.exit_code == 0, result.failure
    assert b" padded\n" in result.stdout
    assert "GET /pypi/repo/simple/left-pad/" in index.seen
    assert any(index.authorizations)
    assert b"s3cr3t" not in result.stdout + result.stderr


def test_a_code_artifact_repository_that_is_not_there_is_a_clear_failure(platform: Platform, wheels: Path) -> None:
    """T-04, T-47."""
    tree = platform.tree()
    tree.code(train=_PADDED)
    tree.write("code/requirements.txt", "left-pad\n")
    tree.hyperparameters(sagemaker_program="train.py")
    arn = "arn:aws:codeartifact:eu-west-1:123456789012:repository/other/repo"
    with code_artifact("token", "http://127.0.0.1:9/") as api:
        environ = {**CREDENTIALS, "CA_REPOSITORY_ARN": arn, "AWS_ENDPOINT_URL_CODEARTIFACT": api.url}
        result = platform.train(tree, environ, loopback=True)
    assert result.exit_code != 0
    assert result.failure is not None
    assert result.failure.startswith(f"Asking CodeArtifact for the package index {arn} failed")


@pytest.mark.parametrize("program", ["flowers/train.py", "flowers.train"])
def test_a_package_is_installed_and_its_module_run(platform: Platform, program: str) -> None:
    """T-43, T-46: without network, and without a trace in the user's own directory."""
    tree = platform.tree()
    tree.package("flowers", train=f"from flowers import names\n{RECORDER}", names="ROSE = 1\n")
    before = sorted(path.name for path in (tree.root / "code").rglob("*"))
    tree.hyperparameters(sagemaker_program=program, petals=5)
    seen = seen_by(platform.train(tree, {"PIP_NO_INDEX": "1"}))
    assert seen["argv"] == ["--petals", "5"]
    assert sorted(path.name for path in (tree.root / "code").rglob("*")) == before


def test_a_package_is_installed_with_its_requirements(platform: Platform, wheels: Path) -> None:
    """T-46, T-47."""
    tree = platform.tree()
    tree.package("flowers", train=_PADDED)
    tree.write("code/requirements.txt", "left-pad\n")
    tree.hyperparameters(sagemaker_program="flowers/train.py")
    with package_index(wheels) as index:
        result = platform.train(tree, {"PIP_INDEX_URL": f"{index.url}/simple"}, loopback=True)
    assert result.exit_code == 0, result.failure
    assert b" padded\n" in result.stdout


def test_a_package_that_cannot_be_built_is_a_clear_failure(platform: Platform) -> None:
    """T-05, T-46."""
    tree = platform.tree()
    tree.write("code/setup.py", "raise RuntimeError('no such compiler')\n")
    tree.hyperparameters(sagemaker_program="flowers/train.py")
    result = platform.train(tree)
    assert result.exit_code != 0
    assert result.failure is not None
    assert result.failure.startswith("Installing the user's package (setup.py): building its wheel failed")
    assert "RuntimeError: no such compiler" in result.failure[:300]


@pytest.mark.parametrize("module", ["pip", "types", "typing", "operator"])
def test_modules_of_the_users_are_not_taken_for_pips(platform: Platform, wheels: Path, module: str) -> None:
    """T-47: pip runs in the code directory."""
    tree = platform.tree()
    tree.code(**{module: "raise SystemExit('the wrong module')"})
    tree.write("code/go.sh", "#!/bin/sh\nexec python -I -c 'import os, sys; print(1)'\n")
    tree.write("code/requirements.txt", "left-pad==9.9\n")
    tree.hyperparameters(sagemaker_program="go.sh")
    with package_index(wheels) as index:
        result = platform.train(tree, {"PIP_INDEX_URL": f"{index.url}/simple"}, loopback=True)
    assert result.exit_code != 0
    assert result.failure is not None
    assert "No matching distribution found for left-pad==9.9" in result.failure[:300]
