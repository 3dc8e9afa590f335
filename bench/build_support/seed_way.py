"""How such images are built without a graph: a wheel, then three `docker build`s that install what they need inside.

The same operating system, interpreter, libraries and versions as ours, on the same engine and with the same package
index. Dockerfiles put what changes rarely first. pip gets every version, so that it need not resolve.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.build_support.ours import LIBRARY, RELEASE, REPOSITORY, pyenv_root

_INSTALL = "python -m pip install --quiet --no-cache-dir --no-deps --no-build-isolation --disable-pip-version-check"
_CERTIFICATES = "--mount=type=secret,id=certificates,target=/certificates.pem"
_DOCKERFILES = {
    # The interpreter of the foundation has no pip.
    "base": f"""\
FROM sklearn-foundation:0.23-1-cpu-py3
COPY pip.whl requirements.txt /seed/
RUN {_CERTIFICATES} PYTHONPATH=/seed/pip.whl {_INSTALL} --cert /certificates.pem -r /seed/requirements.txt
""",
    "final": f"""\
FROM seed-base
COPY requirements.txt /seed/
RUN {_CERTIFICATES} {_INSTALL} --cert /certificates.pem -r /seed/requirements.txt
COPY sagemaker_sklearn_container-2.0-py3-none-any.whl /seed/
RUN {_INSTALL} /seed/sagemaker_sklearn_container-2.0-py3-none-any.whl
""",
    "extension": f"""\
FROM seed-final
COPY requirements.txt /seed/
RUN {_CERTIFICATES} {_INSTALL} --cert /certificates.pem -r /seed/requirements.txt
""",
}
_SETUP = """\
from setuptools import find_packages, setup
setup(name="sagemaker_sklearn_container", version="2.0", packages=find_packages("src"), package_dir={"": "src"})
"""
_BUNDLES = (os.environ.get("PIP_CERT", ""), "/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True)
class SeedWay:
    """A folder with all that is built from.

    Attributes:
        folder: Its top; a folder for each image, and `package`.
        python: An interpreter that can build wheels.
        client: The Docker client.
        engine: The address of its engine.
    """

    folder: Path
    python: str
    client: str
    engine: str

    def build(self, *options: str) -> float:
        """Build the wheel and all images; seconds it took.

        Args:
            options: Further ones for each `docker build`.
        """
        # What earlier builds wrote is theirs to pay for.
        os.sync()
        start = time.monotonic()
        package = self.folder / "package"
        # What an earlier build left would come along.
        shutil.rmtree(package / "build", ignore_errors=True)
        _run([self.python, "setup.py", "--quiet", "bdist_wheel", "--dist-dir", str(self.folder / "final")], package)
        for image in _DOCKERFILES:
            certificates = next(path for path in _BUNDLES if os.path.exists(path))
            command = [
                self.client,
                f"--host={self.engine}",
                "build",
                "--quiet",
                "--network=host",
                f"--tag=seed-{image}",
                *options,
            ]
            _run([*command, f"--secret=id=certificates,src={certificates}", "."], self.folder / image)
        return time.monotonic() - start

    def add_line(self) -> None:
        """Change the support package, as nobody has before: the engine keeps what it built in earlier runs."""
        with Path(self.folder, "package/src/sagemaker_sklearn_container/log.py").open("a", encoding="utf-8") as stream:
            stream.write(f"MEASURED = {time.time_ns()}\n")

    def take_other_release(self) -> None:
        """Change one library that only the extension image has."""
        path = self.folder / "extension" / "requirements.txt"
        lines = path.read_text(encoding="utf-8").splitlines()
        others = [line for line in lines if not line.startswith(f"{LIBRARY}==")]
        path.write_text("\n".join([*others, f"{LIBRARY}=={RELEASE}", ""]), encoding="utf-8")


def prepare(folder: Path, client: str, engine: str) -> SeedWay:
    """Write everything that is built from; a build needs our foundation in the engine.

    Args:
        folder: Of the machine, empty.
        client: A Docker client.
        engine: The address of its engine.

    Raises:
        SystemExit: there is no CPython 3.8, or no index to take pip from.
    """
    pythons = sorted(Path(pyenv_root()).glob("versions/3.8.*/bin/python3.8"))
    python = str(pythons[-1]) if pythons else shutil.which("python3.8")
    if python is None:
        sys.exit("bench: no CPython 3.8, with which the wheel is built")
    tools = folder / "tools"
    _run([python, "-m", "venv", str(tools)], Path.cwd())
    program = str(tools / "bin" / "python")
    _run([program, "-m", "pip", "install", "--quiet", "setuptools<81", "wheel"], Path.cwd())

    for image, text in _DOCKERFILES.items():
        context = folder / image
        context.mkdir()
        Path(context, "Dockerfile").write_text(text, encoding="utf-8")
        lock = (REPOSITORY / f"3rdparty/python/{image}.lock").read_text(encoding="utf-8")
        pins = [line.split()[0] for line in lock.splitlines() if line[:1].isalnum()]
        Path(context, "requirements.txt").write_text("\n".join([*pins, ""]), encoding="utf-8")
    [pip] = [line for line in (folder / "base" / "requirements.txt").read_text().split() if line.startswith("pip==")]
    _run([program, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), pip], Path.cwd())
    next(folder.glob("pip-*.whl")).rename(folder / "base" / "pip.whl")

    package = folder / "package"
    for name in ("sagemaker_containers", "sagemaker_inference", "sagemaker_sklearn_container", "sagemaker_training"):
        shutil.copytree(REPOSITORY / "src" / name, package / "src" / name, ignore=shutil.ignore_patterns("__pycache__"))
    Path(package, "setup.py").write_text(_SETUP, encoding="utf-8")
    return SeedWay(folder, program, client, engine)


def _run(command: list[str], folder: Path) -> None:
    environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed in {folder}:\n{done.stdout}")
