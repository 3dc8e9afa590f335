"""Installing what the user's code needs: its requirements.txt, and the code itself only if it has a setup.py."""

from __future__ import annotations

import logging
import os
import re
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Callable, Mapping, Sequence

from sagemaker_sklearn_container import contract, settings
from sagemaker_sklearn_container.commands import Outcome
from sagemaker_sklearn_container.errors import InstallError
from sagemaker_sklearn_container.user_code import code_artifact

logger = logging.getLogger(__name__)

# Runs a command in a directory with an environment.
Run = Callable[[Sequence[str], Path, Mapping[str, str]], Outcome]

# Isolated: `-m` would otherwise find modules of the working directory first, the user's pip.py or types.py among them.
_PIP = [sys.executable, "-I", "-m", "pip", "--disable-pip-version-check", "--no-input"]
_INSTALL = [*_PIP, "install", "--root-user-action=ignore"]
_INDEX_URL = "PIP_INDEX_URL"
_ERROR = "ERROR: "
# Where pip shows what a package's own build wrote: its last line says what went wrong.
_END_OF_BUILD_OUTPUT = "[end of output]"
_BUILD_SYSTEM = re.compile(r"^\s*\[build-system\]", re.MULTILINE)


def is_package(code_dir: Path) -> bool:
    """Whether the user's code is a distribution of its own.

    Source: contract T-46, U-07.
    """
    return (code_dir / "setup.py").is_file()


def install(code_dir: Path, environ: Mapping[str, str], run: Run) -> None:
    """Install the requirements of the code in `code_dir`, and the code itself if it is a package.

    Without requirements.txt and setup.py nothing is run, so that no network is needed (U-05).

    Args:
        code_dir: Directory of the user's code.
        environ: The container's environment; CA_REPOSITORY_ARN names a CodeArtifact repository to install from.
        run: Runs pip.

    Raises:
        InstallError: pip failed; its own output went to the container's log.
        ConfigurationError: CA_REPOSITORY_ARN names no repository.

    Source: contract T-46, T-47, U-05, U-07.
    """
    requirements = code_dir / contract.REQUIREMENTS_FILE
    if os.path.lexists(requirements) and not requirements.is_file():
        raise InstallError(
            f"Installing the user's {contract.REQUIREMENTS_FILE} failed: {requirements} is no file, or a link to "
            "nothing. Make it a text file with one requirement per line, or leave it out."
        )
    arguments = ["-r", str(requirements)] if requirements.is_file() else []
    if not arguments and not is_package(code_dir):
        return
    environ = _with_index(environ)
    if not is_package(code_dir):
        _pip([*_INSTALL, *arguments], code_dir, environ, run, f"the user's {contract.REQUIREMENTS_FILE}")
        return
    try:
        _install_package(code_dir, arguments, environ, run)
    except OSError as exc:
        raise InstallError(f"Installing the user's package (setup.py) failed: copying {code_dir}: {exc}.") from exc


def install_to(target: Path, code_dir: Path, environ: Mapping[str, str], run: Run) -> None:
    """Install the requirements of the code in `code_dir` to a directory, for whoever puts that on its path.

    Raises:
        InstallError: pip failed; its own output went to the container's log.

    Source: contract M-34.
    """
    requirements = str(code_dir / contract.REQUIREMENTS_FILE)
    command = [*_INSTALL, f"--target={target}", "-r", requirements]
    _pip(command, code_dir, _with_index(environ), run, f"the model's {contract.REQUIREMENTS_FILE}")


def _install_package(code_dir: Path, arguments: Sequence[str], environ: Mapping[str, str], run: Run) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        # pip builds inside the tree it is given, and that tree may be the user's own directory, mounted (T-43).
        copy = Path(scratch, "package")
        shutil.copytree(code_dir, copy, ignore_dangling_symlinks=True)
        wheel = [*_PIP, "wheel", "--no-deps", f"--wheel-dir={scratch}", *_build_options(copy), str(copy)]
        _pip(wheel, code_dir, environ, run, "the user's package (setup.py): building its wheel")
        wheels = [str(path) for path in Path(scratch).glob("*.whl")]
        what = "the user's package (setup.py) and its requirements"
        _pip([*_INSTALL, *wheels, *arguments], code_dir, environ, run, what)


def _build_options(package: Path) -> list[str]:
    """A package that names no build requirements of its own is built with the image's setuptools, without network."""
    described = package / "pyproject.toml"
    if described.is_file() and _BUILD_SYSTEM.search(described.read_text(encoding="utf-8", errors="replace")):
        return []
    return ["--use-pep517", "--no-build-isolation"]


def _with_index(environ: Mapping[str, str]) -> Mapping[str, str]:
    arn = settings.text(environ, contract.CODE_ARTIFACT_REPOSITORY)
    # As a variable, since the address carries a token and commands are logged.
    return environ if arn is None else {**environ, _INDEX_URL: code_artifact.index_url(arn)}


def _pip(command: Sequence[str], code_dir: Path, environ: Mapping[str, str], run: Run, what: str) -> None:
    logger.info("Installing %s: %s", what, shlex.join(command))
    outcome = run(command, code_dir, environ)
    if outcome.exit_code != 0:
        raise InstallError(
            f"Installing {what} failed: {_pip_error(outcome)}. All of its messages are in the container's log; check "
            "the names and versions, and that the container can reach the package index."
        )


def _pip_error(outcome: Outcome) -> str:
    """What pip says is wrong, the last thing first: it names the requirement."""
    lines = [line.strip() for line in outcome.error_tail.decode("utf-8", errors="replace").splitlines() if line.strip()]
    said = [line[len(_ERROR) :] for line in lines if line.startswith(_ERROR)]
    built = [before for before, line in zip(lines, lines[1:]) if line == _END_OF_BUILD_OUTPUT]
    if said and said[-1] == "Exception:":  # pip's own traceback follows
        said[-1] = lines[-1]
    texts = [*reversed(built), *reversed(said), f"pip ended with exit code {outcome.exit_code}"]
    return "; ".join(text.rstrip(".") for text in dict.fromkeys(texts))
