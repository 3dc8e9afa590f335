"""The wheel of the reader of data sets."""

from __future__ import annotations

import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

INFO = "sagemaker_sklearn_mlio-0.7.0.dist-info/"


@pytest.fixture(scope="session")
def wheel() -> zipfile.ZipFile:
    """The wheel as the extension image takes it."""
    return zipfile.ZipFile(Path("sagemaker_sklearn_mlio-0.7.0-py3-none-any.whl"))


def test_it_holds_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    """A-03: whole, since modules are loaded on first use; alone, since others use it alone."""
    names = {name for name in wheel.namelist() if not name.startswith(INFO)}
    assert names == {path.relative_to("src").as_posix() for path in Path("src/mlio").rglob("*.py")}
    assert "mlio/integ/arrow.py" in names


def test_its_requirements_are_in_the_base_image(wheel: zipfile.ZipFile) -> None:
    """D-10: ranges, none pinned."""
    metadata = HeaderParser().parsestr(wheel.read(f"{INFO}METADATA").decode())
    requirements = metadata.get_all("Requires-Dist") or []
    assert sorted(requirement.partition("<")[0].partition(">")[0] for requirement in requirements) == [
        "numpy",
        "pandas",
        "pyarrow",
        "scipy",
    ]
    assert not any("==" in requirement for requirement in requirements)
