"""Puts a bill of materials together: what an image's parent has, and what the image adds.

A bill is a function of what the image holds: the same content gives the same bytes. Its time is that of everything
built here, and its serial number follows from the rest of it.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from hashlib import sha256
from typing import Any, Iterable, Sequence
from uuid import NAMESPACE_OID, uuid5

from cyclonedx import __version__ as library_version
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType, Pedigree
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.license import DisjunctiveLicense, License, LicenseAcknowledgement, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.utils import canonicalize_name

from image_sbom.debian import Debian
from image_sbom.distributions import Distribution
from image_sbom.errors import BillError

_HEAD = ("$schema", "bomFormat", "specVersion", "serialNumber", "version", "metadata", "components", "dependencies")

# Every package's own is in the image, below /usr/share/doc.
_DEBIANS_LICENCES = "LicenseRef-Debian"


def bill_of(image: str, parent: Bom | None, moment: int) -> Bom:
    """The bill of an image that adds nothing to its parent yet.

    Args:
        image: `NAME:TAG`.
        parent: The bill of the image below, where there is one with a bill; changed by the call.
        moment: Seconds since the epoch, for the bill's time.
    """
    name, _, tag = image.partition(":")
    bom = parent or Bom()
    below = bom.metadata.component
    component = Component(type=ComponentType.CONTAINER, name=name, version=tag, bom_ref=image)
    direct: Iterable[Dependency] = ()
    if below is not None:
        component.pedigree = Pedigree(ancestors=[below])
        # What the parent has, its child has; the parent itself is no part of either.
        [asked] = [item for item in bom.dependencies if item.ref == below.bom_ref]
        bom.dependencies.discard(asked)
        direct = asked.dependencies
    bom.dependencies.add(Dependency(ref=component.bom_ref, dependencies=direct))
    bom.metadata.component = component
    bom.metadata.timestamp = datetime.fromtimestamp(moment, timezone.utc)
    bom.metadata.tools.components = [
        Component(type=ComponentType.LIBRARY, name="cyclonedx-python-lib", version=library_version)
    ]
    return bom


def add_debian(bom: Bom, debian: Debian) -> None:
    """Add an operating system: itself, and every package of it."""
    system = Component(
        type=ComponentType.OPERATING_SYSTEM,
        name="debian",
        version=debian.version,
        bom_ref=f"debian-{debian.version}",
        licenses=[LicenseExpression(_DEBIANS_LICENCES)],
    )
    components = {}
    for item in debian.packages:
        package = item.package
        qualifiers = {"arch": package.architecture, "distro": debian.codename}
        purl = PackageURL("deb", "debian", package.name, package.version, qualifiers)
        components[package.name] = Component(
            type=ComponentType.LIBRARY,
            name=package.name,
            version=package.version,
            bom_ref=str(purl),
            purl=purl,
            hashes=[_sha256(package.sha256)],
        )
    _add(bom, system, components.values())
    for item in debian.packages:
        _add(bom, components[item.package.name], [components[name] for name in item.depends])
    _add_to_image(bom, [system])


def add_interpreter(bom: Bom, version: str) -> None:
    """Add CPython. It is linked with libraries of the operating system; which, the bill does not say."""
    purl = PackageURL("generic", None, "cpython", version)
    python = Component(
        type=ComponentType.APPLICATION,
        name="cpython",
        version=version,
        bom_ref=str(purl),
        purl=purl,
        cpe=f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*",
        licenses=[DisjunctiveLicense(id="Python-2.0", acknowledgement=LicenseAcknowledgement.CONCLUDED)],
    )
    bom.components.add(python)
    _add_to_image(bom, [python])


def add_distributions(bom: Bom, distributions: Sequence[Distribution], asked: Iterable[str]) -> None:
    """Add the Python distributions that an image has beside its parent's.

    Args:
        bom: The image's, with all that its parents have.
        distributions: What it adds.
        asked: Normalised names that the image's own list asks for; some may be its parents'.

    Raises:
        BillError: the lock says that something is needed which neither the image nor a parent has.
    """
    for item in distributions:
        component = _python_component(item.name, item.version, item.licences)
        if item.wheel_sha256:
            component.hashes = [_sha256(item.wheel_sha256)]
        if item.source_sha256:
            reference = ExternalReference(
                type=ExternalReferenceType.SOURCE_DISTRIBUTION,
                url=XsUri(str(component.purl)),
                hashes=[_sha256(item.source_sha256)],
            )
            component.external_references = [reference]
        bom.components.add(component)
    present = _python_components(bom)

    def found(names: Iterable[str], asker: str) -> list[Component]:
        missing = sorted(name for name in names if name not in present)
        if missing:
            raise BillError(
                f"{asker} needs {', '.join(missing)} by the lock, which neither the image nor its parents have. "
                "Build the wheels and the parent's bill again from this lock."
            )
        return [present[name] for name in names]

    for item in distributions:
        # What it declares and the images lack was excluded from the resolve (3rdparty/python/excludes.txt).
        needs = {*item.requires, *(name for name in item.declares if name in present)}
        _add(bom, present[canonicalize_name(item.name)], found(sorted(needs), item.name))
    _add_to_image(bom, found(list(asked), _component(bom).name))


def add_own(bom: Bom, name: str, version: str) -> None:
    """Add a distribution of this repository's own; the bill does not depend on its wheel, nor say what that needs."""
    component = _python_component(name, version, ())
    bom.components.add(component)
    _add_to_image(bom, [component])


def licences_in(bom: Bom) -> list[License]:
    """The licences of all that an image holds, as far as its bill knows them."""
    return [licence for component in bom.components for licence in component.licenses]


def read_bill(text: str) -> Bom:
    """A bill that `write_bill` wrote."""
    bom = Bom.from_json(json.loads(text))  # type: ignore[attr-defined]
    assert isinstance(bom, Bom)
    return bom


def write_bill(bom: Bom) -> str:
    """The bill as JSON, a line for each fact, ending in a line's end."""
    # The library would state of every component without known dependencies that it has none.
    known = {str(item.ref.value) for item in bom.dependencies}
    content: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    content["dependencies"] = [item for item in content["dependencies"] if item["ref"] in known]
    content.pop("serialNumber")
    digest = sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    content["serialNumber"] = uuid5(NAMESPACE_OID, digest).urn
    # What it is comes before what is in it.
    first = {key: content[key] for key in _HEAD}
    return json.dumps({**first, **content}, indent=1, ensure_ascii=False) + "\n"


def _component(bom: Bom) -> Component:
    assert bom.metadata.component is not None, "bill_of sets it"
    return bom.metadata.component


def _add(bom: Bom, component: Component, needs: Iterable[Component]) -> None:
    bom.components.add(component)
    bom.register_dependency(component, needs)


def _add_to_image(bom: Bom, components: Iterable[Component]) -> None:
    [image] = [item for item in bom.dependencies if item.ref == _component(bom).bom_ref]
    image.dependencies.update(Dependency(ref=component.bom_ref) for component in components)


def _python_component(name: str, version: str, licences: Iterable[License]) -> Component:
    # The type's rule: lower case, and `-` for `_`.
    purl = PackageURL("pypi", None, canonicalize_name(name), version)
    return Component(
        type=ComponentType.LIBRARY, name=name, version=version, bom_ref=str(purl), purl=purl, licenses=licences
    )


def _python_components(bom: Bom) -> dict[str, Component]:
    found = [item for item in bom.components if item.purl is not None and item.purl.type == "pypi"]
    return {canonicalize_name(item.name): item for item in found}


def _sha256(value: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=value)
