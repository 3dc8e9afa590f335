"""The linter `image-definitions`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pants.backend.docker.target_types import DockerImageSourceField
from pants.core.goals.lint import LintResult, LintTargetsRequest
from pants.core.util_rules.partitions import PartitionerType
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import FieldSet
from pants.option.option_types import SkipOption
from pants.option.subsystem import Subsystem
from pants.util.logging import LogLevel

from image_definitions.checks import ImageFindings, ImageFindingsRequest


class ImageDefinitions(Subsystem):
    """The linter."""

    options_scope = "image-definitions"
    name = "image-definitions"
    help = "Refuses what cannot be right in the definition of a docker image."

    skip = SkipOption("lint")


@dataclass(frozen=True)
class ImageDefinitionFieldSet(FieldSet):
    """An image to check."""

    required_fields = (DockerImageSourceField,)

    source: DockerImageSourceField


class ImageDefinitionsRequest(LintTargetsRequest):
    """Images to check."""

    field_set_type = ImageDefinitionFieldSet
    tool_subsystem = ImageDefinitions
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION


@rule(desc="Lint with image-definitions", level=LogLevel.DEBUG)
async def lint_images(request: ImageDefinitionsRequest.Batch[ImageDefinitionFieldSet, Any]) -> LintResult:
    """One line for each fault."""
    checked = await MultiGet(
        Get(ImageFindings, ImageFindingsRequest(field_set.address)) for field_set in request.elements
    )
    # A cycle is found from each image that leads to it.
    findings = sorted({finding for each in checked for finding in each.findings})
    return LintResult(
        exit_code=1 if findings else 0,
        stdout="\n".join(map(str, findings)),
        stderr="",
        linter_name=request.tool_name,
    )


def rules():  # type: ignore[no-untyped-def]  # As Pants itself declares it.
    return [*collect_rules(), *ImageDefinitionsRequest.rules()]
