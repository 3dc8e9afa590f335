"""The bills of materials of the images, as the images take them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from license_expression import get_spdx_licensing
from packaging.utils import NormalizedName, canonicalize_name

from image_layers.lock import Pin, read_lock

IMAGES = ("foundation", "base", "final", "extension")
OWN = {"final": {"sagemaker-sklearn-container"}, "extension": {"sagemaker-sklearn-mlio"}}
PYTHON = Path("3rdparty/python")


def _pins(image: str) -> dict[NormalizedName, Pin]:
    """What the image and those below it have."""
    locks = [PYTHON / f"{name}.lock" for name in IMAGES[1 : IMAGES.index(image) + 1]]
    return {name: pin for lock in locks for name, pin in read_lock(lock).items()}


def _definition(image: str) -> str:
    return Path("docker/0.23-1", image, "BUILD").read_text(encoding="utf-8")


def _name(image: str) -> str:
    [name] = re.findall(r'repository="([^"]+)"', _definition(image))
    return str(name)


def _bill(image: str) -> dict[str, Any]:
    bill: dict[str, Any] = json.loads(Path(f"{_name(image)}.cdx.json").read_text(encoding="utf-8"))
    return bill


def _components(image: str) -> dict[str, dict[str, Any]]:
    return {component["bom-ref"]: component for component in _bill(image)["components"]}


@pytest.mark.parametrize("image", IMAGES)
def test_a_bill_names_its_image(image: str) -> None:
    """Repository and first tag stand in the BUILD file twice."""
    described = _bill(image)["metadata"]["component"]
    [first_tag] = re.findall(r'image_tags=\[\s*"([^"]+)"', _definition(image))
    assert (described["name"], described["version"]) == (_name(image), first_tag)


@pytest.mark.parametrize(("parent", "child"), list(zip(IMAGES, IMAGES[1:])))
def test_a_childs_bill_has_all_of_its_parents_unchanged(parent: str, child: str) -> None:
    """And that is its ancestor."""
    above, below = _components(child), _components(parent)
    assert {ref: above.get(ref) for ref in below} == below
    [ancestor] = _bill(child)["metadata"]["component"]["pedigree"]["ancestors"]
    assert ancestor == _bill(parent)["metadata"]["component"]


@pytest.mark.parametrize("image", IMAGES)
def test_distributions_are_the_images_share_of_the_lock_and_our_own(image: str) -> None:
    """L-12, L-14."""
    own = {name for below in IMAGES[: IMAGES.index(image) + 1] for name in OWN.get(below, ())}
    found = {
        canonicalize_name(item["name"]): item["version"]
        for item in _components(image).values()
        if item.get("purl", "").startswith("pkg:pypi/")
    }
    assert {name: version for name, version in found.items() if name not in own} == {
        name: str(pin.version) for name, pin in _pins(image).items()
    }
    assert own <= set(found)


@pytest.mark.parametrize("image", IMAGES)
def test_every_locked_archive_has_a_hash_of_the_lock(image: str) -> None:
    """Of the wheel, or of the source archive that the wheel was built from."""
    pins = _pins(image)
    for item in _components(image).values():
        name = canonicalize_name(item["name"])
        if item.get("purl", "").startswith("pkg:pypi/") and name in pins:
            archives = [item, *item.get("externalReferences", [])]
            hashes = [f"sha256:{found['content']}" for archive in archives for found in archive.get("hashes", [])]
            assert len(hashes) == 1, name
            assert hashes[0] in pins[name].hashes, name


@pytest.mark.parametrize("image", IMAGES)
def test_every_package_of_debian_has_a_hash_and_a_place_in_the_graph(image: str) -> None:
    """The operating system needs each of them; what each needs in turn is there."""
    bill = _bill(image)
    needs = {item["ref"]: item.get("dependsOn", []) for item in bill["dependencies"]}
    packages = {ref: item for ref, item in _components(image).items() if ref.startswith("pkg:deb/")}
    assert len(packages) > 50
    [system] = [item["bom-ref"] for item in bill["components"] if item["type"] == "operating-system"]
    assert sorted(needs[system]) == sorted(packages)
    assert all(re.fullmatch("[0-9a-f]{64}", item["hashes"][0]["content"]) for item in packages.values())
    assert all(set(needs[ref]) <= set(packages) for ref in packages)


@pytest.mark.parametrize("image", IMAGES)
def test_the_licences_are_one_expression(image: str) -> None:
    """For `org.opencontainers.image.licenses`."""
    expression = Path(f"{_name(image)}.licences.txt").read_text(encoding="utf-8").rstrip("\n")
    parsed = get_spdx_licensing().parse(expression)
    assert "LicenseRef-Debian" in parsed.objects
    assert [key for key in get_spdx_licensing().unknown_license_keys(parsed) if not key.startswith("LicenseRef-")] == []


def test_a_line_of_the_support_package_moves_no_bill() -> None:
    """The layer that every such line changes lies above the bill's, and the bill is not made from its wheel."""
    added = re.findall(r"^ADD (\S+)\.tar", Path("docker/0.23-1/final/Dockerfile.cpu").read_text(encoding="utf-8"), re.M)
    assert added[-2:] == ["sbom-layer", "support-layer"]
    definition = _definition("final")
    bill = definition[definition.index("bill_of_materials(") : definition.index("docker_image(")]
    assert "src:wheel" not in bill


def test_what_an_extension_library_needs_of_the_images_below_is_in_the_graph() -> None:
    """Each image has a lock of its own; what leads from one to another stands in the wheels' metadata."""
    needs = {item["ref"]: item.get("dependsOn", []) for item in _bill("extension")["dependencies"]}
    [library] = [ref for ref in needs if ref.startswith("pkg:pypi/tsfresh@")]
    names = {ref.partition("@")[0] for ref in needs[library]}
    assert {"pkg:pypi/pandas", "pkg:pypi/statsmodels"} <= names
