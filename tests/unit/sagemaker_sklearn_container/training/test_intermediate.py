"""Intermediate output: the real uploader process against a real server of the S3 protocol."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, Iterator

import pytest

from sagemaker_sklearn_container.contract import Paths
from sagemaker_sklearn_container.errors import ConfigurationError
from sagemaker_sklearn_container.training import intermediate
from sagemaker_sklearn_container.training.intermediate import Intermediate
from sagemaker_sklearn_container.training.uploads import Uploads
from sagemaker_sklearn_container.user_code.s3 import S3Settings
from tests.support.loopback import REGION, Bucket, s3_bucket

JOB = "job-1"
Objects = Dict[str, bytes]


class Job:
    """A training job with intermediate output, as the launcher sees it."""

    def __init__(self, base: Path, bucket: Bucket) -> None:
        """Nothing is started yet."""
        self.paths = Paths(base)
        self.directory = self.paths.output_intermediate
        self.uri = f"s3://{bucket.name}/results/"
        self.endpoint_url = bucket.endpoint_url
        self.uploader: Intermediate | None = None

    def start(self, **other: Any) -> Intermediate | None:
        """Start the uploader, with the usual arguments except `other`."""
        arguments: dict[str, Any] = {
            "s3_output": self.uri,
            "paths": self.paths,
            "job_name": JOB,
            "s3": S3Settings(region=REGION, endpoint_url=self.endpoint_url),
            "environ": os.environ,
            "import_path": sys.path,
        }
        self.uploader = intermediate.start(**{**arguments, **other})
        return self.uploader

    def started(self, **other: Any) -> Intermediate:
        """Start the uploader; it must run then."""
        uploader = self.start(**other)
        assert uploader is not None
        return uploader


@pytest.fixture(autouse=True)
def _no_account_but_a_dummy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture()
def bucket() -> Iterator[Bucket]:
    """A bucket of this test's own."""
    with s3_bucket() as bucket:
        yield bucket


@pytest.fixture()
def job(tmp_path: Path, bucket: Bucket) -> Iterator[Job]:
    """A job that writes to `bucket`; what a failing test leaves behind is ended."""
    job = Job(tmp_path, bucket)
    yield job
    if job.uploader is not None and job.uploader._process.returncode is None:
        job.uploader._process.kill()
        job.uploader._process.wait()


def key(relative_path: str) -> str:
    """The object of a file in the directory of intermediate results."""
    return f"results/{JOB}/output/intermediate/{relative_path}"


def eventually(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Wait until `condition` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


@pytest.fixture()
def _no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts a process fails."""

    def refuse(*arguments: Any, **named: Any) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)


def test_a_closed_file_is_uploaded_while_the_program_runs(job: Job, bucket: Bucket) -> None:
    """T-56: `<uri>/<TRAINING_JOB_NAME>/output/intermediate/<relative path>`."""
    uploader = job.started()
    (job.directory / "metrics.json").write_text("{}")
    eventually(lambda: bucket.objects() == {key("metrics.json"): b"{}"}, "the upload")
    uploader.finish()
    assert bucket.objects() == {key("metrics.json"): b"{}"}


def test_outside_of_the_platform_the_name_of_the_job_is_left_out(job: Job, bucket: Bucket) -> None:
    """T-56."""
    uploader = job.started(job_name=None, s3_output=f"s3://{bucket.name}")
    (job.directory / "a").write_text("1")
    uploader.finish()
    assert set(bucket.objects()) == {"output/intermediate/a"}


def test_new_directories_are_watched(job: Job, bucket: Bucket) -> None:
    """T-56: relative paths keep their directories."""
    uploader = job.started()
    (job.directory / "plots").mkdir()
    (job.directory / "plots" / "early").write_text("1")
    eventually(lambda: key("plots/early") in set(bucket.objects()), "upload of a file as old as its directory")
    (job.directory / "plots" / "late").write_text("2")
    eventually(lambda: key("plots/late") in set(bucket.objects()), "upload of a file in a known directory")
    uploader.finish()


def test_nested_directories_made_at_once_lose_nothing(job: Job, bucket: Bucket) -> None:
    """T-56: files closed before the watch of their directory began."""
    uploader = job.started()
    deep = [f"tree-{number}/a/b/c" for number in range(20)]
    for path in deep:
        (job.directory / path).mkdir(parents=True)
        (job.directory / path / "file").write_text(path)
    eventually(lambda: set(bucket.objects()) == {key(f"{path}/file") for path in deep}, "all uploads")
    uploader.finish()
    assert bucket.objects() == {key(f"{path}/file"): path.encode() for path in deep}


def test_a_file_renamed_into_place_is_uploaded(job: Job, bucket: Bucket, tmp_path: Path) -> None:
    """T-56: the usual way to write atomically."""
    uploader = job.started()
    (tmp_path / "draft").write_text("whole")
    os.replace(tmp_path / "draft", job.directory / "model.bin")
    eventually(lambda: bucket.objects() == {key("model.bin"): b"whole"}, "the upload")
    uploader.finish()


def test_a_directory_moved_into_place_is_uploaded_and_watched(job: Job, bucket: Bucket, tmp_path: Path) -> None:
    """T-56."""
    uploader = job.started()
    (tmp_path / "draft" / "sub").mkdir(parents=True)
    (tmp_path / "draft" / "sub" / "one").write_text("1")
    os.replace(tmp_path / "draft", job.directory / "first")
    eventually(lambda: set(bucket.objects()) == {key("first/sub/one")}, "upload of what was moved")
    os.replace(job.directory / "first", job.directory / "second")
    (job.directory / "second" / "sub" / "two").write_text("2")
    expected = {key("first/sub/one"), key("second/sub/one"), key("second/sub/two")}
    eventually(lambda: set(bucket.objects()) == expected, "uploads under the new name")
    uploader.finish()


def test_a_file_still_open_at_the_end_is_uploaded(job: Job, bucket: Bucket) -> None:
    """T-56: uploads are finished before exit."""
    uploader = job.started()
    with open(job.directory / "log", "w") as stream:
        stream.write("line\n")
        stream.flush()
        uploader.finish()
    assert bucket.objects() == {key("log"): b"line\n"}


def test_a_rewritten_file_is_uploaded_again(job: Job, bucket: Bucket) -> None:
    """T-56: the newest content stays, also when rewritten faster than it can be uploaded."""
    uploader = job.started()
    path = job.directory / "state"
    path.write_text("first")
    eventually(lambda: bucket.objects() == {key("state"): b"first"}, "the first upload")
    for number in range(1000):
        path.write_text(f"{number:03}")
    eventually(lambda: bucket.objects() == {key("state"): b"999"}, "the last content")
    uploader.finish()
    assert bucket.objects() == {key("state"): b"999"}


def test_deletion_is_not_mirrored(job: Job, bucket: Bucket, caplog: pytest.LogCaptureFixture) -> None:
    """T-56."""
    uploader = job.started()
    path = job.directory / "kept"
    path.write_text("1")
    eventually(lambda: key("kept") in set(bucket.objects()), "the upload")
    path.unlink()
    with caplog.at_level(logging.INFO):
        uploader.finish()
    assert bucket.objects() == {key("kept"): b"1"}
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_large_file_is_uploaded_in_parts(job: Job, bucket: Bucket) -> None:
    """T-56."""
    content = os.urandom(1024) * 20 * 1024
    uploader = job.started()
    (job.directory / "weights").write_bytes(content)
    uploader.finish()
    assert bucket.objects() == {key("weights"): content}


def test_a_large_file_rewritten_in_place_does_not_stall(job: Job, bucket: Bucket) -> None:
    """T-56: its length is not promised to S3 before it is read."""
    uploader = job.started()
    for size in (60, 40, 20, 1):
        (job.directory / "weights").write_bytes(b"x" * size * 1024 * 1024)
    begin = time.monotonic()
    uploader.finish()
    assert time.monotonic() - begin < 20
    assert bucket.objects() == {key("weights"): b"x" * 1024 * 1024}


def test_hundreds_of_small_files(job: Job, bucket: Bucket) -> None:
    """T-56: none is lost, at any depth."""
    uploader = job.started()
    written = {}
    for number in range(400):
        name = f"part-{number % 7}/{number}.txt" if number % 2 else f"{number}.txt"
        (job.directory / name).parent.mkdir(exist_ok=True)
        (job.directory / name).write_text(str(number))
        written[key(name)] = str(number).encode()
    uploader.finish()
    assert bucket.objects() == written


def test_links_and_pipes_are_skipped(
    job: Job, bucket: Bucket, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """T-56: what a link leads to is not the job's intermediate output."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("x")
    uploader = job.started()
    (job.directory / "to-file").symlink_to(outside / "secret")
    (job.directory / "to-directory").symlink_to(outside)
    (job.directory / "file").write_text("1")
    os.mkfifo(job.directory / "pipe")
    uploader.finish()
    assert set(bucket.objects()) == {key("file")}
    log = capfd.readouterr().err
    assert [log.count(f"/{name} is not uploaded") for name in ("to-file", "to-directory", "pipe")] == [1, 1, 1]


def test_a_skipped_file_is_named_once(job: Job, bucket: Bucket, capfd: pytest.CaptureFixture[str]) -> None:
    """T-56: a link that is renewed with each epoch does not fill the log."""
    uploader = job.started()
    link = job.directory / "latest"
    link.symlink_to("1")
    eventually(lambda: "/latest is not uploaded" in capfd.readouterr().err, "the message")
    link.unlink()
    link.symlink_to("2")
    uploader.finish()
    assert "/latest is not uploaded" not in capfd.readouterr().err
    assert set(bucket.objects()) == set()


def test_a_file_deleted_during_its_upload_is_no_failure(tmp_path: Path) -> None:
    """T-56: deletion is the program's wish."""
    path = tmp_path / "gone"
    path.write_text("1")
    seen: list[str] = []

    def send(path: str, relative_path: str) -> None:
        seen.append(relative_path)
        os.unlink(path)
        raise OSError("the client found nothing to read")

    uploads = Uploads(str(tmp_path), send, lambda relative_path: f"s3://bucket/{relative_path}")
    uploads.changed(str(path))
    uploads.wait(10)
    assert seen == ["gone"]
    assert uploads.missing() == []


def test_unusual_names_and_empty_files(job: Job, bucket: Bucket) -> None:
    """T-56."""
    uploader = job.started()
    (job.directory / "épo que #1?.txt").write_text("1")
    (job.directory / "empty").touch()
    uploader.finish()
    assert bucket.objects() == {key("épo que #1?.txt"): b"1", key("empty"): b""}


def test_a_name_that_is_no_text_costs_only_its_own_file(
    job: Job, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    """T-56."""
    uploader = job.started()
    Path(os.fsdecode(os.fsencode(job.directory) + b"/\xff")).write_text("1")
    (job.directory / "good").write_text("2")
    uploader.finish()
    assert set(bucket.objects()) == {key("good")}
    assert "failed: 1 files" in caplog.text


def test_signals_do_not_end_the_uploader(job: Job, bucket: Bucket) -> None:
    """T-56, T-08: what the program writes on SIGTERM is uploaded."""
    uploader = job.started()
    for number in (signal.SIGTERM, signal.SIGINT):
        uploader._process.send_signal(number)
    (job.directory / "last").write_text("1")
    uploader.finish()
    assert set(bucket.objects()) == {key("last")}


def test_the_uploader_finishes_when_the_launcher_dies(job: Job, bucket: Bucket) -> None:
    """T-56."""
    program = f"""
import os, sys
from pathlib import Path
from sagemaker_sklearn_container.contract import Paths
from sagemaker_sklearn_container.training import intermediate
from sagemaker_sklearn_container.user_code.s3 import S3Settings
from tests.support.loopback import REGION, Bucket, s3_bucket
paths = Paths(Path({str(job.paths.base)!r}))
s3 = S3Settings("{REGION}", {job.endpoint_url!r})
uploader = intermediate.start({job.uri!r}, paths, {JOB!r}, s3, os.environ, sys.path)
(paths.output_intermediate / "orphan").write_text("1")
os.kill(os.getpid(), 9)
"""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", program], env=environ).returncode == -signal.SIGKILL
    eventually(lambda: bucket.objects() == {key("orphan"): b"1"}, "the upload")


def test_the_exit_status_may_be_collected_by_another(
    job: Job, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    """T-56, T-03: process 1 collects all children."""
    uploader = job.started()
    (job.directory / "a").write_text("1")
    uploader._input.close()
    os.waitpid(uploader._process.pid, 0)
    with caplog.at_level(logging.INFO):
        uploader.finish()
    assert set(bucket.objects()) == {key("a")}
    assert "are uploaded to" in caplog.text


def test_an_uploader_that_was_killed_is_an_error_in_the_log_only(job: Job, caplog: pytest.LogCaptureFixture) -> None:
    """T-56."""
    uploader = job.started()
    uploader._process.kill()
    uploader.finish()
    assert "ended unexpectedly" in caplog.text


def test_no_process_is_left(job: Job) -> None:
    """T-56."""
    uploader = job.started()
    pid = uploader._process.pid
    os.kill(pid, 0)
    uploader.finish()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_nothing_is_imported_after_ready(job: Job, bucket: Bucket, tmp_path: Path) -> None:
    """T-56, T-47: what pip installs while training starts cannot break the uploads.

    Checked without the process around it: the audit events of an upload show each file that is opened.
    """
    (tmp_path / "small").write_text("1")
    (tmp_path / "large").write_bytes(b"x" * 9 * 1024 * 1024)
    program = f"""
import sys
from sagemaker_sklearn_container.training import uploads
from sagemaker_sklearn_container.training.intermediate import Task
send = uploads.s3_sender(Task("/", {bucket.name!r}, "p", "{REGION}", {job.endpoint_url!r}, 20, 1.0))
opened = []
sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event == "open" else None)
for name in ("small", "large"):
    send({str(tmp_path)!r} + "/" + name, name)
print(*opened, sep="\\n")
"""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    output = subprocess.run(
        [sys.executable, "-c", program], env=environ, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.splitlines()
    assert set(bucket.objects()) == {"p/small", "p/large"}
    assert str(tmp_path / "large") in output
    assert not [path for path in output if "site-packages" in path or "boto" in path]


def test_the_launcher_does_not_load_the_aws_client() -> None:
    """T-56: it would cost the launcher more memory than all the rest of it."""
    program = """
import sys
import sagemaker_sklearn_container.training.intermediate
print(sorted({"boto3", "botocore", "inotify_simple"} & set(sys.modules)))
"""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.check_output([sys.executable, "-c", program], env=environ) == b"[]\n"


@pytest.mark.usefixtures("_no_process")
@pytest.mark.parametrize("value", [None, ""])
def test_without_the_hyperparameter_nothing_happens(job: Job, value: str | None) -> None:
    """T-56."""
    assert job.start(s3_output=value) is None
    assert not job.directory.exists()


@pytest.mark.usefixtures("_no_process")
@pytest.mark.parametrize("uri", ["s3://bucket/prefix", "file:///tmp/x", "ftp://host/x"])
def test_a_directory_that_is_there_is_left_to_the_platform(job: Job, uri: str) -> None:
    """T-56."""
    job.directory.mkdir(parents=True)
    assert job.start(s3_output=uri) is None


@pytest.mark.usefixtures("_no_process")
def test_a_local_address_only_creates_the_directory(job: Job) -> None:
    """T-56."""
    assert job.start(s3_output="file:///tmp/results") is None
    assert job.directory.is_dir()


@pytest.mark.usefixtures("_no_process")
@pytest.mark.parametrize("uri", ["ftp://host/x", "bucket/prefix", "s3://", "s3:///prefix", "https://bucket/x"])
def test_another_address_is_an_error(job: Job, uri: str) -> None:
    """T-56: the message names hyperparameter, value and what is allowed."""
    with pytest.raises(ConfigurationError) as caught:
        job.start(s3_output=uri)
    assert all(part in str(caught.value) for part in ("sagemaker_s3_output", repr(uri), "s3://bucket/prefix"))
    assert not job.directory.exists()


def test_a_directory_that_cannot_be_created_is_an_error(job: Job) -> None:
    """T-56."""
    job.paths.base.joinpath("output").write_text("in the way")
    with pytest.raises(ConfigurationError, match="sagemaker_s3_output"):
        job.start()


def test_a_missing_bucket_is_an_error_in_the_log_only(
    job: Job, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """T-56: the address and the reason are in the log."""
    uploader = job.started(s3_output="s3://no-such-bucket/results")
    (job.directory / "a").write_text("1")
    uploader.finish()
    uri = f"s3://no-such-bucket/{key('a')}"
    log = capfd.readouterr().err
    assert f"to {uri} failed" in log
    assert "NoSuchBucket" in log
    assert "failed: 1 files" in caplog.text


def test_a_failed_upload_is_tried_again_at_the_end(job: Job, bucket: Bucket, capfd: pytest.CaptureFixture[str]) -> None:
    """T-56."""
    late = replace(bucket, name="late")
    uploader = job.started(s3_output=f"s3://{late.name}/results")
    (job.directory / "a").write_text("1")
    eventually(lambda: "NoSuchBucket" in capfd.readouterr().err, "the first, failing upload")
    late.create()
    uploader.finish()
    assert set(late.objects()) == {key("a")}


def test_an_endpoint_that_refuses_is_given_up_in_time(job: Job, caplog: pytest.LogCaptureFixture) -> None:
    """T-56: the end of training is not held up without bound."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"
    _check_that_it_is_given_up(job, endpoint, caplog)


def test_an_endpoint_that_never_answers_is_given_up_in_time(job: Job, caplog: pytest.LogCaptureFixture) -> None:
    """T-56: the end of training is not held up without bound."""
    with closing(socket.socket()) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        _check_that_it_is_given_up(job, f"http://127.0.0.1:{silent.getsockname()[1]}", caplog)


def _check_that_it_is_given_up(job: Job, endpoint: str, caplog: pytest.LogCaptureFixture) -> None:
    uploader = job.started(s3=S3Settings(REGION, endpoint), finish_s=1.0)
    for number in range(20):
        (job.directory / str(number)).write_text("1")
    begin = time.monotonic()
    uploader.finish()
    assert time.monotonic() - begin < 4
    assert "failed: 20 files" in caplog.text


def test_a_stuck_uploader_is_killed(
    job: Job, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T-56: the end of training is not held up without bound."""
    monkeypatch.setattr(intermediate, "_GRACE_S", 0.5)
    uploader = job.started(finish_s=0.5)
    uploader._process.send_signal(signal.SIGSTOP)
    uploader.finish()
    assert uploader._process.returncode == -signal.SIGKILL
    assert "did not end within 0.5 s" in caplog.text


def test_an_uploader_that_cannot_start_costs_the_uploads_only(
    job: Job, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """T-56: the log says why; the directory is there for the program."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert job.start(environ={**os.environ, "HOME": str(job.paths.base)}) is None
    assert job.directory.is_dir()
    assert "will not be uploaded" in caplog.text
    assert "Unable to locate credentials" in capfd.readouterr().err
