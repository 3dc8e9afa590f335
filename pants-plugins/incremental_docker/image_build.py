"""Builds a `docker_image`, unless the engine already holds the image that these very inputs were built into."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from pants.backend.docker.goals.package_image import (
    DockerInfoV1,
    DockerPackageFieldSet,
    ImageRefRegistry,
    get_build_options,
)
from pants.backend.docker.package_types import BuiltDockerImage
from pants.backend.docker.subsystems.docker_options import DockerOptions
from pants.backend.docker.target_types import DockerImageTags, DockerImageTagsRequest
from pants.backend.docker.util_rules.docker_binary import DockerBinary
from pants.core.goals.package import BuiltPackage, BuiltPackageArtifact
from pants.core.util_rules.system_binaries import SEARCH_PATHS, BashBinary
from pants.engine.fs import (
    AddPrefix,
    CreateDigest,
    Digest,
    DigestEntries,
    DigestSubset,
    FileContent,
    FileEntry,
    MergeDigests,
    PathGlobs,
)
from pants.engine.internals.graph import CycleException
from pants.engine.process import FallibleProcessResult, Process, ProcessCacheScope
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import InvalidFieldException, WrappedTarget, WrappedTargetRequest
from pants.engine.unions import UnionMembership
from pants.util.frozendict import FrozenDict
from pants.util.logging import LogLevel
from pants.util.strutil import stable_hash

from image_definitions.checks import BuildableImage, BuildableImageRequest
from incremental_docker import outline, reproducible_image
from incremental_docker.context import OwnContext, OwnContextRequest
from incremental_docker.failures import explain
from incremental_docker.labels import base_of, labels_of
from incremental_docker.ledger import (
    KEEPS_TIMES,
    NAMED_CACHES,
    NEVER_NOTED,
    build_script,
    lookup_script,
    tag_or_build_script,
)
from incremental_docker.options import IncrementalDocker
from incremental_docker.revision import Revision, RevisionRequest

logger = logging.getLogger(__name__)

_REPRODUCE = Path(reproducible_image.__file__)


class ImageBuildError(Exception):
    """An image could not be built; the message names the target, what the engine said and the next step."""


@dataclass(frozen=True)
class _OutlineRequest:
    """Asks for the outline of a build context.

    Attributes:
        context: The context's files.
        dockerfile: Text.
        root: Folder that the Dockerfile's names start from.
    """

    context: Digest
    dockerfile: str
    root: str


@dataclass(frozen=True)
class _Outline:
    """A context with stand-ins for its ready layers.

    Attributes:
        digest: Its files, below `outline.FOLDER`.
        layers: Digest in hexadecimal digits, and path in the context, of each ready layer; the lowest first.
    """

    digest: Digest
    layers: tuple[tuple[str, str], ...]


@rule(desc="Outline the build context", level=LogLevel.DEBUG)
async def outline_context(request: _OutlineRequest) -> _Outline:
    """The context with its ready layers, which are known by their digests, a few bytes each."""
    entries = await Get(DigestEntries, Digest, request.context)
    # Pants' digest of a file is its SHA-256, and so is that of an uncompressed layer.
    digests = {entry.path: entry.file_digest.fingerprint for entry in entries if isinstance(entry, FileEntry)}
    ready = outline.ready_layers(request.dockerfile, request.root, digests)
    rest, stand_ins = await MultiGet(
        Get(Digest, DigestSubset(request.context, PathGlobs(sorted({entry.path for entry in entries} - set(ready))))),
        Get(Digest, CreateDigest([FileContent(path, outline.stand_in(digests[path])) for path in ready])),
    )
    merged = await Get(Digest, MergeDigests([rest, stand_ins]))
    digest = await Get(Digest, AddPrefix(merged, outline.FOLDER))
    return _Outline(digest, tuple((digests[path], path) for path in ready))


@rule(desc="Build docker image unless the engine holds it", level=LogLevel.DEBUG)
async def build_changed_image(
    field_set: DockerPackageFieldSet,
    options: DockerOptions,
    incremental: IncrementalDocker,
    docker: DockerBinary,
    bash: BashBinary,
    union_membership: UnionMembership,
) -> BuiltPackage:
    """The image's metadata file and its bill of materials; the image itself is in the engine when this returns.

    Raises:
        ImageBuildError: the engine does not answer, or its build failed.
        ImageDefinitionError: the build cannot end well, as the linter of image definitions says.
        InvalidFieldException: the target has no tag.
    """
    buildable = BuildableImageRequest(field_set.address)
    try:
        # At once: what is packaged for the image takes as long as all of these questions.
        _, context, wrapped, revision = await MultiGet(
            Get(BuildableImage, BuildableImageRequest, buildable),
            Get(OwnContext, OwnContextRequest(field_set.address)),
            Get(WrappedTarget, WrappedTargetRequest(field_set.address, description_of_origin="<infallible>")),
            Get(Revision, RevisionRequest(field_set.address)),
        )
    except CycleException:
        # Says the same with file and line.
        await Get(BuildableImage, BuildableImageRequest, buildable)
        raise
    stock = context.stock
    requests = union_membership.get(DockerImageTagsRequest)
    additional_tags = await MultiGet(
        Get(DockerImageTags, DockerImageTagsRequest, request(wrapped.target))
        for request in requests
        if request.is_applicable(wrapped.target)
    )
    # Registries are a matter of publishing: what is built and tested has the same names everywhere.
    repository = field_set.format_repository(options.default_repository, stock.interpolation_context)
    refs = tuple(
        field_set.format_image_ref_tags(
            repository,
            (*(field_set.tags.value or ()), *chain.from_iterable(additional_tags)),
            stock.interpolation_context,
            uses_local_alias=False,
        )
    )
    tags = tuple(ref.full_name for ref in refs)
    if not field_set.tags.value and not any(additional_tags):
        raise InvalidFieldException(f"{field_set.address}: `image_tags` must name at least one tag.")

    values = dict(pair.partition("=")[::2] for pair in stock.build_args)
    labels = labels_of(
        repository,
        tuple(ref.formatted for ref in refs),
        revision.commit,
        context.licences,
        base_of(context.dockerfile, values),
        context.image_ids,
    )
    root = field_set.get_context_root(options.default_context_root)
    build = docker.build_image(
        build_args=stock.build_args,
        digest=context.digest,
        dockerfile=stock.dockerfile,
        context_root=root,
        env={**stock.build_env.environment, "__UPSTREAM_IMAGE_IDS": ",".join(stock.upstream_image_ids)},
        # What is built has a name for the time of the build only; the image that is made of it gets the tags.
        tags=(f"{tags[0]}-built",),
        extra_args=(
            *get_build_options(stock, field_set, options.build_target_stage, wrapped.target),
            *chain.from_iterable(("--label", f"{name}={value}") for name, value in labels.items()),
            # Everything a build needs is in its context; a step that reaches for more fails everywhere alike.
            "--network=none",
        ),
    )
    reproduce = (sys.executable, "-I", "-S", str(_REPRODUCE), docker.path, revision.time)
    fingerprint = stable_hash(
        (build.argv, build.env, context.digest, tags, reproduce, _REPRODUCE.read_text(encoding="utf-8"))
    )
    # An image that is to be made anew is looked for where none is noted.
    known_as = NEVER_NOTED if incremental.rebuild else fingerprint
    lookup = Process(
        argv=(bash.path, "-c", lookup_script(docker.path, known_as, tags)),
        description=f"Looking for docker image {tags[0]} in the engine",
        env={**build.env, "PATH": ":".join(filter(None, (build.env.get("PATH"), *SEARCH_PATHS)))},
        append_only_caches=FrozenDict(NAMED_CACHES),
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
        # With a target stage, another one than the last is the image.
        text = "" if "--target" in command else context.dockerfile
        outlined = await Get(_Outline, _OutlineRequest(context.digest, text, root))
        input_digest = await Get(Digest, MergeDigests([build.input_digest, outlined.digest]))
        layers = chain.from_iterable(("--layer", digest, path) for digest, path in outlined.layers)
        build_it = build_script(
            command, (*reproduce, *layers), tags, context.image_ids, pin=image_id, fingerprint=fingerprint
        )
        bring = replace(
            step,
            argv=(bash.path, "-c", tag_or_build_script(build_it, docker.path, known_as, tags)),
            description=f"Building docker image {tags[0]}",
            input_digest=input_digest,
            immutable_input_digests=build.immutable_input_digests,
            level=build.level,
        )
        brought = await Get(FallibleProcessResult, Process, bring)
        output = brought.stderr.decode(errors="replace")
        if brought.exit_code != 0:
            raise ImageBuildError(explain(str(field_set.address), tags[0], output))
        log = logger.info if options.build_verbose else logger.debug
        log(f"Docker build output for {tags[0]}:\n{output}")
        if KEEPS_TIMES in output:
            logger.warning(f"{tags[0]}: {KEEPS_TIMES}.")
        image_id, _, unnoted = brought.stdout.decode(errors="replace").partition("\n")
        if unnoted:
            logger.warning(f"{tags[0]} will be built again next time: {unnoted.strip()}")

    filename = field_set.output_path.value_or_default(file_ending="docker-info.json")
    metadata = DockerInfoV1.serialize((ImageRefRegistry(None, repository, refs),), image_id=image_id)
    files = [FileContent(filename, metadata)]
    artifacts: list[BuiltPackageArtifact] = [BuiltDockerImage.create(image_id, tags, filename)]
    if context.bill_of_materials:
        path = field_set.output_path.value_or_default(file_ending="cdx.json")
        files.append(FileContent(path, context.bill_of_materials))
        artifacts.append(BuiltPackageArtifact(path))
    digest = await Get(Digest, CreateDigest(files))
    return BuiltPackage(digest, tuple(artifacts))


def rules():  # type: ignore[no-untyped-def]  # As Pants itself declares it.
    return collect_rules()
