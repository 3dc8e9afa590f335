"""Intermediate output: the launcher's side of the process that uploads results while training runs.

The uploader is a process of its own: the AWS client costs it tens of megabytes that the launcher need not have, and it
has loaded all its modules before the user's requirements can replace them. The two talk over the uploader's standard
streams: it writes one line when it is ready and one when it is through; the end of its input tells it to finish.
"""

from __future__ import annotations

import json
import logging
import os
import select
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import IO, Mapping, Sequence

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.contract import Paths
from sagemaker_sklearn_container.errors import ConfigurationError
from sagemaker_sklearn_container.user_code.s3 import S3Settings

logger = logging.getLogger(__name__)

READY = "ready"
DONE = "done"

# Never imported here, only run: it loads the AWS client.
_MODULE = "sagemaker_sklearn_container.training.uploads"
_READY_S = 30.0
# The platform ends the container 120 s after it asked the job to stop (T-08), and the program's own end comes first.
_FINISH_S = 90.0
# How long the uploader, which gives up by itself and says what is missing, may take beyond that.
_GRACE_S = 3.0
_GONE = "the uploader ended unexpectedly; its last messages are in this log"


@dataclass(frozen=True)
class Task:
    """What the uploader has to do; travels as JSON on its command line.

    Attributes:
        directory: Whose files are uploaded.
        bucket: Where to.
        prefix: Stands before each file's path relative to the directory, without slash at its ends.
        region: None leaves the choice to the AWS client.
        endpoint_url: None leaves the choice to the AWS client.
        log_level: Numeric level of the `logging` module.
        finish_s: Seconds for what is left when the program has ended.
    """

    directory: str
    bucket: str
    prefix: str
    region: str | None
    endpoint_url: str | None
    log_level: int
    finish_s: float

    def uri(self, relative_path: str = "") -> str:
        """The S3 address of a file, or of all."""
        return f"s3://{self.bucket}/{self.key(relative_path)}"

    def key(self, relative_path: str) -> str:
        """The name of a file's object."""
        return f"{self.prefix}/{relative_path}"


def start(
    s3_output: str | None,
    paths: Paths,
    job_name: str | None,
    s3: S3Settings,
    environ: Mapping[str, str],
    import_path: Sequence[str],
    finish_s: float = _FINISH_S,
) -> Intermediate | None:
    """Create the directory of intermediate results and upload from now on what is closed in it.

    An uploader that cannot be started costs the uploads, not the training job; the log says why.

    Args:
        s3_output: Value of the hyperparameter `sagemaker_s3_output`, None or empty if there is none.
        paths: The platform's paths.
        job_name: The platform's name of the job. Outside of the platform there is none; that part of the objects'
            names is then left out.
        s3: How to reach S3.
        environ: The container's environment, which may hold credentials.
        import_path: Where this process finds modules; the uploader finds them there too.
        finish_s: Seconds that `finish` gives the uploads that are left.

    Returns:
        The running uploader. None if there is nothing to upload: no address is given, or a local one, or the directory
        is there already and the platform takes care of it.

    Raises:
        ConfigurationError: the address cannot be used, or the directory cannot be created.

    Source: contract T-56.
    """
    directory = paths.output_intermediate
    if not s3_output or directory.exists():
        return None
    scheme, _, address = s3_output.partition("://")
    bucket, _, prefix = address.partition("/")
    local = scheme.lower() == "file"
    if not local and not (scheme.lower() == "s3" and bucket):
        raise ConfigurationError(
            f"The hyperparameter {contract.HP_S3_OUTPUT} is {s3_output!r}; it must have the form s3://bucket/prefix, "
            "or file://path if nothing is to be uploaded. Correct it, or leave it out to have no intermediate output."
        )
    try:
        directory.mkdir(parents=True)
    except OSError as exc:
        raise ConfigurationError(
            f"Creating {directory}, which the hyperparameter {contract.HP_S3_OUTPUT} ({s3_output}) asks for, failed: "
            f"{exc}. Make its parent directory writable, or leave the hyperparameter out."
        ) from exc
    if local:
        return None
    parts = (prefix.strip("/"), job_name, "output/intermediate")
    task = Task(
        directory=str(directory),
        bucket=bucket,
        prefix="/".join(filter(None, parts)),
        region=s3.region,
        endpoint_url=s3.endpoint_url,
        log_level=logging.getLogger().getEffectiveLevel(),
        finish_s=finish_s,
    )
    return _start_uploader(task, environ, import_path)


class Intermediate:
    """A running uploader; `finish` must be called once, however training ends."""

    def __init__(self, process: subprocess.Popen[bytes], task: Task) -> None:
        """Take over `process`, which was started with pipes as standard input and output."""
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._task = task
        self._input: IO[bytes] = process.stdin
        self._output: IO[bytes] = process.stdout
        self._received = b""

    def finish(self) -> None:
        """Have everything uploaded that is not yet, and end the uploader.

        Returns within the seconds given to `start`, and a little more. What could not be uploaded is in the log; the
        training job does not fail for it.

        Source: contract T-56.
        """
        self._input.close()
        answer = self.answer(self._task.finish_s + _GRACE_S)
        if answer == DONE:
            logger.info("Intermediate results are uploaded to %s", self._task.uri())
        else:
            logger.error(
                "Intermediate results are missing in %s: %s",
                self._task.uri(),
                f"the upload did not end within {self._task.finish_s:g} s" if answer is None else answer or _GONE,
            )
        self.close()

    def answer(self, seconds: float) -> str | None:
        """The uploader's next line: empty if it ended without one, None if none came within `seconds`.

        Nothing depends on the exit status, which process 1 may have collected before this class could.
        """
        deadline = time.monotonic() + seconds
        poller = select.poll()
        poller.register(self._output, select.POLLIN)
        while b"\n" not in self._received:
            left = deadline - time.monotonic()
            if left <= 0 or not poller.poll(left * 1000):
                return None
            chunk = os.read(self._output.fileno(), 4096)
            if not chunk:
                return ""
            self._received += chunk
        line, _, self._received = self._received.partition(b"\n")
        return line.decode("utf-8", errors="replace")

    def close(self) -> None:
        """End the process, which ignores gentle signals, if it has not ended."""
        self._input.close()
        if self.answer(_GRACE_S) != "":
            self._process.kill()
        self._process.wait()
        self._output.close()


def _start_uploader(task: Task, environ: Mapping[str, str], import_path: Sequence[str]) -> Intermediate | None:
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", _MODULE, json.dumps(asdict(task))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, filter(None, import_path)))},
            # `-m` looks for modules in the working directory first; the user's files must not be found.
            cwd="/",
            # Signals of a terminal then reach the launcher only, which decides.
            start_new_session=True,
        )
    except OSError as exc:
        logger.error("Intermediate results will not be uploaded to %s: %s", task.uri(), exc)
        return None
    # Should a signal end the wait, the pipe closes with the last reference to it, and that ends the uploader.
    uploader = Intermediate(process, task)
    answer = uploader.answer(_READY_S)
    if answer == READY:
        logger.info("Uploading intermediate results from %s to %s", task.directory, task.uri())
        return uploader
    reason = f"the uploader was not ready within {_READY_S:g} s" if answer is None else answer or _GONE
    logger.error("Intermediate results will not be uploaded to %s: %s", task.uri(), reason)
    uploader.close()
    return None
