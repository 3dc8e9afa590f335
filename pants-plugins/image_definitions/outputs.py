"""What a target puts into the build context of an image that depends on it, told without building it."""

from __future__ import annotations

import os
import re

from pants.backend.adhoc.target_types import (
    AdhocToolOutputDirectoriesField,
    AdhocToolOutputFilesField,
    AdhocToolOutputRootDirField,
    AdhocToolStderrFilenameField,
    AdhocToolStdoutFilenameField,
    AdhocToolWorkdirField,
)
from pants.backend.docker.target_types import DockerImageSourceField
from pants.backend.python.target_types import PythonDistributionOutputPathField, PythonProvidesField
from pants.backend.shell.target_types import ShellSourceField
from pants.core.goals.package import OutputPathField
from pants.core.target_types import FileSourceField, RelocatedFilesDestField
from pants.core.util_rules.adhoc_process_support import parse_relative_directory
from pants.engine.target import Target

from image_definitions.context_rules import Output


def files_of(target: Target) -> tuple[Output, ...]:
    """The files that a direct dependency brings as they are: its sources, or what its command writes."""
    address = str(target.address)
    if target.has_field(AdhocToolOutputFilesField):
        return _written(target)
    if target.has_field(FileSourceField):
        return (Output(address, target[FileSourceField].file_path),) if target[FileSourceField].value else ()
    if target.has_field(ShellSourceField):
        return (Output(address, target[ShellSourceField].file_path),)
    if target.has_field(RelocatedFilesDestField):
        return (Output(address, target[RelocatedFilesDestField].value or "", is_folder=True),)
    return ()


def package_of(target: Target) -> tuple[Output, ...]:
    """The files that a packaged target brings; `*` for what its builder chooses."""
    address = str(target.address)
    if target.has_field(DockerImageSourceField):
        path = target[OutputPathField].value_or_default(file_ending="docker-info.json")
        return (Output(address, path),)
    if target.has_field(PythonProvidesField):
        name = str(target[PythonProvidesField].value.kwargs.get("name", "*"))
        folder = target.get(PythonDistributionOutputPathField).value or ""
        # The spelling of the name in a file's is the backend's choice: any of `-`, `_` and `.`.
        spelled = re.sub(r"[-_.]+", "*", name)
        return tuple(Output(address, os.path.join(folder, f"{spelled}-*{ending}")) for ending in (".whl", ".tar.gz"))
    if target.has_field(OutputPathField):
        field = target[OutputPathField]
        if field.value:
            return (Output(address, field.value),)
        bare = field.value_or_default(file_ending=None)
        return (Output(address, bare), Output(address, f"{bare}.*"), Output(address, bare, is_folder=True))
    return (Output(address, "", is_folder=True),)


def _written(target: Target) -> tuple[Output, ...]:
    workdir = parse_relative_directory(target.get(AdhocToolWorkdirField).value or "", target.address)
    root = parse_relative_directory(target.get(AdhocToolOutputRootDirField).value or "", workdir)
    files = [os.path.join(workdir, path) for path in target[AdhocToolOutputFilesField].value or ()]
    for field in (AdhocToolStdoutFilenameField, AdhocToolStderrFilenameField):
        captured = target.get(field).value
        if captured:
            files.append(captured[1:] if captured.startswith("/") else os.path.join(workdir, captured))
    folders = [os.path.join(workdir, path) for path in target.get(AdhocToolOutputDirectoriesField).value or ()]
    address = str(target.address)
    return (
        *(Output(address, os.path.relpath(path, root or ".")) for path in files),
        *(Output(address, os.path.relpath(path, root or "."), is_folder=True) for path in folders),
    )
