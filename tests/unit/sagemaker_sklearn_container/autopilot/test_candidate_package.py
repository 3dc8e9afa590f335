"""What a package holds, from its sources."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from sagemaker_sklearn_container.autopilot.candidate import Processor, opened
from sagemaker_sklearn_container.autopilot.errors import InputError
from tests.support import small_candidate
from tests.support.small_candidate import PACKAGE

HEADER = "HEADER = Header(column_names=['a', 'b'], target_column_name='b')\n"


def _processor(tmp_path: Path, text: str) -> Processor:
    package = small_candidate.write(tmp_path / "package", dpp0=text)
    return opened(package, tmp_path).processor("dpp0")


@pytest.mark.parametrize("name", ["", PACKAGE, "package.tar.gz", "inner.tar"])
def test_every_form_of_a_package(tmp_path: Path, name: str) -> None:
    """The directory, the inner one, an archive of either."""
    package = small_candidate.write(tmp_path / "package")
    for archive, root in (("package.tar.gz", package), ("inner.tar", package / PACKAGE)):
        with tarfile.open(tmp_path / archive, "w:gz" if archive.endswith("gz") else "w") as tar:
            tar.add(root, ".")
    path = tmp_path / name if "tar" in name else package / name
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = opened(path, scratch)
    assert found.processors == ("dpp0", "dpp1")
    assert (found.modules / "trainer.py").is_file()
    assert found.installable is None


def test_a_setup_makes_it_installable(tmp_path: Path) -> None:
    """Also when the inner directory is named."""
    package = small_candidate.write(tmp_path / "package")
    (package / "setup.py").touch()
    assert opened(package / PACKAGE, tmp_path).installable == package


def test_processors_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """Dpp10 comes after dpp2."""
    package = small_candidate.write(tmp_path / "package", dpp10=HEADER, dpp2=HEADER)
    assert opened(package, tmp_path).processors == ("dpp0", "dpp1", "dpp2", "dpp10")


def test_a_classifier(tmp_path: Path) -> None:
    """Columns, target, labels, and that its features are sparse."""
    found = _processor(tmp_path, small_candidate.PROCESSOR)
    assert found == Processor("dpp0", small_candidate.COLUMNS, "kind", True, ("box", "tin"), True)
    assert found.target_index == 2


def test_columns_that_are_computed(tmp_path: Path) -> None:
    """The module is imported, in a process of its own."""
    found = _processor(tmp_path, small_candidate.REGRESSION)
    assert found == Processor("dpp0", small_candidate.COLUMNS, "price", False, (), False)


@pytest.mark.parametrize(
    ("more", "encodes", "labels"),
    [
        ("", False, ()),
        ("def build_label_transform():\n    return NALabelEncoder()\n", False, ()),
        ("def build_label_transform():\n    return LabelEncoder()\n", True, ()),
        ("def build_label_transform():\n    return RobustLabelEncoder(labels=[0, 1])\n", True, ("0", "1")),
        ("def build_label_transform():\n    return encoders.RobustLabelEncoder(labels=KNOWN)\n", True, ()),
    ],
)
def test_label_transforms(tmp_path: Path, more: str, encodes: bool, labels: tuple[str, ...]) -> None:
    """None, and the one that only drops what is no number, are regression."""
    found = _processor(tmp_path, HEADER + more)
    assert (found.encodes_labels, found.labels) == (encodes, labels)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("HEADER = Header(", "dpp0.py:1: the data processor is no Python 3.8 source"),
        ("import os\n", "has no line HEADER = Header(...)"),
        ("HEADER = Header(['a', 'b'], 'c')\n", "dpp0.py:1: the target column 'c' is none of the column names"),
        ("HEADER = Header(['a', 'b', 'a'], 'b')\n", "names 'a' more than once"),
        ("import no_such_library\nHEADER = Header(NAMES, 'b')\n", "No module named 'no_such_library'"),
    ],
)
def test_processors_that_cannot_be_read(tmp_path: Path, text: str, said: str) -> None:
    """File and line."""
    with pytest.raises(InputError) as caught:
        _processor(tmp_path, text)
    assert said in str(caught.value)


def test_an_unknown_processor(tmp_path: Path) -> None:
    """Those that there are."""
    package = small_candidate.write(tmp_path / "package")
    with pytest.raises(InputError, match="no data processor 'dpp7'; it has dpp0, dpp1"):
        opened(package, tmp_path).processor("dpp7")


def test_what_is_no_package(tmp_path: Path) -> None:
    """Missing, a file of another kind, an archive that leaves its directory, two packages, none."""
    with pytest.raises(InputError, match="does not exist"):
        opened(tmp_path / "gone", tmp_path)
    file = tmp_path / "file.txt"
    file.write_text("no archive")
    with pytest.raises(InputError, match="neither a directory nor a tar file"):
        opened(file, tmp_path)
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        tar.add(file, "../evil.txt")
    with pytest.raises(InputError, match=r"member '\.\./evil\.txt'"):
        opened(tmp_path / "evil.tar", tmp_path)
    small_candidate.write(tmp_path / "two" / "a")
    small_candidate.write(tmp_path / "two" / "b")
    with pytest.raises(InputError, match="holds several packages"):
        opened(tmp_path / "two", tmp_path)
    (tmp_path / "two" / "a" / PACKAGE / "dpp0.py").unlink()
    (tmp_path / "two" / "a" / PACKAGE / "dpp1.py").unlink()
    with pytest.raises(InputError, match=r"has no data processor \(dpp0.py"):
        opened(tmp_path / "two" / "a", tmp_path)


def test_the_script_of_2020_knows_no_keys(tmp_path: Path) -> None:
    """So it gets one column of numbers."""
    package = small_candidate.write(tmp_path / "new")
    assert opened(package, tmp_path).knows_inference_keys
    old = small_candidate.write(tmp_path / "old", sagemaker_serve="def model_fn(model_dir): ...\n")
    assert not opened(old, tmp_path).knows_inference_keys
