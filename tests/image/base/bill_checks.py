"""The bill of materials says what an image really holds; runs on the base image and on all that are built on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.support.engine import Image

_BILL = "/usr/local/share/sbom/sbom.cdx.json"


@pytest.fixture(scope="session")
def bill_text(image: Image) -> str:
    """The bill in the image."""
    finished = image.run(["cat", _BILL], network_mode="none")
    assert finished.exit_code == 0, finished.stderr
    return finished.stdout


@pytest.fixture(scope="session")
def components(bill_text: str) -> list[dict[str, Any]]:
    """Everything that the bill lists."""
    listed: list[dict[str, Any]] = json.loads(bill_text)["components"]
    return listed


def _of_type(components: list[dict[str, Any]], purl_type: str) -> list[dict[str, Any]]:
    return [item for item in components if item.get("purl", "").startswith(f"pkg:{purl_type}/")]


def test_the_bill_in_the_image_is_the_graphs(image: Image, bill_text: str) -> None:
    """The same bytes are handed out beside the image."""
    name = image.tags[0].partition(":")[0]
    assert bill_text == Path(f"{name}.cdx.json").read_text(encoding="utf-8")


def test_the_bill_is_the_images_own(image: Image, bill_text: str) -> None:
    """Its parent's lies below it, and never shows."""
    described = json.loads(bill_text)["metadata"]["component"]
    assert f"{described['name']}:{described['version']}" == image.tags[0]


def test_the_bill_is_valid(bill_text: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill_text) is None


def test_the_bill_is_readable_by_everyone_and_has_the_one_date(image: Image) -> None:
    finished = image.run(["stat", "--format=%u:%g %a %Y", _BILL], network_mode="none")
    assert finished.stdout == "0:0 644 1767225600\n"


def test_the_bill_lists_every_distribution(image: Image, components: list[dict[str, Any]]) -> None:
    """L-12, L-14: nothing else, nothing missing, each once."""
    script = """
import importlib.metadata, json
print(json.dumps(sorted([found.metadata["Name"], found.version] for found in importlib.metadata.distributions())))
"""
    installed = json.loads(image.python(script, network_mode="none"))
    assert sorted([item["name"], item["version"]] for item in _of_type(components, "pypi")) == installed
    assert len(installed) > 10


def test_the_bill_lists_every_package_of_debian(image: Image, components: list[dict[str, Any]]) -> None:
    """Nothing else, nothing missing, each once."""
    query = ["dpkg-query", "--show", "--showformat=${Package} ${Version} ${Architecture}\n"]
    finished = image.run(query, network_mode="none")
    installed = sorted(finished.stdout.splitlines())
    packages = _of_type(components, "deb")
    architectures = [item["purl"].partition("?arch=")[2].partition("&")[0] for item in packages]
    listed = [f"{item['name']} {item['version']} {arch}" for item, arch in zip(packages, architectures)]
    assert sorted(listed) == installed
    assert len(installed) > 50


def test_the_bill_names_interpreter_and_operating_system(image: Image, components: list[dict[str, Any]]) -> None:
    """Beside distributions and packages it lists just these two."""
    others = [item for item in components if not item.get("purl", "").startswith(("pkg:pypi/", "pkg:deb/"))]
    version = image.python("import platform; print(platform.python_version())", network_mode="none")
    release = ["bash", "-c", ". /etc/os-release && echo $ID $VERSION_ID"]
    debian = image.run(release, network_mode="none").stdout.strip()
    assert sorted(f"{item['type']} {item['name']} {item['version']}" for item in others) == [
        f"application cpython {version}",
        f"operating-system {debian}",
    ]
