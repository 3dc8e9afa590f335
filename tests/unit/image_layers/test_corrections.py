"""Corrected declarations of dependencies."""

from __future__ import annotations

from pathlib import Path

import pytest

from image_layers.corrections import Corrections, read_corrections


@pytest.fixture()
def corrections(tmp_path: Path) -> Corrections:
    overrides, excludes = tmp_path / "overrides.txt", tmp_path / "excludes.txt"
    overrides.write_text("# Why.\nprotobuf>=3.20.3,<3.21\nmatrixprofile>=1.1.10,<2\n")
    excludes.write_text("# Why.\nDask\nrequests\n")
    return read_corrections(overrides, excludes)


def _metadata(*declared: str) -> str:
    lines = "".join(f"Requires-Dist: {item}\n" for item in declared)
    return f"Metadata-Version: 2.1\nName: a\n{lines}License: MIT\n\nRequires-Dist: dask\n\nIs how one declares.\n"


def test_metadata_without_dependencies_comes_back_as_it_was(corrections: Corrections) -> None:
    assert corrections.apply(_metadata()) == _metadata()


@pytest.mark.parametrize("metadata", ["", "Name: a\n", "Name: a\n\n", "Name: a\n\n\nText", "Name: a\r\n\r\nText\r\n"])
def test_not_a_byte_changes_where_nothing_is_to_correct(corrections: Corrections, metadata: str) -> None:
    assert corrections.apply(metadata) == metadata


@pytest.mark.parametrize(
    ("declared", "corrected"),
    [
        ("protobuf==3.11.2", "protobuf<3.21,>=3.20.3"),
        ("Protobuf (==3.11.2)", "protobuf<3.21,>=3.20.3"),
        ('protobuf==3.11.2; python_version < "4"', 'protobuf<3.21,>=3.20.3 ; python_version < "4"'),
        ("matrixprofile>=1.1.10<2.0.0", "matrixprofile<2,>=1.1.10"),
        ("numpy<2", "numpy<2"),
    ],
)
def test_an_overridden_declaration_is_replaced_and_keeps_its_condition(
    corrections: Corrections, declared: str, corrected: str
) -> None:
    assert corrections.apply(_metadata("six", declared)) == _metadata("six", corrected)


@pytest.mark.parametrize("declared", ["dask", "Requests>=2", 'dask[dataframe]>=2.9.0 ; extra == "cluster"'])
def test_an_excluded_declaration_is_dropped(corrections: Corrections, declared: str) -> None:
    assert corrections.apply(_metadata("six", declared, "tqdm")) == _metadata("six", "tqdm")
