"""The wheel of the support package."""

from __future__ import annotations

import re
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

# 2026-01-01, in docker/macros.py; the time zone of the machine does not show.
DATE = (2026, 1, 1, 0, 0, 0)


@pytest.fixture(scope="session")
def wheel() -> zipfile.ZipFile:
    """The wheel as the final image takes it."""
    return zipfile.ZipFile(Path("sagemaker_sklearn_container-2.0-py3-none-manylinux_2_17_x86_64.whl"))


def test_it_holds_its_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    """L-18, U-40: no tests, no build tool, every module."""
    packages = ("sagemaker_sklearn_container", "sagemaker_containers", "sagemaker_inference", "sagemaker_training")
    names = {name for name in wheel.namelist() if not name.startswith("sagemaker_sklearn_container-2.0.dist-info/")}
    sources = {
        path.relative_to("src").as_posix() for package in packages for path in Path("src", package).rglob("*.py")
    }
    assert names - sources == {"sagemaker_sklearn_container/codecs/libplain_tables.so"}
    assert sources <= names
    assert "sagemaker_sklearn_container/training/__main__.py" in names
    assert "sagemaker_containers/beta/framework/worker.py" in names


def test_its_library_needs_no_other(wheel: zipfile.ZipFile) -> None:
    """L-18: so the tag, which promises that any C library will do, is kept."""
    library = wheel.read("sagemaker_sklearn_container/codecs/libplain_tables.so")
    assert library.startswith(b"\x7fELF")
    assert not re.search(rb"\.so(\.[0-9]+)*\0|GLIBC", library)
    assert wheel.read("sagemaker_sklearn_container-2.0.dist-info/WHEEL").decode().count("Tag: ") == 1


def test_its_commands(wheel: zipfile.ZipFile) -> None:
    """L-01: and the one that runs what Autopilot generated."""
    entry_points = wheel.read("sagemaker_sklearn_container-2.0.dist-info/entry_points.txt").decode()
    assert entry_points.split() == [
        "[console_scripts]",
        "run-autopilot-candidate",
        "=",
        "sagemaker_sklearn_container.autopilot.command:main",
        "serve",
        "=",
        "sagemaker_sklearn_container.entry:serve",
        "train",
        "=",
        "sagemaker_sklearn_container.entry:train",
    ]


def test_its_requirements_are_ranges(wheel: zipfile.ZipFile) -> None:
    """D-10: what it imports, and none pinned: a user's requirements must have room."""
    metadata = HeaderParser().parsestr(wheel.read("sagemaker_sklearn_container-2.0.dist-info/METADATA").decode())
    requirements = metadata.get_all("Requires-Dist") or []
    assert sorted(requirement.partition("<")[0].partition(">")[0] for requirement in requirements) == [
        "boto3",
        "httptools",
        "inotify-simple",
        "joblib",
        "numpy",
        "orjson",
        "pyarrow",
        "pysimdjson",
        "scipy",
        "uvloop",
    ]
    assert [requirement for requirement in requirements if "==" in requirement] == []


def test_its_bytes_do_not_depend_on_the_clock(wheel: zipfile.ZipFile) -> None:
    """Every member has the one date of everything built here."""
    assert {member.date_time for member in wheel.infolist()} == {DATE}
