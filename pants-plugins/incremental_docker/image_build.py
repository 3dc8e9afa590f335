"""Builds a `docker_image`, unless the engine already holds the image that these very inputs were built into."""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import chain

from pants.backend.docker.goals.package_image import DockerInfoV1, DockerPackageFieldSet, get_build_options
from pants.backend.docker.package_types import BuiltDockerImage
from pants.backend.docker.subsystems.docker_options import DockerOptions
from pants.backend.docker.target_types import DockerImageTags, DockerImageTagsRequest
from pants.backend.docker.util_rules.docker_binary import DockerBinary
from pants.backend.docker.util_rules.docker_build_context import DockerBuildContext, DockerBuildContextRequest
from pants.core.goals.package import BuiltPackage, EnvironmentAwarePackageRequest, PackageFieldSet
from pants.core.util_rules.system_binaries import SEARCH_PATHS, BashBinary
from pants.engine.addresses import Address
from pants.engine.fs import CreateDigest, Digest, FileContent
from pants.engine.process import FallibleProcessResult, Process, ProcessCacheScope
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import (
    FieldSetsPerTarget,
    FieldSetsPerTargetRequest,
    InvalidFieldException,
    TransitiveTargets,
    TransitiveTargetsRequest,
    WrappedTarget,
    WrappedTargetRequest,
)
from pants.engine.unions import UnionMembership
from pants.util.frozendict import FrozenDict
from pants.util.logging import LogLevel
from pants.util.strutil import stable_hash

from incremental_docker.failures import explain
from incremental_docker.ledger import (
    NAMED_CACHE,
    NEVER_NOTED,
    NOTES,
    build_script,
    lookup_script,
    note_script,
    tag_or_build_script,
)
from incremental_docker.options import IncrementalDocker

logger = logging.getLogger(__name__)


class ImageBuildError(Exception):
    """An image could not be built; the message names the target, what the engine said and the next step."""


# Above the rule, since Pants looks for what a rule asks for when it is defined.
async def _image_ids_below(address: Address) -> dict[str, str]:
    """The id of each image that a target depends on, by tag; all are built by now, so Pants has the answers at hand."""
    transitive = await Get(TransitiveTargets, TransitiveTargetsRequest([address]))
    packages = await Get(FieldSetsPerTarget, FieldSetsPerTargetRequest(PackageFieldSet, transitive.dependencies))
    built = await MultiGet(
        Get(BuiltPackage, EnvironmentAwarePackageRequest(field_set))
        for field_set in packages.field_sets
        if isinstance(field_set, DockerPackageFieldSet)
    )
    images = [image for package in built for image in package.artifacts if isinstance(image, BuiltDockerImage)]
    return {tag: image.image_id for image in images for tag in image.tags}


@rule(desc="Build docker image unless the engine holds it", level=LogLevel.DEBUG)
async def build_changed_image(
    field_set: DockerPackageFieldSet,
    options: DockerOptions,
    incremental: IncrementalDocker,
    docker: DockerBinary,
    bash: BashBinary,
    union_membership: UnionMembership,
) -> BuiltPackage:
    """The image's metadata file; the image itself is in the engine when this returns.

    Raises:
        ImageBuildError: the engine does not answer, or its build failed.
        InvalidFieldException: the target has no tag.
    """
    context, wrapped = await MultiGet(
        Get(DockerBuildContext, DockerBuildContextRequest(address=field_set.address, build_upstream_images=True)),
        Get(WrappedTarget, WrappedTargetRequest(field_set.address, description_of_origin="<infallible>")),
    )
    requests = union_membership.get(DockerImageTagsRequest)
    additional_tags = await MultiGet(
        Get(DockerImageTags, DockerImageTagsRequest, request(wrapped.target))
        for request in requests
        if request.is_applicable(wrapped.target)
    )
    image_refs = tuple(
        field_set.image_refs(
            default_repository=options.default_repository,
            registries=options.registries(),
            interpolation_context=context.interpolation_context,
            additional_tags=tuple(chain.from_iterable(additional_tags)),
        )
    )
    tags = tuple(tag.full_name for registry in image_refs for tag in registry.tags)
    if not tags:
        raise InvalidFieldException(f"{field_set.address}: `image_tags` must name at least one tag.")

    build = docker.build_image(
        build_args=context.build_args,
        digest=context.digest,
        dockerfile=context.dockerfile,
        context_root=field_set.get_context_root(options.default_context_root),
        env={**context.build_env.environment, "__UPSTREAM_IMAGE_IDS": ",".join(context.upstream_image_ids)},
        tags=tags,
        extra_args=(
            *get_build_options(context, field_set, options.build_target_stage, wrapped.target),
            # Everything a build needs is in its context; a step that reaches for more fails everywhere alike.
            "--network=none",
        ),
    )
    fingerprint = stable_hash((build.argv, build.env, context.digest))
    # An image that is to be made anew is looked for where none is noted.
    known_as = NEVER_NOTED if incremental.rebuild else fingerprint
    lookup = Process(
        argv=(bash.path, "-c", lookup_script(docker.path, known_as, tags)),
        description=f"Looking for docker image {tags[0]} in the engine",
        env={**build.env, "PATH": ":".join(filter(None, (build.env.get("PATH"), *SEARCH_PATHS)))},
        append_only_caches=FrozenDict({NAMED_CACHE: NOTES}),
        cache_scope=ProcessCacheScope.PER_SESSION,
        level=LogLevel.DEBUG,
    )
    known = await Get(FallibleProcessResult, Process, lookup)
    image_id = known.stdout.decode()
    if known.exit_code != 0:
        # What follows belongs to this one lookup. Without its mark, and were it not remembered over sessions, Pants
        # would run the builds of the previous session beside the lookups of the next one, and tags would move.
        step = replace(
            lookup,
            env=FrozenDict({**lookup.env, "__LOOKUP": image_id}),
            cache_scope=ProcessCacheScope.PER_RESTART_SUCCESSFUL,
        )
        command = (*build.argv[:2], "--no-cache", *build.argv[2:]) if incremental.rebuild else build.argv
        build_it = build_script(command, await _image_ids_below(field_set.address), pin=image_id)
        bring = replace(
            step,
            argv=(bash.path, "-c", tag_or_build_script(build_it, docker.path, known_as, tags)),
            description=build.description,
            input_digest=build.input_digest,
            immutable_input_digests=build.immutable_input_digests,
            level=build.level,
        )
        brought = await Get(FallibleProcessResult, Process, bring)
        output = brought.stderr.decode(errors="replace")
        if brought.exit_code != 0:
            raise ImageBuildError(explain(str(field_set.address), tags[0], output))
        log = logger.info if options.build_verbose else logger.debug
        log(f"Docker build output for {tags[0]}:\n{output}")
        image_id = brought.stdout.decode()
        note = replace(
            step,
            argv=(bash.path, "-c", note_script(fingerprint, image_id)),
            description=f"Noting the id of docker image {tags[0]}",
        )
        noted = await Get(FallibleProcessResult, Process, note)
        if noted.exit_code != 0:
            logger.warning(f"{tags[0]} will be built again next time: {noted.stderr.decode().strip()}")

    filename = field_set.output_path.value_or_default(file_ending="docker-info.json")
    metadata = DockerInfoV1.serialize(image_refs, image_id=image_id)
    digest = await Get(Digest, CreateDigest([FileContent(filename, metadata)]))
    return BuiltPackage(digest, (BuiltDockerImage.create(image_id, tags, filename),))


def rules():  # type: ignore[no-untyped-def]  # As Pants itself declares it.
    return collect_rules()
