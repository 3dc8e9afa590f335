"""The extension image."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.image.base.bill_checks import *  # noqa: F403
from tests.image.extension.candidate_checks import *  # noqa: F403
from tests.image.extension.candidate_checks import Command
from tests.image.final.checks import *  # noqa: F403
from tests.support.engine import Finished, Image, image_of

_CHECK = Path("docker/0.23-1/extension/check_parent.py")
_PINS = "/checked/usr/local/share/sklearn-extension/parent-pins.txt"


@pytest.fixture(scope="session")
def image() -> Image:
    """The extension image."""
    return image_of("docker/0.23-1/extension:image")


@pytest.fixture(scope="session")
def locks() -> list[Path]:
    """Of the distributions it holds."""
    return [Path("3rdparty/python", name) for name in ("base.lock", "final.lock", "extension.lock")]


@pytest.fixture(scope="session")
def candidate_command(image: Image) -> Command:
    """Runs candidates in a container, whose working directory is theirs."""

    def run(folder: Path, *words: str) -> Finished:
        command = ["run-autopilot-candidate", *words]
        return image.run(command, mounts={folder: "/data"}, working_dir="/data", network_mode="none")

    return run


def test_tags(image: Image) -> None:
    """L-15: the library's version in two of them is that of the lock."""
    script = "from importlib.metadata import version; print(version('sagemaker-scikit-learn-extension'))"
    library = ".".join(image.python(script).split(".")[:2])
    assert image.tags == [
        "preprod-sklearn-extension:0.2-1-cpu-py3",
        f"preprod-sklearn-extension:{library}-1-cpu-py3",
        "preprod-sklearn-extension:extension-0.2-1-cpu-py3",
        f"preprod-sklearn-extension:extension-{library}-1-cpu-py3",
    ]


def test_it_is_the_final_image_plus_layers(image: Image) -> None:
    """L-15."""
    below = image_of("docker/0.23-1/final:image").inspect()["RootFS"]["Layers"]
    assert image.inspect()["RootFS"]["Layers"][: len(below)] == below


@pytest.mark.parametrize(
    "module",
    [
        "matrixprofile",
        "mlio",
        "mlio.integ.arrow",
        "sagemaker_sklearn_extension.decomposition",
        "sagemaker_sklearn_extension.externals",
        "sagemaker_sklearn_extension.feature_extraction.date_time",
        "sagemaker_sklearn_extension.feature_extraction.sequences",
        "sagemaker_sklearn_extension.feature_extraction.text",
        "sagemaker_sklearn_extension.impute",
        "sagemaker_sklearn_extension.preprocessing",
        "statsmodels.api",
        "stumpy",
        "tsfresh",
    ],
)
def test_library_imports(image: Image, module: str) -> None:
    """L-14, A-07."""
    image.python(f"import {module}")


def test_an_estimator_of_the_library_works(image: Image) -> None:
    """L-14."""
    script = """
import numpy
from sagemaker_sklearn_extension.impute import RobustImputer
print(RobustImputer().fit_transform(numpy.array([[1.0, numpy.nan], [3.0, 4.0]])).tolist())
"""
    assert image.python(script) == "[[1.0, 4.0], [3.0, 4.0]]"


def test_time_series_features_are_extracted(image: Image) -> None:
    """L-14: the count that the library's documentation gives for its minimal set."""
    script = """
import numpy
from sagemaker_sklearn_extension.feature_extraction.sequences import TSFeatureExtractor
x = numpy.array([["1, 2, 44"], ["1, 3, 4"], ["2, 2, 9"]])
print(TSFeatureExtractor(augment=False, extraction_type="minimal").fit_transform(x).shape)
"""
    assert image.python(script) == "(3, 9)"


def test_the_parent_check_accepts_the_final_image(image: Image, tmp_path: Path) -> None:
    """L-14."""
    final = image_of("docker/0.23-1/final:image")
    pins = _pins_of(image, tmp_path)
    finished = final.run(["python", "-I", "/check.py"], mounts={_CHECK.resolve(): "/check.py", pins: _PINS})
    assert (finished.exit_code, finished.stderr) == (0, "")


def test_the_parent_check_refuses_another_scikit_learn_and_says_where_it_is(image: Image, tmp_path: Path) -> None:
    """L-14: the same check, in the same interpreter, that the extension's Dockerfile runs in its parent."""
    final = image_of("docker/0.23-1/final:image")
    pins = _pins_of(image, tmp_path)
    place = "/usr/local/lib/python3.8/site-packages/scikit_learn-0.23.2.dist-info/METADATA"
    metadata = tmp_path / "METADATA"
    metadata.write_text("Metadata-Version: 2.1\nName: scikit-learn\nVersion: 0.24.1\n", encoding="utf-8")
    finished = final.run(
        ["python", "-I", "/check.py"], mounts={_CHECK.resolve(): "/check.py", pins: _PINS, metadata: place}
    )
    assert finished.exit_code == 1
    assert finished.stderr == (
        "The extension image cannot be built on this parent image:\n"
        "  scikit-learn: needs 0.23.2, the parent image has 0.24.1 in /usr/local/lib/python3.8/site-packages\n"
        "  Build it on the final image of the same commit (FINAL_IMAGE=docker/0.23-1/final:image), or lock again.\n"
    )


def _pins_of(image: Image, folder: Path) -> Path:
    pins = folder / "parent-pins.txt"
    pins.write_text(image.run(["cat", _PINS[len("/checked") :]]).stdout, encoding="utf-8")
    return pins
