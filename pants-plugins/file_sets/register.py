"""Registers the target `file_set`."""

from __future__ import annotations

from typing import Iterable

from pants.core.target_types import FileSourceField
from pants.engine.rules import Rule, collect_rules, rule
from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    GeneratedSources,
    GenerateSourcesRequest,
    MultipleSourcesField,
    Target,
)
from pants.engine.unions import UnionRule


class FileSetSourcesField(MultipleSourcesField):
    """Which files; their paths stay as they are."""

    required = True
    uses_source_roots = False


class FileSetTarget(Target):
    """The files of a dependency, none of which has a target of its own."""

    alias = "file_set"
    core_fields = (*COMMON_TARGET_FIELDS, FileSetSourcesField)
    help = (
        "Files that whoever depends on them gets all of. `files` makes a target of each file; where that is the whole "
        "repository, every question about all targets, or about those of a folder and the folders above it, is asked "
        "of each file once more."
    )


class _FilesOfSetRequest(GenerateSourcesRequest):
    # Whoever asks a dependency for files asks for this field.
    input = FileSetSourcesField
    output = FileSourceField
    exportable = False


@rule
async def files_of_set(request: _FilesOfSetRequest) -> GeneratedSources:
    """The files, as they are."""
    return GeneratedSources(request.protocol_sources)


def rules() -> Iterable[Rule | UnionRule]:
    """How a set's files come to who depends on it."""
    return (*collect_rules(), UnionRule(GenerateSourcesRequest, _FilesOfSetRequest))


def target_types() -> Iterable[type[Target]]:
    """The target."""
    return (FileSetTarget,)
