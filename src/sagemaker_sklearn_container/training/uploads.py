"""The uploader: a process that copies each file of one directory to S3 as soon as it is closed.

Run by `training.intermediate`, with its task as the only argument. All modules it needs are loaded before it says that
it is ready: what the user's requirements install later may replace them on disk.
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import stat
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Callable, Tuple

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config  # pants: no-infer-dep (it comes with boto3)
from inotify_simple import INotify, flags

from sagemaker_sklearn_container import log
from sagemaker_sklearn_container.training.intermediate import DONE, READY, Task

# Named, since this module runs as __main__.
logger = logging.getLogger("sagemaker_sklearn_container.training.uploads")

# Each holds a part of its file, at most 8 MiB, in memory, and one of the client's pool of ten connections.
_FILES_AT_ONCE = 4
# An endpoint that does not answer at all shows in the log while there is time to act.
_CONNECT_TIMEOUT_S = 10
_NAMES_IN_LOG = 10

_CLOSED = flags.CLOSE_WRITE | flags.MOVED_TO
# New files report their creation too, which matters for directories and links only.
_WATCHED = _CLOSED | flags.CREATE | flags.ONLYDIR | flags.DONT_FOLLOW | flags.EXCL_UNLINK

# What tells two contents of a file apart: time of the last change in ns, size in bytes, inode.
_Version = Tuple[int, int, int]


def main() -> None:
    """Upload until standard input ends, then upload the rest and exit.

    Source: contract T-56.
    """
    # The launcher decides when this process ends: it may have to upload what the program wrote on the same signal.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    # Standard output carries the two answers; whatever else is printed goes to the log.
    answers = os.dup(1)
    os.dup2(2, 1)
    task = Task(**json.loads(sys.argv[1]))
    log.configure(task.log_level)
    try:
        _serve(task, answers)
    except Exception:
        logger.exception("Uploading intermediate results ended unexpectedly")
    logging.shutdown()
    # Not sys.exit: it would wait for uploads that were given up.
    os._exit(0)


def _serve(task: Task, answers: int) -> None:
    uploads = Uploads(task.directory, s3_sender(task), task.uri)
    watch = Watch(task.directory, uploads)
    watch.sweep(task.directory)
    _say(answers, READY)
    poller = select.poll()
    poller.register(watch, select.POLLIN)
    poller.register(0, select.POLLIN)
    while True:
        descriptors = {descriptor for descriptor, _ in poller.poll()}
        watch.take_events()
        if 0 in descriptors and not os.read(0, 4096):
            break
    deadline = time.monotonic() + task.finish_s
    # Once more: the program may have written between the last look and its end.
    watch.take_events()
    watch.sweep(task.directory)
    uploads.wait(deadline - time.monotonic())
    missing = uploads.missing()
    if missing:
        names = ", ".join(missing[:_NAMES_IN_LOG]) + (", ..." if len(missing) > _NAMES_IN_LOG else "")
        logger.error("%d files are not uploaded to %s: %s", len(missing), task.uri(), names)
    _say(answers, f"failed: {len(missing)} files" if missing else DONE)


def _say(answers: int, line: str) -> None:
    try:
        os.write(answers, f"{line}\n".encode())
    except OSError:
        logger.warning("The launcher is gone; intermediate results are uploaded nevertheless")


def s3_sender(task: Task) -> Callable[[str, str], None]:
    """A function that uploads a file, given by its path and its path relative to the directory; it raises on failure.

    The AWS client repeats failed requests itself.
    """
    client = boto3.client(
        "s3",
        region_name=task.region,
        endpoint_url=task.endpoint_url,
        config=Config(connect_timeout=_CONNECT_TIMEOUT_S),
    )
    # Signing once, without sending, loads what the client would load with its first request.
    client.generate_presigned_url("put_object", Params={"Bucket": task.bucket, "Key": task.key("file")})
    transfer = TransferConfig(use_threads=False)

    def send(path: str, relative_path: str) -> None:
        with open(path, "rb") as stream:
            client.upload_fileobj(_OneWay(stream), task.bucket, task.key(relative_path), Config=transfer)

    return send


class _OneWay:
    """A file without a known size: the AWS client then sends what it has read, in parts if it is much.

    Of a file with a size it promises that many bytes, and if the program truncates the file meanwhile (it writes it
    anew) S3 waits in vain for the rest.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size)


class Uploads:
    """The files of one directory on their way: each at most once at a time, and again if it was changed meanwhile.

    A file counts as uploaded in the version it had before its upload began, so that no change is ever missed.
    """

    def __init__(self, directory: str, send: Callable[[str, str], None], uri: Callable[[str], str]) -> None:
        """Nothing is uploaded before `changed` or `found` name a file.

        Args:
            directory: Files are named relative to it.
            send: Uploads the file with the given path and relative path, or raises.
            uri: The address of the file with the given relative path, for the log.
        """
        self._directory = directory
        self._send = send
        self._uri = uri
        self._executor = ThreadPoolExecutor(_FILES_AT_ONCE)
        # Guards all that follows; notified when a file is through.
        self._state = threading.Condition()
        self._waiting: set[str] = set()
        self._running: set[str] = set()
        self._again: set[str] = set()
        self._failed: set[str] = set()
        self._skipped: set[str] = set()
        self._sent: dict[str, _Version] = {}

    def changed(self, path: str) -> None:
        """Upload the file `path`, which was closed after writing or moved here."""
        with self._state:
            if path in self._running:
                self._again.add(path)
            elif path not in self._waiting:
                self._waiting.add(path)
                self._executor.submit(self._upload, path)

    def found(self, path: str, status: os.stat_result) -> None:
        """Upload the file `path` unless it was uploaded as it is now."""
        with self._state:
            known = self._sent.get(path) == _version(status)
        if not known:
            self.changed(path)

    def wait(self, seconds: float) -> None:
        """Wait until no upload is under way or due, at most `seconds`."""
        with self._state:
            self._state.wait_for(lambda: not self._waiting and not self._running, seconds)

    def missing(self) -> list[str]:
        """Relative paths of the files whose last version is not uploaded, as far as is known."""
        with self._state:
            return sorted(map(self._relative, self._waiting | self._running | self._failed))

    def _relative(self, path: str) -> str:
        return os.path.relpath(path, self._directory)

    def _upload(self, path: str) -> None:
        with self._state:
            self._waiting.discard(path)
            self._running.add(path)
        sent, failed = None, False
        try:
            sent = self._send_if_regular(path)
        except Exception as exc:  # botocore raises a dozen unrelated kinds
            # A file that was deleted meanwhile is no loss: deletion is the program's wish.
            failed = os.path.lexists(path)
            if failed:
                logger.error("Uploading %s to %s failed: %s", path, self._uri(self._relative(path)), exc)
        with self._state:
            self._running.discard(path)
            self._failed.discard(path)
            if sent is not None:
                self._sent[path] = sent
            if failed:
                self._failed.add(path)
            if path in self._again:
                self._again.discard(path)
                self._waiting.add(path)
                self._executor.submit(self._upload, path)
            self._state.notify_all()

    def _send_if_regular(self, path: str) -> _Version | None:
        status = status_of(path)
        if status is None:
            return None
        if not stat.S_ISREG(status.st_mode):
            # A link may lead out of the directory, and reading a pipe would not end.
            with self._state:
                new = path not in self._skipped
                self._skipped.add(path)
            if new:
                logger.warning("%s is not uploaded: it is a link or special file; only regular files are", path)
            return _version(status)
        self._send(path, self._relative(path))
        logger.debug("Uploaded %s to %s", path, self._uri(self._relative(path)))
        return _version(status)


class Watch:
    """Notices closed files in a directory and everything below it, and names them to `Uploads`."""

    def __init__(self, top: str, uploads: Uploads) -> None:
        """Nothing is watched before the first `sweep`.

        Raises:
            OSError: the system grants no more watchers.
        """
        self._top = top
        self._uploads = uploads
        self._inotify = INotify()
        self._directories: dict[int, str] = {}
        self._unwatched_said = False

    def fileno(self) -> int:
        """The file descriptor that is readable when there are events."""
        return int(self._inotify.fileno())

    def sweep(self, top: str) -> None:
        """Watch the directory `top` and those below it, and name all files that are there.

        Each directory is watched before it is listed: what is closed later is an event, what was closed before is
        found. A file that is still open may be found as well; its close is then an event.
        """
        pending = [top]
        while pending:
            directory = pending.pop()
            try:
                self._watch(directory)
                names = os.listdir(directory)
            except (FileNotFoundError, NotADirectoryError):
                continue  # deleted or replaced meanwhile
            except OSError as exc:
                logger.error("Files in %s are not uploaded: %s", directory, exc)
                continue
            for path in (os.path.join(directory, name) for name in names):
                status = status_of(path)
                if status is None:
                    continue
                if stat.S_ISDIR(status.st_mode):
                    pending.append(path)
                else:
                    self._uploads.found(path, status)

    def take_events(self) -> None:
        """Name the files of all events that have come in; does not wait for any."""
        for event in self._inotify.read(timeout=0):
            if event.mask & flags.Q_OVERFLOW:
                logger.info("Files change faster than they can be watched; looking at all of %s", self._top)
                self.sweep(self._top)
            elif event.mask & flags.IGNORED:
                self._directories.pop(event.wd, None)
            elif event.wd in self._directories:
                path = os.path.join(self._directories[event.wd], event.name)
                if event.mask & flags.ISDIR:
                    self.sweep(path)
                elif event.mask & _CLOSED or os.path.islink(path):
                    self._uploads.changed(path)

    def _watch(self, directory: str) -> None:
        """Watch one directory; one that was moved here keeps its watch, which from now on means its new path."""
        try:
            self._directories[self._inotify.add_watch(directory, _WATCHED)] = directory
        except (FileNotFoundError, NotADirectoryError):
            raise
        except OSError as exc:
            # Most likely fs.inotify.max_user_watches. The sweep at the end finds the files nevertheless.
            if not self._unwatched_said:
                logger.warning("%s cannot be watched; its files are uploaded at the end: %s", directory, exc)
            self._unwatched_said = True


def status_of(path: str) -> os.stat_result | None:
    """The status of `path` itself, not of what it may link to; None if it is not there."""
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _version(status: os.stat_result) -> _Version:
    return status.st_mtime_ns, status.st_size, status.st_ino


if __name__ == "__main__":
    main()
