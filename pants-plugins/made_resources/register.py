"""Registers the target `made_resources`."""

from __future__ import annotations

from typing import Iterable

from pants.core.target_types import FileSourceField, ResourceSourceField
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.addresses import UnparsedAddressInputs
from pants.engine.rules import Get, Rule, collect_rules, rule
from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    GeneratedSources,
    GenerateSourcesRequest,
    MultipleSourcesField,
    SourcesField,
    SpecialCasedDependencies,
    Target,
    Targets,
)
from pants.engine.unions import UnionRule


class MadeResourcesField(MultipleSourcesField):
    """Nothing of the repository: whoever asks for it gets what the inputs make."""

    alias = "_sources"
    # Packages begin below a source root, and a distribution has what lies in its packages.
    uses_source_roots = True
    expected_num_files = 0


class MadeResourcesInputsField(SpecialCasedDependencies):
    """Who makes them."""

    alias = "inputs"
    required = True
    help = "The targets whose files are to be resources, in folders of a source root."


class MadeResourcesTarget(Target):
    """The files that other targets make."""

    alias = "made_resources"
    core_fields = (*COMMON_TARGET_FIELDS, MadeResourcesField, MadeResourcesInputsField)
    help = (
        "Files that an `adhoc_tool` makes, as resources. `experimental_wrap_as_resources` of Pants 2.17 does not know "
        "of source roots, so its files get into tests, but into no distribution."
    )


class _MadeResourcesRequest(GenerateSourcesRequest):
    input = MadeResourcesField
    output = ResourceSourceField
    exportable = False


@rule
async def made_resources(request: _MadeResourcesRequest) -> GeneratedSources:
    """The files of the inputs, as they are."""
    inputs = await Get(
        Targets, UnparsedAddressInputs, request.protocol_target[MadeResourcesInputsField].to_unparsed_address_inputs()
    )
    made = await Get(
        SourceFiles,
        SourceFilesRequest(
            [target.get(SourcesField) for target in inputs],
            for_sources_types=(SourcesField, FileSourceField),
            enable_codegen=True,
        ),
    )
    return GeneratedSources(made.snapshot)


def rules() -> Iterable[Rule | UnionRule]:
    """How the files come to who depends on them."""
    return (*collect_rules(), UnionRule(GenerateSourcesRequest, _MadeResourcesRequest))


def target_types() -> Iterable[type[Target]]:
    """The target."""
    return (MadeResourcesTarget,)
