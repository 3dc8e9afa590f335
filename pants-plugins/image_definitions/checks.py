"""What is wrong in a `docker_image` target, its Dockerfile and what it depends on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping

from pants.backend.adhoc.target_types import AdhocToolRunnableField
from pants.backend.docker.goals.package_image import DockerPackageFieldSet
from pants.backend.docker.subsystems.docker_options import DockerOptions
from pants.backend.docker.target_types import DockerImageInstructionsField, DockerImageSourceField
from pants.backend.docker.util_rules.docker_build_args import DockerBuildArgs, DockerBuildArgsRequest
from pants.backend.python.target_types import PythonProvidesField
from pants.build_graph.address import BuildFileAddress, BuildFileAddressRequest
from pants.core.goals.package import OutputPathField, PackageFieldSet
from pants.engine.addresses import Address, UnparsedAddressInputs
from pants.engine.fs import Digest, DigestContents, PathGlobs
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import (
    AllTargets,
    Dependencies,
    DependenciesRequest,
    FieldSetsPerTarget,
    FieldSetsPerTargetRequest,
    HydratedSources,
    HydrateSourcesRequest,
    Target,
    Targets,
    WrappedTarget,
    WrappedTargetRequest,
)
from pants.util.logging import LogLevel
from pants.util.value_interpolation import InterpolationContext, InterpolationError

from image_definitions.build_file import BuildFile
from image_definitions.context_rules import Dependency, Image, Output, unprovided, unused
from image_definitions.cycles import cycles
from image_definitions.dockerfile import parse
from image_definitions.dockerfile_rules import Source, absolute_address, inspect, line_of_argument
from image_definitions.findings import CYCLE_RULE, Allowance, Finding, read_comment, without_allowed
from image_definitions.outputs import files_of, package_of
from image_definitions.tags import Tag, shared
from incremental_docker.context import LICENCES, MATERIALS

# What no build can get over; the rest only makes another image than was meant.
FATAL = frozenset({CYCLE_RULE, "unprovided-source"})


@dataclass(frozen=True)
class _Definition:
    """The text of a target's BUILD file."""

    path: str
    text: str

    def parsed(self) -> BuildFile:
        return BuildFile.parse(self.path, self.text)


@dataclass(frozen=True)
class _DefinitionRequest:
    address: Address


@dataclass(frozen=True)
class _DockerfileText:
    """A Dockerfile, or what a target's `instructions` make of it; that one has no file of its own."""

    path: str
    text: str
    has_file: bool


@dataclass(frozen=True)
class _DockerfileTextRequest:
    address: Address


@dataclass(frozen=True)
class _ImageTags:
    """The tags of all images."""

    tags: tuple[Tag, ...]


@dataclass(frozen=True)
class _Catalogue:
    """What all targets of the repository bring to builds.

    Attributes:
        images: Addresses of the images, with their names.
        outputs: The files.
    """

    images: frozenset[str]
    outputs: tuple[Output, ...]


@dataclass(frozen=True)
class _Needs:
    """What each of an image's targets needs, by address; those that Pants lets need each other are left out."""

    targets: tuple[tuple[Address, tuple[Address, ...]], ...]


@dataclass(frozen=True)
class _NeedsRequest:
    address: Address


@dataclass(frozen=True)
class ImageFindingsRequest:
    """Asks for what is wrong with one image."""

    address: Address


@dataclass(frozen=True)
class ImageFindings:
    """What is wrong with one image, sorted."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class BuildableImageRequest:
    """Asks whether an image's build can end well."""

    address: Address


@dataclass(frozen=True)
class BuildableImage:
    """An image without a fault that no build gets over."""

    address: Address


class ImageDefinitionError(Exception):
    """An image's definition cannot be built; the message names file and line."""


@rule
async def read_definition(request: _DefinitionRequest) -> _Definition:
    """The BUILD file that a target is defined in."""
    address = request.address.maybe_convert_to_target_generator()
    found = await Get(BuildFileAddress, BuildFileAddressRequest(address, description_of_origin="image-definitions"))
    contents = await Get(DigestContents, PathGlobs([found.rel_path]))
    text = contents[0].content.decode(errors="replace") if contents else ""
    return _Definition(found.rel_path, text)


@rule
async def read_dockerfile(request: _DockerfileTextRequest) -> _DockerfileText:
    """An image's Dockerfile."""
    wrapped = await Get(WrappedTarget, WrappedTargetRequest(request.address, description_of_origin="<infallible>"))
    hydrated = await Get(
        HydratedSources,
        HydrateSourcesRequest(
            wrapped.target[DockerImageSourceField], for_sources_types=(DockerImageSourceField,), enable_codegen=True
        ),
    )
    contents = await Get(DigestContents, Digest, hydrated.snapshot.digest)
    return _DockerfileText(
        contents[0].path,
        contents[0].content.decode(errors="replace"),
        has_file=not wrapped.target[DockerImageInstructionsField].value,
    )


@rule
async def name_all_images(all_targets: AllTargets, options: DockerOptions) -> _ImageTags:
    """The tags of all images, but those that hold what only the build knows."""
    images = [target for target in all_targets if DockerPackageFieldSet.is_applicable(target)]
    definitions = await MultiGet(Get(_Definition, _DefinitionRequest(target.address)) for target in images)
    nothing = InterpolationContext.from_dict({})
    tags = []
    for target, definition in zip(images, definitions):
        field_set = DockerPackageFieldSet.create(target)
        build_file = definition.parsed()
        for written in field_set.tags.value or ():
            try:
                repository = field_set.format_repository(options.default_repository, nothing)
                tag = field_set.format_tag(written, nothing)
            except InterpolationError:
                continue
            line = build_file.line_of_text(target.address.target_name, written)
            tags.append(Tag(str(target.address), f"{repository}:{tag}", definition.path, line))
    return _ImageTags(tuple(tags))


@rule
async def catalogue_targets(all_targets: AllTargets) -> _Catalogue:
    """Looked through once, and again when targets come or go; not for each image at each change of a source."""
    return _Catalogue(
        frozenset(_full(each.address) for each in all_targets if _is_image(each)),
        tuple(output for each in all_targets for output in _known(each)),
    )


@rule
async def follow_dependencies(request: _NeedsRequest) -> _Needs:
    """What an image needs, directly or not, as Pants' own traversal finds it, but cycles are no failure here."""
    wrapped = await Get(WrappedTarget, WrappedTargetRequest(request.address, description_of_origin="<infallible>"))
    needs: dict[Address, tuple[Address, ...]] = {}
    queued = {request.address: wrapped.target}
    while queued:
        declared = await MultiGet(
            Get(Targets, DependenciesRequest(target.get(Dependencies), include_special_cased_deps=True))
            for target in queued.values()
        )
        # Pants does not count the program of an `adhoc_tool` among its dependencies.
        programs = await MultiGet(
            Get(
                Targets,
                UnparsedAddressInputs(
                    (target[AdhocToolRunnableField].value or "",) if target.has_field(AdhocToolRunnableField) else (),
                    owning_address=address,
                    description_of_origin=f"the `runnable` field of {address}",
                ),
            )
            for address, target in queued.items()
        )
        following: dict[Address, Target] = {}
        for address, *found in zip(queued, declared, programs):
            # Files of one target may need each other, so Pants lets circles through them be.
            needed = {each.address: each for targets in found for each in targets if not _is_generated(each.address)}
            needs[address] = tuple(needed)
            following.update(needed)
        queued = {address: target for address, target in following.items() if address not in needs}
    return _Needs(tuple(needs.items()))


@rule(desc="Check the definition of a docker image", level=LogLevel.DEBUG)
async def find_in_image(
    request: ImageFindingsRequest,
    all_targets: AllTargets,
    catalogue: _Catalogue,
    image_tags: _ImageTags,
    options: DockerOptions,
) -> ImageFindings:
    """What is wrong with one image."""
    address = request.address
    wrapped = await Get(WrappedTarget, WrappedTargetRequest(address, description_of_origin="<infallible>"))
    target = wrapped.target
    dockerfile, definition, build_args, direct, needs = await MultiGet(
        Get(_DockerfileText, _DockerfileTextRequest(address)),
        Get(_Definition, _DefinitionRequest(address)),
        Get(DockerBuildArgs, DockerBuildArgsRequest(target)),
        Get(Targets, DependenciesRequest(target.get(Dependencies))),
        Get(_Needs, _NeedsRequest(address)),
    )
    build_file = definition.parsed()
    line = build_file.line_of_target(address.target_name)

    packages = await Get(FieldSetsPerTarget, FieldSetsPerTargetRequest(PackageFieldSet, direct))
    packaged = {each.address: package_of(each) for each, found in zip(direct, packages.collection) if found}

    folder = address.spec_path
    report = inspect(
        parse(dockerfile.text),
        dockerfile.path,
        _values(build_args),
        is_image=lambda text: absolute_address(text, folder) in catalogue.images,
    )
    image = Image(
        str(address),
        f"{definition.path}:{line}" if line else definition.path,
        folder,
        dockerfile.path,
        DockerPackageFieldSet.create(target).get_context_root(options.default_context_root),
    )
    entries = _entries(address, direct, packaged, definition.path, build_file)
    # The build leaves out what is packaged for the images below.
    brought = [(*files_of(each), *packaged.get(each.address, ())) for each in direct if not _is_image(each)]
    provided = [output for outputs in brought for output in outputs]
    # The build itself reads these.
    read_by_build = [
        Source("the build", 0, output.path, output.path)
        for output in provided
        if output.path.endswith((MATERIALS, LICENCES))
    ]
    found = [
        *report.findings,
        *unprovided(image, report.sources, provided, catalogue.outputs),
        *unused(
            image,
            [*report.sources, *read_by_build],
            [absolute_address(value, folder) for value, _ in report.parents],
            entries,
        ),
        *shared(image_tags.tags, [str(address)]),
    ]
    allowances = list(report.allowances)
    for comment, spoken_of in build_file.comments_of(address.target_name):
        read = read_comment(definition.path, comment, spoken_of, spoken_of)
        if isinstance(read, Finding):
            found.append(read)
        elif isinstance(read, Allowance):
            allowances.append(read)
    left = without_allowed(found, allowances)
    if not dockerfile.has_file:
        left = [
            (
                Finding(definition.path, line, each.rule, f"`instructions`, line {each.line}: {each.message}")
                if each.path == dockerfile.path
                else each
            )
            for each in left
        ]

    circles = cycles(dict(sorted(needs.targets)))
    definitions = await MultiGet(Get(_Definition, _DefinitionRequest(each)) for circle in circles for each in circle)
    in_circles = {each for circle in circles for each in circle}
    circled = [each.address for each in all_targets if each.address in in_circles and _is_image(each)]
    texts = await MultiGet(Get(_DockerfileText, _DockerfileTextRequest(each)) for each in circled)
    files = dict(zip((each for circle in circles for each in circle), definitions))
    left += [_circle(circle, files, dict(zip(circled, texts))) for circle in circles]
    return ImageFindings(tuple(sorted(left)))


@rule
async def require_buildable(request: BuildableImageRequest) -> BuildableImage:
    """Refuses a build that cannot end well, in the linter's words.

    Raises:
        ImageDefinitionError: the image's definition has a fatal fault.
    """
    checked = await Get(ImageFindings, ImageFindingsRequest(request.address))
    fatal = [finding for finding in checked.findings if finding.rule in FATAL]
    if fatal:
        raise ImageDefinitionError(f"{request.address} cannot be built:\n" + "\n".join(map(str, fatal)))
    return BuildableImage(request.address)


def _is_image(target: Target) -> bool:
    return target.has_field(DockerImageSourceField)


def _is_generated(address: Address) -> bool:
    return address.is_generated_target or address.is_file_target


def _full(address: Address) -> str:
    """An address with its name, also where that is the folder's."""
    return f"{address.spec_path}:{address.target_name}{address.parameters_repr}"


def _values(build_args: DockerBuildArgs) -> Mapping[str, str | None]:
    return {name: value if equals else None for name, equals, value in (each.partition("=") for each in build_args)}


def _spellings(address: Address, folder: str) -> tuple[str, ...]:
    """How a BUILD file or Dockerfile of a folder may write an address."""
    full = _full(address)
    relative = (full[len(folder) :],) if address.spec_path == folder else ()
    return (*relative, full, f"//{full}", str(address), f"//{address}")


def _known(target: Target) -> tuple[Output, ...]:
    named = target.has_field(OutputPathField) or target.has_field(PythonProvidesField)
    return (*files_of(target), *(package_of(target) if named else ()))


def _entries(
    image: Address,
    direct: Targets,
    packaged: Mapping[Address, tuple[Output, ...]],
    path: str,
    build_file: BuildFile,
) -> list[Dependency]:
    """The entries of an image's dependencies; those of a generator's files are its one entry."""
    entries: dict[Address, list[Target]] = {}
    for target in direct:
        entries.setdefault(target.address.maybe_convert_to_target_generator(), []).append(target)
    return [
        Dependency(
            _full(address),
            path,
            build_file.line_of_text(image.target_name, *_spellings(address, image.spec_path)),
            tuple(output for each in targets for output in (*files_of(each), *packaged.get(each.address, ()))),
            is_parent=any(_is_image(each) for each in targets),
        )
        for address, targets in entries.items()
    ]


def _circle(
    circle: tuple[Address, ...],
    definitions: Mapping[Address, _Definition],
    dockerfiles: Mapping[Address, _DockerfileText],
) -> Finding:
    """A cycle, reported where its first target names its second."""
    steps, places = [], []
    for needing, needed in zip(circle, (*circle[1:], circle[0])):
        spellings = _spellings(needed, needing.spec_path)
        definition, dockerfile = definitions[needing], dockerfiles.get(needing)
        line = definition.parsed().line_of_text(needing.target_name, *spellings)
        place = (definition.path, line)
        if dockerfile and dockerfile.has_file and not definition.parsed().names(needing.target_name, *spellings):
            # By a FROM, which no BUILD file repeats.
            place = (dockerfile.path, line_of_argument(parse(dockerfile.text), spellings))
        places.append(place)
        steps.append(f"{needing} needs {needed} ({place[0]}:{place[1] or 1})")
    return Finding(*places[0], CYCLE_RULE, f"{', '.join(steps)}: Pants can build none of them. Remove one of these.")


def rules():  # type: ignore[no-untyped-def]  # As Pants itself declares it.
    return collect_rules()
