"""Whether the tests of an image pass, at the very id that it has.

A test that names an image in its `runtime_package_dependencies` gets the image's metadata file, and its id with it, as
an input. So a result belongs to an id: Pants answers from its caches where the tests passed at this one, and runs them
where they did not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable

from pants.core.goals.test import (
    RuntimePackageDependenciesField,
    TestFieldSet,
    TestRequest,
    TestResult,
    TestSubsystem,
    _get_test_batches,
)
from pants.core.util_rules.environments import ChosenLocalEnvironmentName, SingleEnvironmentNameRequest
from pants.engine.addresses import Address, Addresses, UnparsedAddressInputs
from pants.engine.environment import EnvironmentName
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import AllTargets, FieldSetsPerTarget, FieldSetsPerTargetRequest, TargetRootsToFieldSets
from pants.engine.unions import UnionMembership
from pants.util.logging import LogLevel


@dataclass(frozen=True)
class ImageTestsRequest:
    """Asks for the results of all tests of an image.

    Attributes:
        address: Of the image's target.
    """

    address: Address


@dataclass(frozen=True)
class ImageTests:
    """How the tests of an image ended, by address.

    Attributes:
        passed: Those that passed.
        failed: Those that ran and did not.
    """

    passed: tuple[str, ...]
    failed: tuple[str, ...]


@rule(desc="Ask for the results of an image's tests", level=LogLevel.DEBUG)
async def results_of_image_tests(
    request: ImageTestsRequest,
    all_targets: AllTargets,
    local_environment: ChosenLocalEnvironmentName,
    test_subsystem: TestSubsystem,
    union_membership: UnionMembership,
) -> ImageTests:
    """The results, from the caches where they are there."""
    with_packages = [target for target in all_targets if target.get(RuntimePackageDependenciesField).value]
    packages = await MultiGet(
        Get(
            Addresses,
            UnparsedAddressInputs,
            target[RuntimePackageDependenciesField].to_unparsed_address_inputs(),
        )
        for target in with_packages
    )
    tests = [target for target, addresses in zip(with_packages, packages) if request.address in addresses]
    field_sets = await Get(FieldSetsPerTarget, FieldSetsPerTargetRequest(TestFieldSet, tests))
    batches = await _get_test_batches(
        union_membership.get(TestRequest),
        TargetRootsToFieldSets(dict(zip(tests, field_sets.collection))),
        local_environment,
        test_subsystem,
    )
    environments = await MultiGet(
        Get(
            EnvironmentName,
            SingleEnvironmentNameRequest,
            SingleEnvironmentNameRequest.from_field_sets(batch.elements, batch.description),
        )
        for batch in batches
    )
    results = await MultiGet(
        Get(TestResult, {batch: TestRequest.Batch, environment: EnvironmentName})
        for batch, environment in zip(batches, environments)
    )
    return ImageTests(
        passed=_addresses(result for result in results if result.exit_code == 0),
        failed=_addresses(result for result in results if result.exit_code),
    )


def _addresses(results: Iterable[TestResult]) -> tuple[str, ...]:
    return tuple(sorted(address.spec for result in results for address in result.addresses))


def rules():  # type: ignore[no-untyped-def]  # As Pants itself declares it.
    return collect_rules()
