"""What one image is built from: its own files, the images below it, and what its files say about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from pants.backend.docker.goals.package_image import DockerPackageFieldSet
from pants.backend.docker.package_types import BuiltDockerImage
from pants.backend.docker.util_rules.docker_build_context import DockerBuildContext, DockerBuildContextRequest
from pants.core.goals.package import BuiltPackage, EnvironmentAwarePackageRequest, PackageFieldSet
from pants.engine.addresses import Address, Addresses
from pants.engine.fs import Digest, DigestContents, DigestSubset, FileContent, MergeDigests, PathGlobs, Snapshot
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import (
    Dependencies,
    DependenciesRequest,
    FieldSetsPerTarget,
    FieldSetsPerTargetRequest,
    TransitiveTargets,
    TransitiveTargetsRequest,
)
from pants.util.frozendict import FrozenDict

# What the files of a bill of materials and of a licence expression end in (docker/macros.py).
MATERIALS = ".cdx.json"
LICENCES = ".licences.txt"


@dataclass(frozen=True)
class OwnContextRequest:
    """Asks for the build context of a `docker_image`; everything it depends on is packaged for it."""

    address: Address


@dataclass(frozen=True)
class OwnContext:
    """A build context with the image's own files only, and what else is known before the build.

    Attributes:
        stock: As Pants makes it: build arguments, environment, Dockerfile.
        digest: Its files without the packages of dependencies' dependencies.
        image_ids: Id of each image below, by full name.
        dockerfile: The Dockerfile's text.
        licences: SPDX expression, if one of the files holds it.
        bill_of_materials: CycloneDX document, if there is one.
    """

    stock: DockerBuildContext
    digest: Digest
    image_ids: FrozenDict[str, str]
    dockerfile: str
    licences: str | None
    bill_of_materials: bytes | None


@rule(desc="Collect the image's own build context")
async def own_context(request: OwnContextRequest) -> OwnContext:
    """Pants' own context holds whatever was packaged for an image, its parents' packages and theirs included."""
    stock, transitive = await MultiGet(
        Get(DockerBuildContext, DockerBuildContextRequest(address=request.address, build_upstream_images=True)),
        Get(TransitiveTargets, TransitiveTargetsRequest([request.address])),
    )
    direct, packages = await MultiGet(
        Get(Addresses, DependenciesRequest(transitive.roots[0].get(Dependencies))),
        Get(FieldSetsPerTarget, FieldSetsPerTargetRequest(PackageFieldSet, transitive.dependencies)),
    )
    built = await MultiGet(
        Get(BuiltPackage, EnvironmentAwarePackageRequest(field_set)) for field_set in packages.field_sets
    )
    of_images = [isinstance(field_set, DockerPackageFieldSet) for field_set in packages.field_sets]
    is_own = [field_set.address in direct and not image for field_set, image in zip(packages.field_sets, of_images)]
    everything, own, foreign = await MultiGet(
        Get(Snapshot, Digest, stock.digest),
        Get(Snapshot, MergeDigests(package.digest for package, mine in zip(built, is_own) if mine)),
        Get(Snapshot, MergeDigests(package.digest for package, mine in zip(built, is_own) if not mine)),
    )
    files = set(everything.files) - (set(foreign.files) - set(own.files))
    digest = await Get(Digest, DigestSubset(stock.digest, PathGlobs(sorted(files))))
    told = {file for file in files if file == stock.dockerfile or file.endswith((MATERIALS, LICENCES))}
    contents = await Get(DigestContents, DigestSubset(digest, PathGlobs(sorted(told))))
    images = [image for package in built for image in package.artifacts if isinstance(image, BuiltDockerImage)]
    licences = _only(contents, LICENCES)
    return OwnContext(
        stock=stock,
        digest=digest,
        image_ids=FrozenDict({tag: image.image_id for image in images for tag in image.tags}),
        dockerfile=next(file.content for file in contents if file.path == stock.dockerfile).decode("utf-8"),
        licences=licences.decode("utf-8").strip() if licences else None,
        bill_of_materials=_only(contents, MATERIALS),
    )


def _only(contents: DigestContents, ending: str) -> bytes | None:
    found: list[FileContent] = [file for file in contents if PurePath(file.path).name.endswith(ending)]
    return found[0].content if len(found) == 1 else None


def rules():  # type: ignore[no-untyped-def]  # As Pants itself declares it.
    return collect_rules()
