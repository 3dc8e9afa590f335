"""Builds a `docker_image`, unless the engine already holds the image that these very inputs were built into."""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import chain
from typing import Callable

from pants.backend.docker.goals.package_image import (
    DockerInfoV1,
    DockerPackageFieldSet,
    get_build_options,
    parse_image_id_from_docker_build_output,
)
from pants.backend.docker.package_types import BuiltDockerImage
from pants.backend.docker.subsystems.docker_options import DockerOptions
from pants.backend.docker.target_types import DockerImageTags, DockerImageTagsRequest
from pants.backend.docker.util_rules.docker_binary import DockerBinary
from pants.backend.docker.util_rules.docker_build_context import DockerBuildContext, DockerBuildContextRequest
from pants.core.goals.package import BuiltPackage
from pants.core.util_rules.system_binaries import SEARCH_PATHS, BashBinary
from pants.engine.fs import CreateDigest, Digest, FileContent
from pants.engine.process import FallibleProcessResult, Process, ProcessCacheScope
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import InvalidFieldException, WrappedTarget, WrappedTargetRequest
from pants.engine.unions import UnionMembership
from pants.util.frozendict import FrozenDict
from pants.util.logging import LogLevel
from pants.util.strutil import stable_hash

from incremental_docker.ledger import NAMED_CACHE, NOTES, lookup_script, note_script

logger = logging.getLogger(__name__)


class ImageBuildError(Exception):
    """An image could not be built; the message names the target, what the engine said and the next step."""


@rule(desc="Build docker image unless the engine holds it", level=LogLevel.DEBUG)
async def build_changed_image(
    field_set: DockerPackageFieldSet,
    options: DockerOptions,
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
    environment = {**build.env, "PATH": ":".join(SEARCH_PATHS)}
    fingerprint = stable_hash((build.argv, build.env, context.digest))
    ledger = Process(
        argv=(bash.path, "-c", lookup_script(docker.path, fingerprint, tags)),
        description=f"Looking for docker image {tags[0]} in the engine",
        env=environment,
        append_only_caches=FrozenDict({NAMED_CACHE: NOTES}),
        cache_scope=ProcessCacheScope.PER_SESSION,
        level=LogLevel.DEBUG,
    )
    known = await Get(FallibleProcessResult, Process, ledger)
    if known.exit_code == 0:
        image_id = known.stdout.decode()
    else:
        result = await Get(FallibleProcessResult, Process, build)
        image_id = _built_image_id(field_set, tags[0], result, logger.info if options.build_verbose else logger.debug)
        note = replace(
            ledger,
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


def _built_image_id(
    field_set: DockerPackageFieldSet, tag: str, result: FallibleProcessResult, log: Callable[[str], None]
) -> str:
    output = (result.stdout + result.stderr).decode(errors="replace")
    if result.exit_code != 0:
        raise ImageBuildError(_explain(str(field_set.address), tag, output))
    log(f"Docker build output for {tag}:\n{output}")
    image_id = parse_image_id_from_docker_build_output(result.stdout, result.stderr)
    if not image_id.startswith("sha256:"):
        raise ImageBuildError(
            f"{field_set.address}: the engine built {tag}, but its output names no image id (`writing image "
            "sha256:...`), so nothing can be said about what was built. Pants 2.17 reads what Docker 20.10 prints; "
            "call ./pants, which looks for a client that does."
        )
    return image_id


# What an engine's or a client's last words mean, and what to do about it.
_HINTS = (
    ("Cannot connect to the Docker daemon", "The engine is gone. Start it, or run ./pants again, which starts one."),
    ("error during connect", "The engine went away in mid-build. Start it again and repeat the command."),
    ("no space left on device", "The engine's disk is full: `docker system df`, then `docker builder prune`."),
    (
        "BuildKit is enabled but the buildx component is missing",
        "This client cannot drive BuildKit; ./pants finds one.",
    ),
    ("failed to compute cache key", "An ADD or COPY names what no entry of the target's `dependencies` provides."),
)


def _explain(address: str, tag: str, output: str) -> str:
    hint = next((advice for words, advice in _HINTS if words.lower() in output.lower()), "")
    return f"{address}: building {tag} failed. The engine said:\n{output.strip()}" + (f"\n\n{hint}" if hint else "")


def rules():  # type: ignore[no-untyped-def]  # As Pants itself declares it.
    return collect_rules()
