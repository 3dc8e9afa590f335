"""Bringing the user's code to the code directory, whatever form it comes in."""

from __future__ import annotations

import errno
import logging
import shutil
import tarfile
import tempfile
from pathlib import Path

from sagemaker_sklearn_container.errors import CodeSourceError
from sagemaker_sklearn_container.redaction import redacted
from sagemaker_sklearn_container.user_code import archive, s3

logger = logging.getLogger(__name__)

_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)


def has_content(directory: Path) -> bool:
    """Whether `directory` exists and holds anything."""
    return directory.is_dir() and any(directory.iterdir())


def fetch(source: str | None, code_dir: Path, s3_settings: s3.S3Settings) -> None:
    """Fill `code_dir` from `source`, unless it already has content: then it is the user's own, mounted, and left alone.

    Args:
        source: s3:// address of a tar file, or local directory, tar file or single file; None is `code_dir` itself.
        code_dir: Directory to fill; created on demand.
        s3_settings: How to reach S3.

    Raises:
        CodeSourceError: the source does not exist, cannot be read, or is no safe archive.
        OSError: `code_dir` cannot be written.

    Source: contract T-42, T-43, T-44.
    """
    if has_content(code_dir):
        logger.info("Using the code already in %s", code_dir)
        return
    if source is None or (not _is_s3(source) and Path(source).resolve() == code_dir.resolve()):
        return
    code_dir.mkdir(parents=True, exist_ok=True)
    logger.info("Copying the code from %s to %s", redacted(source), code_dir)
    try:
        _fill(code_dir, source, s3_settings)
    except BaseException:
        # Half of it would be taken for the user's own the next time.
        _clear(code_dir)
        raise


def _fill(code_dir: Path, source: str, s3_settings: s3.S3Settings) -> None:
    if _is_s3(source):
        with tempfile.TemporaryDirectory() as scratch:
            name = source.rstrip("/").rpartition("/")[2] or "code"
            s3.download(source, Path(scratch, name), s3_settings)
            _unpack_or_copy(Path(scratch, name), code_dir)
    else:
        _copy_local(source, code_dir)


def _clear(directory: Path) -> None:
    for path in directory.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def fetch_or_use_in_place(source: str | None, code_dir: Path, s3_settings: s3.S3Settings) -> Path:
    """Like `fetch`, for a container whose code directory may be read-only.

    Returns:
        Where the code is: `code_dir`; or if that cannot be written, the source directory itself, or a temporary
        directory for a source that has to be unpacked.

    Source: contract U-02, U-08, L-06.
    """
    try:
        fetch(source, code_dir, s3_settings)
        return code_dir
    except OSError as exc:
        if exc.errno not in _NOT_WRITABLE or source is None:
            raise
        if not _is_s3(source) and Path(_without_scheme(source)).is_dir():
            return Path(_without_scheme(source))
        scratch = Path(tempfile.mkdtemp(prefix="code-"))
        logger.info("%s cannot be written; using %s", code_dir, scratch)
        fetch(source, scratch, s3_settings)
        return scratch


def _is_s3(source: str) -> bool:
    return source.startswith("s3://")


def _without_scheme(source: str) -> str:
    return source[len("file://") :] if source.startswith("file://") else source


def _copy_local(source: str, code_dir: Path) -> None:
    path = Path(_without_scheme(source))
    if path.is_dir():
        shutil.copytree(path, code_dir, dirs_exist_ok=True, ignore_dangling_symlinks=True)
    elif path.is_file():
        _unpack_or_copy(path, code_dir)
    else:
        raise CodeSourceError(
            f"The user code is said to be at {redacted(source)!r}, and nothing is there. It must be an s3:// "
            "address, or an existing directory, tar file or single file."
        )


def _unpack_or_copy(file: Path, code_dir: Path) -> None:
    if tarfile.is_tarfile(file):
        archive.extract(file, code_dir)
    elif file.name.endswith((".tar.gz", ".tgz", ".tar")):
        raise CodeSourceError(f"The user code {file.name} is named like a tar file and is none, or is damaged.")
    else:
        shutil.copy(file, code_dir / file.name)
