"""Publishes a `docker_image`: its tests' results are asked for, then each of its names at a registry is pushed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Iterable

from pants.backend.docker.goals.package_image import DockerPackageFieldSet
from pants.backend.docker.goals.publish import PublishDockerImageRequest
from pants.backend.docker.package_types import BuiltDockerImage
from pants.backend.docker.registries import DockerRegistryOptions
from pants.backend.docker.subsystems.docker_options import DockerOptions
from pants.backend.docker.util_rules.docker_build_context import DockerBuildContext, DockerBuildContextRequest
from pants.backend.python.target_types import EntryPoint
from pants.backend.python.util_rules.pex import VenvPex, VenvPexProcess
from pants.backend.python.util_rules.pex_from_targets import PexFromTargetsRequest
from pants.base.build_root import BuildRoot
from pants.core.goals.publish import PublishOutputData, PublishPackages, PublishProcesses
from pants.core.util_rules.distdir import DistDir
from pants.core.util_rules.system_binaries import BashBinary, MaybeGitBinary
from pants.engine.addresses import Address
from pants.engine.env_vars import EnvironmentVars, EnvironmentVarsRequest
from pants.engine.fs import EMPTY_DIGEST
from pants.engine.process import FallibleProcessResult, InteractiveProcess, Process, ProcessCacheScope
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import WrappedTarget, WrappedTargetRequest
from pants.util.logging import LogLevel
from pants.util.value_interpolation import InterpolationContext

from image_publishing import addresses, git_values, tags
from image_publishing.image_tests import ImageTests, ImageTestsRequest
from image_publishing.options import ImagePublishing

logger = logging.getLogger(__name__)

_PUSH_PROGRAM = Address("src/image_push")
_PUSH_ENTRY_POINT = "image_push.__main__"


class PublishingError(Exception):
    """Nothing can be published as configured; the message names the target, the option and the next step."""


@dataclass(frozen=True)
class GitValues:
    """What git knows of the checkout.

    Attributes:
        checkout: None where git has no answer.
        said: What it answered instead.
    """

    checkout: git_values.Checkout | None
    said: str


@dataclass(frozen=True)
class GitValuesRequest:
    """Asks git anew in every session; only made where a tag asks for a value of git's."""


@rule(desc="Ask git for what tags are made of", level=LogLevel.DEBUG)
async def ask_git(_: GitValuesRequest, bash: BashBinary, git: MaybeGitBinary, build_root: BuildRoot) -> GitValues:
    """The checkout's commit, tags, branch and changes."""
    if git.git_binary is None:
        return GitValues(None, "there is no git on PATH")
    # HOME holds the list of folders that git is to trust.
    environment = await Get(EnvironmentVars, EnvironmentVarsRequest(["HOME", "PATH", "XDG_CONFIG_HOME"]))
    answer = await Get(
        FallibleProcessResult,
        Process(
            argv=(bash.path, "-c", git_values.script(git.git_binary.path, build_root.path)),
            description="Asking git for the commit and its tags",
            env=environment,
            input_digest=EMPTY_DIGEST,
            cache_scope=ProcessCacheScope.PER_SESSION,
            level=LogLevel.DEBUG,
        ),
    )
    if answer.exit_code != 0:
        return GitValues(None, answer.stderr.decode(errors="replace").strip())
    return GitValues(git_values.Checkout.parse(answer.stdout.decode(errors="replace")), "")


@rule(desc="Prepare to publish a docker image", level=LogLevel.DEBUG)
async def publish_tested_image(
    request: PublishDockerImageRequest,
    bash: BashBinary,
    build_root: BuildRoot,
    distdir: DistDir,
    docker: DockerOptions,
    docker_environment: DockerOptions.EnvironmentAware,
    publishing: ImagePublishing,
) -> PublishProcesses:
    """One push for each name, or one refusal for all of them where a test failed or there is none.

    Raises:
        PublishingError: no registry is configured, or a name cannot be made.
    """
    target = request.field_set.address
    artifacts = (artifact for built in request.packages for artifact in built.artifacts)
    (image,) = (artifact for artifact in artifacts if isinstance(artifact, BuiltDockerImage))
    if request.field_set.skip_push.value:
        return PublishProcesses([PublishPackages(image.tags, description=f"(by `skip_push` on {target})")])
    registries = _registries(docker, request.field_set.registries.value or (), str(target))
    if not registries:
        raise PublishingError(_no_registry(str(target)))

    asked = {name for registry in registries for name in _asked_of_git(registry, str(target))}
    if asked:
        git = await Get(GitValues, GitValuesRequest())
        known = _git_context(git, asked, str(target))
    else:
        known = {}
    wrapped, context = await MultiGet(
        Get(WrappedTarget, WrappedTargetRequest(target, description_of_origin="<infallible>")),
        Get(DockerBuildContext, DockerBuildContextRequest(address=target, build_upstream_images=True)),
    )
    field_set = DockerPackageFieldSet.create(wrapped.target)
    interpolation = context.interpolation_context.merge({"git": known}) if asked else context.interpolation_context
    built_tags = tuple(tag.rpartition(":")[2] for tag in image.tags)
    names = {
        registry: _names(registry, field_set, docker.default_repository, built_tags, interpolation)
        for registry in registries
    }
    pushed = tuple(dict.fromkeys(name for registry in registries if not registry.skip_push for name in names[registry]))
    skipped = [
        PublishPackages(names[registry], description=f"(by `skip_push` on registry @{registry.alias})")
        for registry in registries
        if registry.skip_push
    ]
    if not pushed:
        return PublishProcesses(skipped)

    if publishing.untested:
        logger.warning(
            f"{target}: published WITHOUT its tests, as --image-publishing-untested says ({image.image_id})."
        )
    else:
        results = await Get(ImageTests, ImageTestsRequest(target))
        refusal = _refusal(str(target), image.image_id, results)
        if refusal:
            return PublishProcesses([PublishPackages(pushed, process=_refuse(bash, refusal)), *skipped])
        logger.info(f"{target}: {len(results.passed)} test files passed at {image.image_id}.")

    program, environment = await MultiGet(
        Get(
            VenvPex,
            PexFromTargetsRequest(
                [_PUSH_PROGRAM],
                output_filename="image_push.pex",
                internal_only=True,
                main=EntryPoint(_PUSH_ENTRY_POINT),
            ),
        ),
        # Credential helpers are programs on PATH.
        Get(EnvironmentVars, EnvironmentVarsRequest([*docker_environment.env_vars, *publishing.env_vars, "PATH"])),
    )
    record = build_root.pathlib_path / distdir.relpath / target.spec_path.replace("/", ".")
    options = [f"--image-id={image.image_id}", f"--target={target}"]
    options.append(f"--record={record / f'{target.target_name}.published.json'}")
    if publishing.tags_may_move:
        options.append("--tags-may-move")
    pushes = await MultiGet(
        Get(
            Process,
            VenvPexProcess(program, argv=(*options, name), description=f"Pushing {name}", extra_env=environment),
        )
        for name in pushed
    )
    return PublishProcesses(
        [
            *(
                PublishPackages(
                    (name,),
                    process=InteractiveProcess.from_process(push),
                    data=PublishOutputData({"image_id": image.image_id}),
                )
                for name, push in zip(pushed, pushes)
            ),
            *skipped,
        ]
    )


def _registries(docker: DockerOptions, named: Iterable[str], target: str) -> tuple[DockerRegistryOptions, ...]:
    try:
        return tuple(docker.registries().get(*named))
    except KeyError as error:
        raise PublishingError(
            f"{target} cannot be published: an entry of [docker.registries] has no {error}. Each needs an `address`."
        ) from None


def _no_registry(target: str) -> str:
    return (
        f"{target} cannot be published: no registry is configured for it. Name one in [docker.registries] of a Pants "
        "configuration file, for example\n\n"
        "  [docker.registries.ecr]\n"
        '  address = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"\n'
        "  default = true\n\n"
        "or in the environment,\n\n"
        '  PANTS_DOCKER_REGISTRIES=\'{"local": {"address": "127.0.0.1:5000", "default": True}}\'\n\n'
        "A registry without `default = true` is for targets that name it in their field `registries`."
    )


def _option(registry: DockerRegistryOptions, name: str) -> str:
    return f"[docker.registries.{registry.alias or registry.address}].{name}"


def _asked_of_git(registry: DockerRegistryOptions, target: str) -> Iterable[str]:
    for option, templates in (("extra_image_tags", registry.extra_image_tags), ("repository", (registry.repository,))):
        for template in templates:
            try:
                yield from git_values.asked_for(template or "")
            except git_values.GitValueError as error:
                raise PublishingError(f"{target} cannot be published: {_option(registry, option)}: {error}") from None


def _git_context(git: GitValues, asked: Iterable[str], target: str) -> dict[str, str]:
    if git.checkout is None:
        wanted = ", ".join(f"{{git.{name}}}" for name in sorted(asked))
        raise PublishingError(
            f"{target} cannot be published: a registry's tags ask for {wanted}, and git has no answer: {git.said}\n"
            "Publish from a git checkout, or leave these tags out of [docker.registries]."
        )
    try:
        return {name: git.checkout.value(name) for name in sorted(asked)}
    except git_values.GitValueError as error:
        raise PublishingError(f"{target} cannot be published: {error}") from None


def _names(
    registry: DockerRegistryOptions,
    field_set: DockerPackageFieldSet,
    default_repository: str,
    built_tags: tuple[str, ...],
    interpolation: InterpolationContext,
) -> tuple[str, ...]:
    """Full names of an image at a registry: the tags it was built with, and the registry's own."""
    origin = _option(registry, "extra_image_tags")
    source = InterpolationContext.TextSource(options_scope=origin)
    extra = (interpolation.format(tag, source=source) for tag in registry.extra_image_tags)
    repository = field_set.format_repository(default_repository, interpolation, registry)
    try:
        addresses.check(registry.address)
        addresses.check_repository(repository)
        all_tags = tuple(dict.fromkeys((*built_tags, *extra)))
        for tag in all_tags:
            tags.check(tag, origin)
    except addresses.AddressError as error:
        raise PublishingError(
            f"{field_set.address} cannot be published to registry {registry.alias or '(of its BUILD file)'}: {error}"
        ) from None
    except tags.TagError as error:
        raise PublishingError(f"{field_set.address} cannot be published: {error}") from None
    return tuple(f"{registry.address}/{repository}:{tag}" for tag in all_tags)


def _refusal(target: str, image_id: str, results: ImageTests) -> str:
    """Why an image must not be published, or nothing."""
    if results.failed:
        return (
            f"{target}: refused, nothing was pushed. Of its tests, {len(results.failed)} failed at {image_id}:\n"
            + "".join(f"  {test}\n" for test in results.failed)
            + "Correct that, or publish it all the same: --image-publishing-untested."
        )
    if not results.passed:
        return (
            f"{target}: refused, nothing was pushed. No test has it among its `runtime_package_dependencies`. Write "
            "one, set `skip_push=True` on the target if it is not to be published, or publish it untested: "
            "--image-publishing-untested."
        )
    return ""


def _refuse(bash: BashBinary, refusal: str) -> InteractiveProcess:
    # What a rule raises ends the whole goal, and would hide how other images fared.
    return InteractiveProcess((bash.path, "-c", 'printf "%s\\n" "$1" >&2; exit 1', "refuse", refusal))


def rules():  # type: ignore[no-untyped-def]  # As Pants itself declares it.
    return collect_rules()
